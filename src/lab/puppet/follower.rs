//! The state of a puppet: its term, votes and log, from which `conduct.rs` makes its replies.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use bytes::Bytes;

use crate::api::raft_rpc::Conflict;
use crate::api::{Entry, Index, Position, ServerId, Term};

/// A server as its peers see it: what it knows decides what it replies, as Figures 2 and 13 say.
///
/// It is a model that states the rules for its replies. It has no log that changes: it remembers
/// all that it was ever told, each entry with the one before it. By the Log Matching Property
/// (§5.3), the last entry alone then says which of these are its log. It remembers each vote that
/// it gave. It stores nothing durably, applies nothing and starts no election.
///
/// A scenario may set its log ([`Stage::has_log`](super::Stage::has_log)) and its term
/// ([`Stage::learns_of`](super::Stage::learns_of)); all other changes follow from the calls that it
/// receives or makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Follower {
    /// The latest term that it knows of.
    term: Term,
    /// The candidates that got its votes.
    votes: BTreeMap<Term, ServerId>,
    /// All entries that it was told, each with the position before it.
    told: BTreeMap<Position, (Position, Entry)>,
    /// The last entry of its log.
    end: Position,
    /// The last entry that the snapshot covers; 0/0 without one.
    last_included: Position,
    /// The content of the snapshot.
    snapshot: Bytes,
    /// The indices after which it refused entries: its log had another entry or none at that index.
    ///
    /// This is a set of indices and no count of calls: a leader may have several calls in flight
    /// when the first refusal comes.
    pub(super) refused_after: BTreeSet<Index>,
}

impl Follower {
    /// The latest term that it knows of.
    pub(super) fn term(&self) -> Term {
        self.term
    }

    /// The end of the log.
    pub(super) fn last(&self) -> Position {
        self.end
    }

    /// The entries of its log after the snapshot.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |at: Position| Some(self.told.get(&at)?.1.clone());
        let mut entries: Vec<Entry> = self.backwards().filter_map(entry).collect();
        entries.reverse();
        entries
    }

    /// The positions of its log, from its end back to the last entry that the snapshot covers.
    fn backwards(&self) -> impl Iterator<Item = Position> {
        let before = |at: &Position| {
            let (before, _) = self.told.get(at).filter(|_| !self.covers(*at))?;
            // S0 may be wrong, and send entries in any order.
            Some(*before).filter(|before| before.index < at.index)
        };
        iter::successors(Some(self.end), before)
    }

    fn covers(&self, position: Position) -> bool {
        position.index <= self.last_included.index
    }

    fn has(&self, position: Position) -> bool {
        let mut from_there = self.backwards().skip_while(|at| at.index > position.index);
        from_there.next() == Some(position)
    }

    /// Its log is `entries`, without a snapshot, and begins at index 1. Its term and votes stay.
    pub(super) fn has_log(&mut self, entries: &[Entry]) {
        let (term, votes) = (self.term, std::mem::take(&mut self.votes));
        *self = Follower { term, votes, ..Follower::default() };
        self.is_told(Position::default(), entries);
    }

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T" (Figure 2,
    /// Rules for Servers, All Servers).
    pub(super) fn learns_of(&mut self, term: Term) {
        self.term = self.term.max(term);
    }

    /// Gives `candidate` its vote in the present term, unless another has it. Returns whether the
    /// candidate has it.
    fn gives(&mut self, candidate: ServerId) -> bool {
        *self.votes.entry(self.term).or_insert(candidate) == candidate
    }

    /// Becomes a candidate in `term`, as `me`.
    pub(super) fn stands(&mut self, me: ServerId, term: Term) {
        self.learns_of(term);
        if term == self.term {
            self.votes.insert(term, me);
        }
    }

    /// Becomes leader in `term`, as `me`, with `entries` after `prev` in its own log.
    pub(super) fn leads(&mut self, me: ServerId, term: Term, prev: Position, entries: &[Entry]) {
        self.stands(me, term);
        if term == self.term && self.conflict_at(prev).is_none() {
            self.is_told(prev, entries);
        }
    }

    /// Whether `candidate` has its vote in `term`; it gives the vote if it may (Figure 2,
    /// RequestVote). `last` is the end of the candidate's log.
    pub(super) fn votes_for(&mut self, candidate: ServerId, term: Term, last: Position) -> bool {
        self.learns_of(term);
        term == self.term && last >= self.end && self.gives(candidate)
    }

    /// Votes for itself, as `me`, if `term` is not over and it has not voted in it.
    pub(super) fn keeps_its_vote(&mut self, me: ServerId, term: Term) {
        self.learns_of(term);
        if term == self.term {
            self.gives(me);
        }
    }

    /// Hears a leader of `term` that has `entries` after `prev` (Figure 2, AppendEntries). Returns
    /// whether its own log now has all of them; `None`: that leader is deposed.
    pub(super) fn hears(
        &mut self,
        term: Term,
        prev: Position,
        entries: &[Entry],
    ) -> Option<Result<(), Conflict>> {
        self.learns_of(term);
        (term == self.term).then(|| match self.conflict_at(prev) {
            Some(conflict) => {
                self.refused_after.insert(prev.index);
                Err(conflict)
            }
            None => {
                self.is_told(prev, entries);
                Ok(())
            }
        })
    }

    /// A leader has `entries` after `before`. The last one that is not in its log becomes its end.
    fn is_told(&mut self, before: Position, entries: &[Entry]) {
        let befores = iter::once(before).chain(entries.iter().map(Entry::position));
        for (before, entry) in befores.zip(entries) {
            let position = entry.position();
            if !self.covers(position) && !self.has(position) {
                self.end = position;
                self.told.insert(self.end, (before, entry.clone()));
            }
        }
    }

    /// Where its log parts from one that has `prev`; `None` if it does not.
    fn conflict_at(&self, prev: Position) -> Option<Conflict> {
        if prev.index < self.last_included.index || self.has(prev) {
            return None;
        }
        let own = self.backwards().find(|at| at.index == prev.index);
        Some(match own {
            None => Conflict { term: None, index: self.end.index.next() },
            Some(own) => {
                let alike = |at: &Position| at.term == own.term && !self.covers(*at);
                let first = self.backwards().filter(alike).last().unwrap_or(own);
                Conflict { term: Some(own.term), index: first.index }
            }
        })
    }

    /// Takes the snapshot of a leader of `term` up to `covered` (Figure 13).
    pub(super) fn takes(&mut self, term: Term, covered: Position, snapshot: Bytes) {
        self.learns_of(term);
        if term == self.term && !self.covers(covered) {
            if !self.has(covered) {
                self.end = covered;
            }
            (self.last_included, self.snapshot) = (covered, snapshot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{S0, S1, at, entries};
    use super::*;

    fn append(follower: &mut Follower, prev: Position, terms: &[u64]) -> Result<(), Conflict> {
        follower.hears(Term(9), prev, &entries(prev, terms)).expect("9 is the latest term")
    }

    fn follower(terms: &[u64]) -> Follower {
        let mut follower = Follower::default();
        follower.has_log(&entries(at(0, 0), terms));
        follower
    }

    fn vote(follower: &mut Follower, term: u64, last: Position, willing: bool) -> bool {
        if !willing {
            follower.keeps_its_vote(S1, Term(term));
        }
        follower.votes_for(S0, Term(term), last)
    }

    #[test]
    fn a_follower_says_where_its_log_parts_from_the_leaders() {
        let mut follower = follower(&[1, 4, 4]);
        let too_short = append(&mut follower, at(6, 5), &[]).unwrap_err();
        assert_eq!(too_short, Conflict { term: None, index: Index(4) });
        let other_term = append(&mut follower, at(6, 3), &[]).unwrap_err();
        assert_eq!(other_term, Conflict { term: Some(Term(4)), index: Index(2) });
        let _ = append(&mut follower, at(6, 3), &[]);
        assert_eq!(follower.refused_after.len(), 2, "two indices, one of them twice");
    }

    #[test]
    fn a_follower_replaces_what_conflicts_and_nothing_else() {
        let mut follower = follower(&[1, 1, 1]);
        assert!(append(&mut follower, at(1, 1), &[1]).is_ok(), "1/1 is there");
        assert_eq!(follower.last(), at(1, 3), "a shorter request deletes nothing");
        assert!(append(&mut follower, at(1, 1), &[2]).is_ok(), "1/1 is there");
        assert_eq!(follower.last(), at(2, 2), "1/2 conflicts, so 1/3 is deleted too");
    }

    #[test]
    fn a_leader_that_sends_entries_in_no_order_is_answered() {
        let mut follower = follower(&[1]);
        let of = |index: u64| entries(at(1, index - 1), &[9]).remove(0);
        follower.leads(S1, Term(9), at(1, 1), &[of(3), of(2), of(3), of(2), of(3)]);
        assert!(append(&mut follower, at(9, 1), &[]).is_err(), "the log is no circle");
    }

    #[test]
    fn a_follower_obeys_no_older_leader() {
        let mut follower = follower(&[1]);
        follower.learns_of(Term(10));
        let heard = follower.hears(Term(9), at(1, 1), &entries(at(1, 1), &[9]));
        assert_eq!((follower.term(), heard), (Term(10), None));
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
            follower.takes(Term(9), end, Bytes::new());
            follower.last()
        };
        assert_eq!(install(&mut follower(&[1, 1, 1]), at(1, 2)), at(1, 3));
        assert_eq!(install(&mut follower(&[1, 1, 1]), at(2, 2)), at(2, 2));
    }
}
