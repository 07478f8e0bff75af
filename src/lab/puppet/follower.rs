//! The state of a puppet: one server's term, vote and log, which determine all its replies.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, InstallSnapshotReply,
    RequestVoteArgs, RequestVoteReply,
};
use crate::api::{Entry, Index, Position, ServerId, Term};

/// A server as its peers see it: the receivers of Figures 2 and 13, written again for puppets.
///
/// The code is meant to be read next to the figures. It stores nothing durably, applies nothing and
/// starts no election. A scenario may set its log ([`Stage::has_log`](super::Stage::has_log))
/// and its term ([`Stage::learns_of`](super::Stage::learns_of)); all other changes follow from the
/// calls that it receives or makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Follower {
    /// The latest term that it knows of.
    pub term: Term,
    /// The candidate that got its vote in that term.
    pub voted_for: Option<ServerId>,
    /// The entries after the snapshot.
    pub entries: Vec<Entry>,
    /// The last entry that the snapshot covers; 0/0 without one.
    pub last_included: Position,
    /// The content of the snapshot.
    pub snapshot: Bytes,
    /// The indices after which it refused entries: its log had another entry or none at that index.
    ///
    /// This is a set of indices and no count of calls: a leader may have several calls in flight
    /// when the first refusal comes.
    pub refused_after: BTreeSet<Index>,
}

impl Follower {
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

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T" (Figure 2,
    /// Rules for Servers, All Servers).
    pub fn learns_of(&mut self, term: Term) {
        if term > self.term {
            self.term = term;
            self.voted_for = None;
        }
    }

    /// Becomes a candidate in `term`, as `me`.
    pub fn stands(&mut self, me: ServerId, term: Term) {
        self.learns_of(term);
        if term == self.term {
            self.voted_for = Some(me);
        }
    }

    /// Becomes leader in `term`, as `me`, with `entries` after `prev` in its own log.
    pub fn leads(&mut self, me: ServerId, term: Term, prev: Position, entries: &[Entry]) {
        self.stands(me, term);
        if term == self.term && self.conflict_at(prev).is_none() {
            self.append_new(entries);
        }
    }

    /// Answers a RequestVote (Figure 2, RequestVote RPC).
    ///
    /// A follower that is not `willing` votes for itself, unless it has already voted in that term.
    pub fn on_vote(
        &mut self,
        me: ServerId,
        args: &RequestVoteArgs,
        willing: bool,
    ) -> RequestVoteReply {
        self.learns_of(args.term);
        let current = args.term == self.term;
        if current && !willing {
            self.voted_for.get_or_insert(me);
        }
        let last = self.last();
        let up_to_date = (args.last_log_term, args.last_log_index) >= (last.term, last.index);
        let free = self.voted_for.is_none_or(|candidate| candidate == args.candidate_id);
        let vote_granted = current && up_to_date && free;
        if vote_granted {
            self.voted_for = Some(args.candidate_id);
        }
        RequestVoteReply { term: self.term, vote_granted }
    }

    /// Answers an AppendEntries (Figure 2, AppendEntries RPC, steps 1 to 4).
    pub fn on_append(&mut self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        self.learns_of(args.term);
        if args.term < self.term {
            return AppendEntriesReply { term: self.term, success: false, conflict: None };
        }
        let conflict = self.conflict_at(args.prev_log());
        if conflict.is_some() {
            self.refused_after.insert(args.prev_log_index);
        } else {
            self.append_new(&args.entries);
        }
        AppendEntriesReply { term: self.term, success: conflict.is_none(), conflict }
    }

    fn append_new(&mut self, entries: &[Entry]) {
        for entry in entries {
            let covered = entry.index <= self.last_included.index;
            if !covered && self.term_at(entry.index) != Some(entry.term) {
                self.entries.retain(|kept| kept.index < entry.index);
                self.entries.push(entry.clone());
            }
        }
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

    /// Answers an InstallSnapshot (Figure 13, steps 1 and 5 to 8).
    pub fn on_install(&mut self, args: &InstallSnapshotArgs) -> InstallSnapshotReply {
        self.learns_of(args.term);
        let end = args.last_included();
        if args.term == self.term && end.index > self.last_included.index {
            let keeps = self.term_at(end.index) == Some(end.term);
            self.entries.retain(|entry| keeps && entry.index > end.index);
            self.last_included = end;
            self.snapshot = args.data.clone();
        }
        InstallSnapshotReply { term: self.term }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{S0, S1, at, entries};
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
        Follower { entries: entries(at(0, 0), terms), ..Follower::default() }
    }

    fn vote(follower: &mut Follower, term: u64, last: Position, willing: bool) -> bool {
        let args = RequestVoteArgs {
            term: Term(term),
            candidate_id: S0,
            last_log_index: last.index,
            last_log_term: last.term,
        };
        follower.on_vote(S1, &args, willing).vote_granted
    }

    #[test]
    fn a_follower_says_where_its_log_parts_from_the_leaders() {
        let mut follower = follower(&[1, 4, 4]);
        let too_short = append(&mut follower, at(6, 5), &[]).conflict;
        assert_eq!(too_short, Some(Conflict { term: None, index: Index(4) }));
        let other_term = append(&mut follower, at(6, 3), &[]).conflict;
        assert_eq!(other_term, Some(Conflict { term: Some(Term(4)), index: Index(2) }));
        append(&mut follower, at(6, 3), &[]);
        assert_eq!(follower.refused_after.len(), 2, "two indices, one of them twice");
    }

    #[test]
    fn a_follower_replaces_what_conflicts_and_nothing_else() {
        let mut follower = follower(&[1, 1, 1]);
        assert!(append(&mut follower, at(1, 1), &[1]).success, "1/1 is there");
        assert_eq!(follower.last(), at(1, 3), "a shorter request deletes nothing");
        assert!(append(&mut follower, at(1, 1), &[2]).success, "1/1 is there");
        assert_eq!(follower.last(), at(2, 2), "1/2 conflicts, so 1/3 is deleted too");
    }

    #[test]
    fn a_follower_obeys_no_older_leader() {
        let mut follower = follower(&[1]);
        follower.learns_of(Term(10));
        let reply = append(&mut follower, at(1, 1), &[9]);
        assert_eq!((reply.term, reply.success, reply.conflict), (Term(10), false, None));
        assert_eq!(follower.last(), at(1, 1), "the request changes nothing");
    }

    #[test]
    fn a_follower_votes_once_a_term_and_for_no_shorter_log() {
        let mut follower = follower(&[1, 1]);
        assert!(!vote(&mut follower, 2, at(1, 1), true), "its own log is longer");
        assert!(vote(&mut follower, 2, at(1, 2), true), "the vote was free");
        assert!(vote(&mut follower, 2, at(1, 2), false), "the same vote is given again");
        assert!(!vote(&mut follower, 3, at(1, 2), false), "another server has the vote");
        assert!(!vote(&mut follower, 3, at(1, 2), true), "it has the vote for the whole term");
        assert!(!vote(&mut follower, 2, at(1, 2), true), "term 2 is over");
        follower.stands(S1, Term(4));
        assert!(!vote(&mut follower, 4, at(1, 2), true), "it is a candidate itself");
    }

    #[test]
    fn a_leader_has_what_it_sends() {
        let mut leader = follower(&[1]);
        leader.leads(S1, Term(5), at(1, 1), &entries(at(1, 1), &[5]));
        assert_eq!(leader.last(), at(5, 2));
        leader.leads(S1, Term(6), at(3, 2), &entries(at(3, 2), &[6]));
        assert_eq!(leader.last(), at(5, 2), "its log lacks 3/2, the entry before 6/3");
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
