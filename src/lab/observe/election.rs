//! The rules for leaders: one per term, and none without a majority of votes.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::leads_in;
use super::observer::{Judged, Observer, Sent};
use super::world::{Handling, World};
use crate::api::{ServerId, Term};
use crate::lab::Facts;

/// "At most one leader can be elected in a given term" (Figure 3; Raft §5.2).
#[derive(Default)]
pub(super) struct ElectionSafety {
    leaders: BTreeMap<Term, ServerId>,
    /// The leader that sent the last message.
    latest: Option<(Term, ServerId)>,
}

impl Observer for ElectionSafety {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, _: &World) -> Judged {
        let Some(term) = leads_in(facts) else { return Ok(()) };
        if self.latest.replace((term, from)) == Some((term, from)) {
            return Ok(());
        }
        let leader = *self.leaders.entry(term).or_insert(from);
        if leader != from {
            return Err(format!("{leader} and {from} both act as leader of term {term}"));
        }
        Ok(())
    }
}

/// "A candidate wins an election if it receives votes from a majority of the servers in the full
/// cluster for the same term" (Raft §5.2): no server leads without a majority of votes.
///
/// A vote counts from the moment when it leaves the voter, whether or not it arrives.
#[derive(Default)]
pub(super) struct ElectedByMajority {
    voters: BTreeMap<(Term, ServerId), BTreeSet<ServerId>>,
    elected: BTreeSet<(Term, ServerId)>,
    /// The leader that sent the last message.
    latest: Option<(Term, ServerId)>,
}

impl Observer for ElectedByMajority {
    fn sent(&mut self, Sent { from, to, facts }: Sent<'_>, world: &World) -> Judged {
        // A design may send a vote as a call, not as a reply.
        if let Facts::VoteReply { term, granted: true } = facts {
            self.voters.entry((*term, to)).or_default().insert(from);
        }
        let Some(term) = leads_in(facts) else { return Ok(()) };
        let acts = (term, from);
        if self.latest.replace(acts) != Some(acts) && self.elected.insert(acts) {
            return self.judge(term, from, world.quorum());
        }
        Ok(())
    }

    fn answered(&mut self, by: ServerId, handling: &Handling, reply: &Facts, _: &World) -> Judged {
        if let Facts::VoteReply { term, granted: true } = reply {
            self.voters.entry((*term, handling.from)).or_default().insert(by);
        }
        Ok(())
    }
}

impl ElectedByMajority {
    fn judge(&mut self, term: Term, leader: ServerId, quorum: usize) -> Judged {
        let voters = self.voters.entry((term, leader)).or_default();
        voters.remove(&leader);
        if voters.len() + 1 >= quorum {
            return Ok(());
        }
        let given: Vec<String> = voters.iter().map(ServerId::to_string).collect();
        let given = if given.is_empty() { "no other server".to_string() } else { given.join(", ") };
        Err(format!(
            "{leader} acts as leader of term {term}, in which {given} voted for it; a majority is \
             {quorum}, its own vote included"
        ))
    }
}
