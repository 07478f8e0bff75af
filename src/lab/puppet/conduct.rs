//! How a puppet answers when the scenario does not answer for it.

use bytes::Bytes;

use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, InstallSnapshotReply,
    RaftRpcRequest, RaftRpcResponse, RequestVoteReply,
};
use crate::api::{Entry, Index, Position, Term};

/// What a puppet does when it is asked for its vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Votes {
    /// Leaves the question for the scenario to answer.
    Hold,
    /// Says no, in the candidate's term.
    Refuse,
    /// Says yes.
    Grant,
}

/// What a puppet does when it is sent entries or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appends {
    /// Leaves every request for the scenario to answer.
    Hold,
    /// Leaves entries and snapshots for the scenario to answer, and answers heartbeats: some
    /// servers send nothing more to a peer that owes them an answer.
    HoldEntries,
    /// Answers as a follower does that has the puppet's log.
    Follow,
}

/// The state of a puppet, as far as it needs any.
#[derive(Debug, Clone)]
pub(super) struct Conduct {
    pub(super) votes: Votes,
    pub(super) appends: Appends,
    pub(super) follower: Follower,
}

impl Conduct {
    pub(super) fn new() -> Conduct {
        let follower = Follower::default();
        Conduct { votes: Votes::Refuse, appends: Appends::HoldEntries, follower }
    }

    fn answers_heartbeat(&self, args: &AppendEntriesArgs) -> bool {
        self.appends == Appends::HoldEntries && args.entries.is_empty()
    }

    /// The answer, unless that is left to the scenario.
    pub(super) fn answer(&mut self, request: &RaftRpcRequest) -> Option<RaftRpcResponse> {
        let follows = self.appends == Appends::Follow;
        match request {
            RaftRpcRequest::RequestVote { args } if self.votes != Votes::Hold => {
                let vote_granted = self.votes == Votes::Grant;
                let reply = RequestVoteReply { term: args.term, vote_granted };
                Some(RaftRpcResponse::RequestVote(reply))
            }
            RaftRpcRequest::AppendEntries { args } if follows || self.answers_heartbeat(args) => {
                Some(RaftRpcResponse::AppendEntries(self.follower.on_append(args)))
            }
            RaftRpcRequest::InstallSnapshot { args } if follows => {
                Some(RaftRpcResponse::InstallSnapshot(self.follower.on_install(args)))
            }
            _ => None,
        }
    }
}

/// A follower's log, and what it says to a leader: Figure 2's rules once more, for puppets.
///
/// Written for reading beside Figure 2 and for nothing else: it stores nothing durably, applies
/// nothing, and believes every leader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Follower {
    /// The entries after the snapshot.
    pub entries: Vec<Entry>,
    /// The last entry that the snapshot covers; 0/0 without one.
    pub last_included: Position,
    /// The state of the snapshot.
    pub snapshot: Bytes,
    /// How often a leader was refused because the logs differ.
    pub refusals: u32,
}

impl Follower {
    /// A follower with `entries` from index 1 on.
    pub fn with_log(entries: Vec<Entry>) -> Follower {
        Follower { entries, ..Follower::default() }
    }

    /// The end of the log.
    pub fn last(&self) -> Position {
        self.entries.last().map_or(self.last_included, Entry::position)
    }

    fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.last_included.index {
            return Some(self.last_included.term);
        }
        self.entries.iter().find(|entry| entry.index == index).map(|entry| entry.term)
    }

    /// Answers an AppendEntries (Figure 2, AppendEntries RPC, steps 2 to 4).
    pub fn on_append(&mut self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        let conflict = self.conflict_at(args.prev_log());
        self.refusals += u32::from(conflict.is_some());
        if conflict.is_none() {
            for entry in &args.entries {
                let covered = entry.index <= self.last_included.index;
                if !covered && self.term_at(entry.index) != Some(entry.term) {
                    self.entries.retain(|kept| kept.index < entry.index);
                    self.entries.push(entry.clone());
                }
            }
        }
        AppendEntriesReply { term: args.term, success: conflict.is_none(), conflict }
    }

    fn conflict_at(&self, prev: Position) -> Option<Conflict> {
        if prev.index < self.last_included.index {
            return None;
        }
        let Some(term) = self.term_at(prev.index) else {
            return Some(Conflict { term: None, index: self.last().index.next() });
        };
        if term == prev.term {
            return None;
        }
        let first = self.entries.iter().find(|entry| entry.term == term);
        Some(Conflict { term: Some(term), index: first.map_or(prev.index, |entry| entry.index) })
    }

    /// Answers an InstallSnapshot (Figure 13, steps 5 to 8).
    pub fn on_install(&mut self, args: &InstallSnapshotArgs) -> InstallSnapshotReply {
        let end = args.last_included();
        if end.index > self.last_included.index {
            let keeps = self.term_at(end.index) == Some(end.term);
            self.entries.retain(|entry| keeps && entry.index > end.index);
            self.last_included = end;
            self.snapshot = args.data.clone();
        }
        InstallSnapshotReply { term: args.term }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{S0, at, entries};
    use super::*;

    fn append(follower: &mut Follower, prev: Position, terms: &[u64]) -> AppendEntriesReply {
        follower.on_append(&AppendEntriesArgs {
            term: Term(9),
            leader_id: S0,
            prev_log_index: prev.index,
            prev_log_term: prev.term,
            entries: entries(prev, terms),
            leader_commit: Index(0),
        })
    }

    fn follower(terms: &[u64]) -> Follower {
        Follower::with_log(entries(at(0, 0), terms))
    }

    #[test]
    fn a_follower_says_where_its_log_parts_from_the_leaders() {
        let mut follower = follower(&[1, 4, 4]);
        let too_short = append(&mut follower, at(6, 5), &[]).conflict;
        assert_eq!(too_short, Some(Conflict { term: None, index: Index(4) }));
        let other_term = append(&mut follower, at(6, 3), &[]).conflict;
        assert_eq!(other_term, Some(Conflict { term: Some(Term(4)), index: Index(2) }));
        assert_eq!(follower.refusals, 2, "both count");
    }

    #[test]
    fn a_follower_replaces_what_conflicts_and_nothing_else() {
        let mut follower = follower(&[1, 1, 1]);
        assert!(append(&mut follower, at(1, 1), &[1]).success, "1/1 is there");
        assert_eq!(follower.last(), at(1, 3), "a shorter request takes nothing back");
        assert!(append(&mut follower, at(1, 1), &[2]).success, "1/1 is there");
        assert_eq!(follower.last(), at(2, 2), "1/2 conflicts, so 1/3 goes, too");
    }

    #[test]
    fn a_follower_keeps_what_follows_a_snapshot_of_its_own_log() {
        let install = |follower: &mut Follower, end: Position| {
            follower.on_install(&InstallSnapshotArgs {
                term: Term(9),
                leader_id: S0,
                last_included_index: end.index,
                last_included_term: end.term,
                data: Bytes::new(),
            });
            follower.last()
        };
        assert_eq!(install(&mut follower(&[1, 1, 1]), at(1, 2)), at(1, 3));
        assert_eq!(install(&mut follower(&[1, 1, 1]), at(2, 2)), at(2, 2));
    }
}
