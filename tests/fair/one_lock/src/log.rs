//! The log in memory: what follows the snapshot, and the place where the snapshot ends (§5.3, §7).

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

    /// The end of the log, which may be the snapshot's.
    pub fn last(&self) -> Position {
        self.entries.last().map_or(self.base, Entry::position)
    }

    /// Where `index` is in `entries`; only for an index after the snapshot.
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

    /// The next entry of a leader of `term`.
    pub fn push(&mut self, term: Term, data: raftlab::api::Bytes) -> &Entry {
        let index = self.last().index.next();
        self.entries.push(Entry { term, index, data });
        &self.entries[self.entries.len() - 1]
    }

    /// From where a leader should send if it has `prev` and we do not; `None` if we have it.
    ///
    /// That is the end of our log if it is too short, and otherwise the first index of the term
    /// that we have there: one refusal for each term, not for each entry (end of §5.3).
    pub fn missing(&self, prev: Position) -> Option<Index> {
        if prev.index > self.last().index {
            return Some(self.last().index.next());
        }
        // What a snapshot covers is committed, so every later leader has the very same there.
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

    /// Takes what is new in `entries`, which follow an entry that we have, and returns it.
    ///
    /// Only an entry that differs makes the log shorter: a late message with entries that we have
    /// must not cut off those that came after it (AppendEntries, steps 3 and 4).
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

    /// Drops what a snapshot up to `end` covers, and all the rest too if it does not follow `end`
    /// (InstallSnapshot, steps 6 and 7).
    pub fn cover(&mut self, end: Position) {
        if self.term(end.index) == Some(end.term) {
            self.entries.drain(..=self.slot(end.index));
        } else {
            self.entries.clear();
        }
        self.base = end;
    }
}
