//! The rules for votes: one per term, and only for an up-to-date log.

use std::collections::BTreeMap;

use super::observer::{Judged, Observer, Sent, Voted, at};
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
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, _: &World) -> Judged {
        match facts {
            Facts::VoteRequest { term, .. } => self.given(from, *term, from),
            _ => Ok(()),
        }
    }

    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        match (&handling.request, reply) {
            (Facts::VoteRequest { term, .. }, Facts::VoteReply { granted: true, .. }) => {
                self.given(by, *term, handling.from)
            }
            _ => Ok(()),
        }
    }

    fn voted(&mut self, Voted { server, before, after }: Voted, _: &World) -> Judged {
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
}

impl OneVotePerTerm {
    fn given(&mut self, voter: ServerId, term: Term, candidate: ServerId) -> Judged {
        let first = *self.votes.entry((voter, term)).or_insert(candidate);
        if first != candidate {
            return Err(format!("{voter} votes for {first} and for {candidate} in term {term}"));
        }
        Ok(())
    }
}

/// "The voter denies its vote if its own log is more up-to-date than that of the candidate"
/// (Raft §5.4.1).
///
/// Fails when the candidate's log was behind the voter's at every moment between the request's
/// arrival and the reply's departure.
pub(super) struct VoteOnlyUpToDate;

impl Observer for VoteOnlyUpToDate {
    fn answered(
        &mut self,
        by: ServerId,
        handling: &Handling,
        reply: &Facts,
        world: &World,
    ) -> Judged {
        let Facts::VoteReply { granted: true, .. } = reply else { return Ok(()) };
        let Handling { from, request: Facts::VoteRequest { term, last, .. }, up_to_date, .. } =
            handling
        else {
            return Ok(());
        };
        if *up_to_date {
            return Ok(());
        }
        let own = world.written(by).log.last();
        Err(format!(
            "{by} votes in term {term} for {from}, whose log ends at {last}, although its own log \
             has been more up-to-date since the request came at {}; it now ends at {own}",
            at(handling.since)
        ))
    }
}
