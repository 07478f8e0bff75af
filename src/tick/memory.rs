//! A disk that is only memory, for tests, benchmarks and a first reading.

use std::collections::VecDeque;

use bytes::Bytes;

use super::storage::{ConfState, HardState, Snapshot, Storage, StorageError};
use crate::api::{Entry, Index, Position, Term};

/// A [`Storage`] that keeps everything in memory.
///
/// ```text
///  snapshot.position   compacted   first_index         last_index
///         │                │           │                   │
///         ▼                ▼           ▼                   ▼
///  ───────┴────────────────┤  entries  ████████████████████
/// ```
///
/// If the log is compacted further than the snapshot reaches, a follower that needs the compacted
/// entries is sent no snapshot until there is a newer one.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    hard_state: HardState,
    snapshot: Snapshot,
    conf_state: ConfState,
    compacted: Position,
    entries: VecDeque<Entry>,
}

impl MemoryStorage {
    /// An empty disk: term 0, no entry, no member.
    pub fn new() -> MemoryStorage {
        MemoryStorage::default()
    }

    /// Stores term, vote and commit index.
    pub fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    /// Stores the members of the cluster.
    pub fn set_conf_state(&mut self, conf_state: ConfState) {
        self.conf_state = conf_state;
    }

    /// Stores `entries`; they replace everything from the first one's index on.
    ///
    /// Entries that are compacted already are skipped.
    ///
    /// # Panics
    /// If there would be a gap after the last entry kept.
    pub fn append(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let first = self.first_index();
        let mut entries = entries.into_iter().skip_while(|entry| entry.index < first).peekable();
        let Some(start) = entries.peek().map(|entry| entry.index) else { return };
        assert!(
            start <= self.last_index().next(),
            "an append at {start} leaves a gap after {}",
            self.last_index(),
        );
        self.entries.truncate(self.offset(start));
        self.entries.extend(entries);
    }

    /// Replaces the log and the members by a snapshot.
    ///
    /// # Errors
    /// [`StorageError::SnapOutOfDate`] if the stored one is at least as new: nothing changes.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot) -> Result<(), StorageError> {
        if snapshot.position.index <= self.snapshot.position.index {
            return Err(StorageError::SnapOutOfDate);
        }
        self.compacted = snapshot.position;
        self.conf_state = snapshot.conf_state.clone();
        self.entries.clear();
        self.snapshot = snapshot;
        Ok(())
    }

    /// Makes a snapshot of the state after entry `index`. The log stays as it is.
    ///
    /// # Errors
    /// [`StorageError::SnapOutOfDate`] if the stored one reaches as far,
    /// [`StorageError::Unavailable`] if the log does not reach that far: nothing changes.
    pub fn create_snapshot(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: Bytes,
    ) -> Result<(), StorageError> {
        if index <= self.snapshot.position.index {
            return Err(StorageError::SnapOutOfDate);
        }
        let position = Position { term: self.term(index)?, index };
        self.conf_state = conf_state.clone();
        self.snapshot = Snapshot { position, conf_state, data };
        Ok(())
    }

    /// Drops the entries up to `index`; the term of the last one stays known.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] if they are compacted already.
    ///
    /// # Panics
    /// If the log does not reach that far.
    pub fn compact(&mut self, index: Index) -> Result<(), StorageError> {
        if index <= self.compacted.index {
            return Err(StorageError::Compacted);
        }
        assert!(
            index <= self.last_index(),
            "compacting to {index}, but the log ends at {}",
            self.last_index(),
        );
        self.compacted = Position { term: self.term(index)?, index };
        let kept = self.entries.partition_point(|entry| entry.index <= index);
        self.entries.drain(..kept);
        Ok(())
    }

    /// The offset of the entry at `index`, present or not; it must not be compacted.
    fn offset(&self, index: Index) -> usize {
        usize::try_from(index.0 - self.first_index().0).expect("the log fits memory")
    }
}

impl Storage for MemoryStorage {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        Ok((self.hard_state, self.conf_state.clone()))
    }

    fn entries(&self, first: Index, end: Index) -> Result<Vec<Entry>, StorageError> {
        if first < self.first_index() {
            return Err(StorageError::Compacted);
        }
        if end > self.last_index().next() {
            return Err(StorageError::Unavailable);
        }
        let end = self.offset(end.max(first));
        Ok(self.entries.range(self.offset(first)..end).cloned().collect())
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        if index == self.compacted.index {
            return Ok(self.compacted.term);
        }
        if index < self.compacted.index {
            return Err(StorageError::Compacted);
        }
        let entry = self.entries.get(self.offset(index)).ok_or(StorageError::Unavailable)?;
        Ok(entry.term)
    }

    fn first_index(&self) -> Index {
        self.compacted.index.next()
    }

    fn last_index(&self) -> Index {
        self.compacted.index.plus(self.entries.len())
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        let behind = self.snapshot.position.index < self.compacted.index;
        if behind || self.snapshot.position.index == Index(0) {
            return Err(StorageError::SnapshotTemporarilyUnavailable);
        }
        Ok(self.snapshot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(term: u64, index: u64) -> Entry {
        Entry { term: Term(term), index: Index(index), data: Bytes::new() }
    }

    /// Entries 4/4, 5/5, 6/6 after a compaction up to 3/3.
    fn compacted() -> MemoryStorage {
        let mut storage = MemoryStorage::new();
        storage.append((1..=6).map(|index| entry(index, index)));
        storage.compact(Index(3)).unwrap();
        storage
    }

    #[test]
    fn terms_are_known_from_the_compacted_entry_to_the_last() {
        let terms: Vec<_> = (2..=7).map(|index| compacted().term(Index(index))).collect();
        let known = |term| Ok(Term(term));
        let (gone, beyond) = (Err(StorageError::Compacted), Err(StorageError::Unavailable));
        assert_eq!(terms, [gone, known(3), known(4), known(5), known(6), beyond]);
    }

    #[test]
    fn entries_are_half_open_and_bounded_by_what_is_kept() {
        let read = |first, end| compacted().entries(Index(first), Index(end));
        assert_eq!(read(4, 6), Ok(vec![entry(4, 4), entry(5, 5)]));
        assert_eq!(read(5, 5), Ok(vec![]));
        assert_eq!(read(3, 5), Err(StorageError::Compacted));
        assert_eq!(read(4, 8), Err(StorageError::Unavailable));
    }

    #[test]
    fn an_append_replaces_what_stands_there_and_passes_over_what_is_gone() {
        let mut storage = compacted();
        storage.append([entry(9, 3), entry(9, 4), entry(9, 5)]);
        assert_eq!(storage.last_index(), Index(5));
        assert_eq!((storage.term(Index(3)), storage.term(Index(5))), (Ok(Term(3)), Ok(Term(9))));
        storage.append([entry(1, 2), entry(1, 3)]);
        assert_eq!(storage.last_index(), Index(5), "all of them are compacted: nothing to do");
    }

    #[test]
    #[should_panic(expected = "leaves a gap")]
    fn an_append_after_a_gap_is_refused() {
        compacted().append([entry(9, 8)]);
    }

    #[test]
    fn a_snapshot_only_moves_forward() {
        let mut storage = compacted();
        let made = |storage: &mut MemoryStorage, index| {
            storage.create_snapshot(Index(index), ConfState::default(), Bytes::new())
        };
        assert_eq!(storage.snapshot(), Err(StorageError::SnapshotTemporarilyUnavailable));
        assert_eq!(made(&mut storage, 7), Err(StorageError::Unavailable));
        assert_eq!(made(&mut storage, 5), Ok(()));
        assert_eq!(made(&mut storage, 5), Err(StorageError::SnapOutOfDate));
        let old = storage.snapshot().unwrap();
        assert_eq!(storage.apply_snapshot(old), Err(StorageError::SnapOutOfDate));
        let position = Position { term: Term(8), index: Index(9) };
        storage.apply_snapshot(Snapshot { position, ..Snapshot::default() }).unwrap();
        assert_eq!((storage.first_index(), storage.last_index()), (Index(10), Index(9)));
        assert_eq!(storage.term(Index(9)), Ok(Term(8)));
    }

    #[test]
    fn a_snapshot_behind_the_compaction_is_not_offered() {
        let mut storage = compacted();
        storage.create_snapshot(Index(4), ConfState::default(), Bytes::new()).unwrap();
        assert!(storage.snapshot().is_ok(), "it reaches the entries kept");
        storage.compact(Index(5)).unwrap();
        assert_eq!(storage.snapshot(), Err(StorageError::SnapshotTemporarilyUnavailable));
    }

    #[test]
    fn compaction_goes_forward_only() {
        assert_eq!(compacted().compact(Index(3)), Err(StorageError::Compacted));
    }

    #[test]
    #[should_panic(expected = "but the log ends at 6")]
    fn compaction_beyond_the_log_is_refused() {
        let _ = compacted().compact(Index(7));
    }
}
