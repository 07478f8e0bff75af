//! The durable state: the latest vote and snapshot, and the log after it, as encoded records.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api::{Index, Position, ServerId, Term};

use super::Persisted;
use super::frame::{Data, Record};

/// An encoded entry, with its term in plain form. A crash copies the storage and shares the
/// records.
#[derive(Debug, Clone)]
pub(super) struct StoredEntry {
    pub(super) term: Term,
    pub(super) record: Arc<[u8]>,
}

/// One state of the storage.
#[derive(Debug, Clone)]
pub(super) struct Store {
    current_term: Term,
    voted_for: Option<ServerId>,
    vote_record: Arc<[u8]>,
    last_included: Position,
    /// Empty without a snapshot.
    snapshot_record: Arc<[u8]>,
    /// Bytes of the service's data in `snapshot_record`.
    snapshot_size: usize,
    /// The entries after `last_included`, consecutive.
    log: VecDeque<StoredEntry>,
    /// Sum of the records in `log`, in bytes.
    log_size: usize,
}

impl Store {
    /// Makes the storage of a server that has never run.
    pub(super) fn new() -> Store {
        let vote = Record::Vote { current_term: Term(0), voted_for: None };
        Store {
            current_term: Term(0),
            voted_for: None,
            vote_record: vote.encode(&mut Vec::new()),
            last_included: Position::default(),
            snapshot_record: Arc::default(),
            snapshot_size: 0,
            log: VecDeque::new(),
            log_size: 0,
        }
    }

    pub(super) fn vote(&self) -> (Term, Option<ServerId>) {
        (self.current_term, self.voted_for)
    }

    pub(super) fn last_included(&self) -> Position {
        self.last_included
    }

    /// Returns the position of the last entry, in the log or in the snapshot.
    pub(super) fn last(&self) -> Position {
        self.log.back().map_or(self.last_included, |entry| Position {
            term: entry.term,
            index: self.last_included.index.plus(self.log.len()),
        })
    }

    /// Returns the term at `index`, from the snapshot's last entry to the log's last entry.
    pub(super) fn term(&self, index: Index) -> Option<Term> {
        if index == self.last_included.index {
            return Some(self.last_included.term);
        }
        let ahead = index.0.checked_sub(self.last_included.index.0 + 1)?;
        self.log.get(usize::try_from(ahead).ok()?).map(|entry| entry.term)
    }

    pub(super) fn raft_state_size(&self) -> usize {
        self.vote_record.len() + self.log_size
    }

    pub(super) fn snapshot_size(&self) -> usize {
        self.snapshot_size
    }

    pub(super) fn set_vote(
        &mut self,
        current_term: Term,
        voted_for: Option<ServerId>,
        record: Arc<[u8]>,
    ) {
        self.current_term = current_term;
        self.voted_for = voted_for;
        self.vote_record = record;
    }

    /// Drops the entries from `first` on.
    pub(super) fn truncate(&mut self, first: Index) {
        let kept_count = first.0.saturating_sub(self.last_included.index.0 + 1);
        let kept_count = usize::try_from(kept_count).unwrap_or(usize::MAX);
        while self.log.len() > kept_count {
            let dropped = self.log.pop_back();
            self.log_size -= dropped.map_or(0, |entry| entry.record.len());
        }
    }

    /// Adds an entry after the last one.
    pub(super) fn push(&mut self, entry: StoredEntry) {
        self.log_size += entry.record.len();
        self.log.push_back(entry);
    }

    /// Replaces the entries up to `last_included`, or all of them, by a snapshot.
    pub(super) fn set_snapshot(
        &mut self,
        last_included: Position,
        size: usize,
        record: Arc<[u8]>,
        keeps_suffix: bool,
    ) {
        let covered = last_included.index.0.saturating_sub(self.last_included.index.0);
        let covered = usize::try_from(covered).unwrap_or(usize::MAX);
        let dropped_count = if keeps_suffix { covered } else { self.log.len() };
        for dropped in self.log.drain(..dropped_count) {
            self.log_size -= dropped.record.len();
        }
        // A log that was long once must not keep its memory for ever.
        if self.log.capacity() > 64 + 4 * self.log.len() {
            self.log.shrink_to(2 * self.log.len());
        }
        self.last_included = last_included;
        self.snapshot_record = record;
        self.snapshot_size = size;
    }

    /// Returns all records in order, as a file would hold them.
    pub(super) fn export(&self) -> Vec<u8> {
        let has_snapshot = !self.snapshot_record.is_empty();
        let record_count = 1 + u64::from(has_snapshot) + self.log.len() as u64;
        let end = Record::End { record_count }.encode(&mut Vec::new());

        let size = self.raft_state_size() + self.snapshot_record.len() + end.len();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&self.vote_record);
        bytes.extend_from_slice(&self.snapshot_record);
        for entry in &self.log {
            bytes.extend_from_slice(&entry.record);
        }
        bytes.extend_from_slice(&end);
        bytes
    }

    /// Makes the storage that holds `persisted`.
    pub(super) fn import(persisted: &Persisted) -> Store {
        let scratch = &mut Vec::new();
        let Persisted { current_term, voted_for, last_included, .. } = *persisted;
        let mut store = Store::new();
        let vote = Record::Vote { current_term, voted_for };
        store.set_vote(current_term, voted_for, vote.encode(scratch));
        if let Some(data) = &persisted.snapshot {
            let record = Record::Snapshot { last_included, data: Data(data) }.encode(scratch);
            store.set_snapshot(last_included, data.len(), record, false);
        }
        for entry in &persisted.entries {
            let record = Record::entry(entry).encode(scratch);
            store.push(StoredEntry { term: entry.term, record });
        }
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_long_gives_its_room_back() {
        let mut store = Store::new();
        for _ in 0..10_000 {
            store.push(StoredEntry { term: Term(1), record: Arc::default() });
        }
        let last_included = Position { term: Term(1), index: Index(9_990) };
        store.set_snapshot(last_included, 0, Arc::default(), true);
        assert_eq!(store.log.len(), 10);
        assert!(store.log.capacity() < 100, "room for {} entries kept", store.log.capacity());
    }
}
