//! The rules for votes: one per term, and only for an up-to-date log, which the candidate names.

use std::collections::BTreeMap;

use super::observer::{Judged, Observer, Sent, Voted, at};
use super::world::{Handling, World};
use crate::api::{Position, ServerId, Term};
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

/// A candidate names the end of its own log: "index of candidate's last log entry", "term of
/// candidate's last log entry" (Figure 2, `RequestVote`).
///
/// Without this rule, a candidate that names too much shows only when it leads and lacks a
/// committed entry, and one that names too little only loses elections.
///
/// A candidate's log does not change in its term, so the rule compares each request with the log
/// as it was stored when the candidate stored its vote for itself. It does not judge a server whose
/// log in memory may have been ahead of its storage then: one that was handling a leader's request,
/// or that names an entry of its own. A server that stores no entries gives the rule nothing to
/// compare. But an entry of the candidate's own term cannot exist: the term has no leader yet.
#[derive(Default)]
pub(super) struct CandidateNamesOwnLog {
    /// The last election of each server: its term, and where the stored log ended.
    stood: BTreeMap<ServerId, (Term, Position)>,
}

impl Observer for CandidateNamesOwnLog {
    fn voted(&mut self, Voted { server, before, after }: Voted, world: &World) -> Judged {
        if after.voted_for != Some(server) || before == after {
            return Ok(());
        }
        let stored = world.written(server).log.last();
        if stored == Position::default() || world.server(server).hears_of_entries() {
            self.stood.remove(&server);
        } else {
            self.stood.insert(server, (after.term, stored));
        }
        Ok(())
    }

    fn booted(&mut self, server: ServerId, _: &World) -> Judged {
        self.stood.remove(&server);
        Ok(())
    }

    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let Facts::VoteRequest { term, last, .. } = *facts else { return Ok(()) };
        if last.term >= term {
            return Err(format!(
                "{from} asks for votes in term {term} and says that its log ends at {last}; no \
                 leader can have made an entry of that term yet"
            ));
        }
        let stood = self.stood.get(&from).filter(|(stood_in, _)| *stood_in == term);
        let Some(&(_, stored)) = stood else { return Ok(()) };
        let may_be_unstored = last > stored && world.server(from).led == Some(last.term);
        if last == stored || may_be_unstored {
            return Ok(());
        }
        Err(format!(
            "{from} asks for votes in term {term} and says that its log ends at {last}, but its \
             stored log ended at {stored} when it voted for itself"
        ))
    }
}
