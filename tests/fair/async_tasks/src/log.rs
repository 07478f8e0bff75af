//! The log in memory: a snapshot's last entry, and the entries after it (§7).

use raftlab::api::raft_rpc::Conflict;
use raftlab::api::{Entry, Index, Position, Term};

pub struct Log {
    /// The last entry that the snapshot covers; 0/0 without one.
    base: Position,
    /// Consecutive; the first one follows `base`.
    entries: Vec<Entry>,
}

impl Log {
    pub fn new(base: Position, entries: Vec<Entry>) -> Log {
        Log { base, entries }
    }

    pub fn base(&self) -> Position {
        self.base
    }

    pub fn last(&self) -> Position {
        self.entries.last().map_or(self.base, Entry::position)
    }

    /// The number of entries up to `index`; only for an index that is not before the base.
    fn count_to(&self, index: Index) -> usize {
        (index.0 - self.base.index.0) as usize
    }

    /// The term at `index`; `None` beyond the end, and before the base, where entries are gone.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index <= self.base.index {
            return (index == self.base.index).then_some(self.base.term);
        }
        self.entries.get(self.count_to(index) - 1).map(|entry| entry.term)
    }

    /// Up to `most` entries from `first` on, which is after the base.
    pub fn copy(&self, first: Index, most: usize) -> Vec<Entry> {
        self.entries.iter().skip(self.count_to(first) - 1).take(most).cloned().collect()
    }

    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Appends the new ones of a leader's `entries`, which follow an entry that we have.
    ///
    /// Returns the new ones. "If an existing entry conflicts with a new one, delete the existing
    /// entry and all that follow it; append any new entries not already in the log" (Figure 2): an
    /// entry that agrees stays, with all that follow it, since the message may be an old one.
    pub fn merge<'a>(&mut self, entries: &'a [Entry]) -> &'a [Entry] {
        // The snapshot covers committed entries, which are the same here and on the leader.
        let known = |entry: &Entry| {
            entry.index <= self.base.index || self.term_at(entry.index) == Some(entry.term)
        };
        let fresh = &entries[entries.iter().take_while(|entry| known(entry)).count()..];
        if let Some(first) = fresh.first() {
            self.entries.truncate(self.count_to(first.index) - 1);
            self.entries.extend_from_slice(fresh);
        }
        fresh
    }

    /// Drops the entries that a snapshot up to `base` covers. Keeps those after it if our entry at
    /// `base` is the snapshot's; otherwise drops them too (Figure 13, steps 6 and 7).
    pub fn rebase(&mut self, base: Position) {
        if self.term_at(base.index) == Some(base.term) {
            self.entries.drain(..self.count_to(base.index));
        } else {
            self.entries.clear();
        }
        self.base = base;
    }

    /// Returns why a follower cannot accept entries after `prev` (§5.3); `None` if it can.
    pub fn conflict_at(&self, prev: Position) -> Option<Conflict> {
        if prev.index < self.base.index {
            // The snapshot covers it, so it is committed, and the leader has it too (§5.4.3).
            return None;
        }
        let Some(term) = self.term_at(prev.index) else {
            return Some(Conflict { term: None, index: self.last().index.next() });
        };
        if term == prev.term {
            return None;
        }
        // Terms never decrease along a log.
        let older = self.entries.partition_point(|entry| entry.term < term);
        Some(Conflict { term: Some(term), index: self.base.index.plus(older + 1) })
    }

    /// Returns the leader's next index after a follower refused entries after `prev` (§5.3).
    ///
    /// If the leader has entries of the follower's term, the logs may agree up to the last of them;
    /// if it has none, the follower must drop all its entries of that term.
    pub fn next_after_refusal(&self, prev: Index, conflict: Option<Conflict>) -> Index {
        let next = match conflict {
            None => prev,
            Some(Conflict { term: None, index }) => index,
            Some(Conflict { term: Some(term), index }) => {
                let count = self.entries.partition_point(|entry| entry.term <= term);
                let last = self.base.index.plus(count);
                if self.term_at(last) == Some(term) { last.next() } else { index }
            }
        };
        // Always at least one step back, and never before the first entry.
        next.min(prev).max(Index(1))
    }
}
