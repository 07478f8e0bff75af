//! The rules for votes: one per term, and only for an up-to-date log.

use std::collections::BTreeMap;

use super::event::{Event, Kind, Observer, at};
use super::shadow::Ballot;
use super::world::{Handling, World};
use crate::api::{ServerId, Term};
use crate::lab::Facts;

/// "Each server will vote for at most one candidate in a given term" (Raft §5.2), also after a
/// restart. A candidate votes for itself.
#[derive(Default)]
pub(super) struct OneVotePerTerm {
    votes: BTreeMap<(ServerId, Term), ServerId>,
}

impl Observer for OneVotePerTerm {
    fn name(&self) -> &'static str {
        "OneVotePerTerm"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Sent, Kind::Answered, Kind::Voted]
    }

    fn see(&mut self, event: &Event<'_>, _: &World) -> Result<(), String> {
        match event {
            Event::Sent { from, facts: Facts::VoteRequest { term, .. }, .. } => {
                self.given(*from, *term, *from)
            }
            Event::Answered { by, handling, reply: Facts::VoteReply { granted: true, .. } } => {
                match handling.request {
                    Facts::VoteRequest { term, .. } => self.given(*by, term, handling.from),
                    _ => Ok(()),
                }
            }
            Event::Voted { server, before, after } => written(*server, *before, *after),
            _ => Ok(()),
        }
    }
}

impl OneVotePerTerm {
    fn given(&mut self, voter: ServerId, term: Term, candidate: ServerId) -> Result<(), String> {
        let first = *self.votes.entry((voter, term)).or_insert(candidate);
        if first != candidate {
            return Err(format!("{voter} votes for {first} and for {candidate} in term {term}"));
        }
        Ok(())
    }
}

fn written(server: ServerId, before: Ballot, after: Ballot) -> Result<(), String> {
    let Some(first) = before.voted_for else { return Ok(()) };
    if before.term != after.term || after.voted_for == Some(first) {
        return Ok(());
    }
    let then = after.voted_for.map_or("for none".to_string(), |second| format!("for {second}"));
    let term = before.term;
    Err(format!(
        "{server} wrote that it voted for {first} in term {term}, then that it voted {then}"
    ))
}

/// "The voter denies its vote if its own log is more up-to-date than that of the candidate"
/// (Raft §5.4.1).
///
/// Fails when the candidate's log was behind the voter's at every moment between the request's
/// arrival and the reply's departure.
pub(super) struct VoteOnlyUpToDate;

impl Observer for VoteOnlyUpToDate {
    fn name(&self) -> &'static str {
        "VoteOnlyUpToDate"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Answered]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Event::Answered { by, handling, reply: Facts::VoteReply { granted: true, .. } } = event
        else {
            return Ok(());
        };
        let Handling { from, request: Facts::VoteRequest { term, last, .. }, up_to_date, .. } =
            handling
        else {
            return Ok(());
        };
        if *up_to_date {
            return Ok(());
        }
        let own = world.written(*by).log.last();
        Err(format!(
            "{by} votes in term {term} for {from}, whose log ends at {last}, although its own log \
             has been more up-to-date since the request came at {}; it now ends at {own}",
            at(handling.since)
        ))
    }
}
