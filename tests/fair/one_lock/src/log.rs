//! The log in memory: the snapshot's end, and the entries that follow it (§5.3, §7).

use raftlab::api::{Entry, Index, Position, Term};

/// Consecutive entries; the first one follows `base`.
pub struct Log {
    base: Position,
    entries: Vec<Entry>,
}

impl Log {
    pub fn new(base: Position, entries: Vec<Entry>) -> Log {
        Log { base, entries }
    }

    /// The last entry that the snapshot covers; 0/0 without one.
    pub fn base(&self) -> Position {
        self.base
    }

    /// The end of the log, which may be the snapshot's end.
    pub fn last(&self) -> Position {
        self.entries.last().map_or(self.base, Entry::position)
    }

    /// The position of `index` in `entries`; only for an index after the snapshot.
    fn slot(&self, index: Index) -> usize {
        (index.0 - self.base.index.0 - 1) as usize
    }

    /// The term at `index`; `None` beyond the log's end and inside the snapshot.
    pub fn term(&self, index: Index) -> Option<Term> {
        if index <= self.base.index {
            return (index == self.base.index).then_some(self.base.term);
        }
        self.entries.get(self.slot(index)).map(|entry| entry.term)
    }

    /// At most `limit` entries from `index` on, which follows the snapshot or a later entry.
    pub fn slice(&self, index: Index, limit: usize) -> &[Entry] {
        let rest = self.entries.get(self.slot(index)..).unwrap_or_default();
        &rest[..rest.len().min(limit)]
    }

    /// Appends the next entry of a leader of `term`.
    pub fn push(&mut self, term: Term, data: raftlab::api::Bytes) -> &Entry {
        let index = self.last().index.next();
        self.entries.push(Entry { term, index, data });
        &self.entries[self.entries.len() - 1]
    }

    /// The index from which a leader should send, if it has `prev` and we do not; `None` if we do.
    ///
    /// That is the index after our last entry if our log is too short. Otherwise it is the first
    /// index of the term that we have at `prev`: one refusal per term, not per entry (end of §5.3).
    pub fn missing(&self, prev: Position) -> Option<Index> {
        if prev.index > self.last().index {
            return Some(self.last().index.next());
        }
        // A snapshot covers committed entries, so every later leader has the same entries there.
        if prev.index <= self.base.index || self.term(prev.index) == Some(prev.term) {
            return None;
        }
        let ours = self.term(prev.index);
        let mut first = prev.index;
        while first.prev() > self.base.index && self.term(first.prev()) == ours {
            first = first.prev();
        }
        Some(first)
    }

    /// Appends the new ones of `entries`, which follow an entry that we have, and returns them.
    ///
    /// Only an entry that differs shortens the log: a late message with entries that we have must
    /// not cut off those that came after it (AppendEntries, steps 3 and 4).
    pub fn merge(&mut self, entries: Vec<Entry>) -> &[Entry] {
        let known = |entry: &Entry| {
            entry.index <= self.base.index || self.term(entry.index) == Some(entry.term)
        };
        let Some(first) = entries.iter().position(|entry| !known(entry)) else { return &[] };
        let kept = self.slot(entries[first].index);
        self.entries.truncate(kept);
        self.entries.extend(entries.into_iter().skip(first));
        &self.entries[kept..]
    }

    /// Drops the entries that a snapshot up to `end` covers, and all others too if our entry there
    /// is not the snapshot's (InstallSnapshot, steps 6 and 7).
    pub fn cover(&mut self, end: Position) {
        if self.term(end.index) == Some(end.term) {
            self.entries.drain(..=self.slot(end.index));
        } else {
            self.entries.clear();
        }
        self.base = end;
    }
}
