//! The disk that the crate reads: a copy in memory of what the driver stores.
//!
//! The crate's own storage is meant for tests: when it is asked for a snapshot, it makes one
//! without data, at the commit index. Here the service makes the snapshots. So the disk offers the
//! service's last snapshot; before the first one, it offers none.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::eraftpb;
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use super::words::{node_id, their_entry, their_members, their_snapshot};
use crate::api::{Index, Position, ServerId, Term};
use crate::persister::Persisted;
use crate::tick::{ConfState, Snapshot};

/// A disk as the crate reads it: a snapshot, and the entries after it.
#[derive(Debug)]
pub(super) struct Disk {
    /// Term, vote and commit index that the server starts with.
    hard_state: eraftpb::HardState,
    /// All servers of the cluster.
    conf_state: ConfState,
    /// The service's last snapshot, or a received one that replaced it; 0/0 without one.
    snapshot: Snapshot,
    /// The entries after the snapshot, consecutive.
    entries: VecDeque<eraftpb::Entry>,
}

impl Disk {
    /// Builds the disk from what earlier lives stored, in a cluster of `servers`.
    ///
    /// The members are set at every start, because the crate takes a disk without members for one
    /// that still has to learn them. The commit index is not stored: it begins at the end of the
    /// snapshot, which is committed. The crate requires that it is not below the applied index.
    pub(super) fn restored(persisted: Persisted, servers: usize) -> Disk {
        let conf_state = ConfState { nodes: (0..servers).map(ServerId::from_slot).collect() };
        let position = persisted.last_included;
        let hard_state = eraftpb::HardState {
            term: persisted.current_term.0,
            vote: persisted.voted_for.map_or(raft::INVALID_ID, node_id),
            commit: position.index.0,
            ..eraftpb::HardState::default()
        };
        let data = persisted.snapshot.unwrap_or_default();
        let snapshot = Snapshot { position, conf_state: conf_state.clone(), data };
        let entries = persisted.entries.into_iter().map(their_entry).collect();
        Disk { hard_state, conf_state, snapshot, entries }
    }

    /// The last entry that the snapshot covers.
    pub(super) const fn covered(&self) -> Position {
        self.snapshot.position
    }

    /// Stores `entries`; they replace everything from the first one's index on.
    ///
    /// # Panics
    /// If there would be a gap, or if an entry that the snapshot covers would be replaced.
    pub(super) fn append(&mut self, entries: &[eraftpb::Entry]) {
        let Some(first) = entries.first().map(|entry| entry.index) else { return };
        assert!(
            (self.first()..=self.last() + 1).contains(&first),
            "an append at {first} to a log from {} to {}",
            self.first(),
            self.last(),
        );
        self.entries.truncate(self.offset(first));
        self.entries.extend(entries.iter().cloned());
    }

    /// Replaces the log by a snapshot that was received.
    pub(super) fn install(&mut self, snapshot: Snapshot) {
        assert!(
            snapshot.position.index > self.snapshot.position.index,
            "a snapshot up to {} cannot replace one up to {}",
            snapshot.position,
            self.snapshot.position,
        );
        self.entries.clear();
        self.snapshot = snapshot;
    }

    /// Replaces the entries up to `index` by the service's snapshot `data`; returns their last
    /// position, or `None` if the log does not have an entry at `index`.
    pub(super) fn compact(&mut self, index: Index, data: Bytes) -> Option<Position> {
        if index <= self.snapshot.position.index {
            return None;
        }
        let position = Position { term: Term(self.term(index.0).ok()?), index };
        self.entries.drain(..=self.offset(index.0));
        let conf_state = self.conf_state.clone();
        self.snapshot = Snapshot { position, conf_state, data };
        Some(position)
    }

    fn first(&self) -> u64 {
        self.snapshot.position.index.0 + 1
    }

    fn last(&self) -> u64 {
        self.snapshot.position.index.0 + self.entries.len() as u64
    }

    /// The offset of the entry at `index`, present or not; the snapshot must not cover it.
    fn offset(&self, index: u64) -> usize {
        usize::try_from(index - self.first()).expect("the log fits memory")
    }
}

impl Storage for Disk {
    fn initial_state(&self) -> Result<RaftState> {
        let conf_state = their_members(&self.conf_state.nodes);
        Ok(RaftState { hard_state: self.hard_state.clone(), conf_state })
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<eraftpb::Entry>> {
        if low < self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 {
            return Err(Error::Store(StorageError::Unavailable));
        }
        let bytes_max = max_size.into().unwrap_or(u64::MAX);
        let (mut taken, mut bytes) = (0, 0);
        let fits = |entry: &&eraftpb::Entry| {
            taken += 1;
            bytes += entry.data.len() as u64;
            taken == 1 || bytes <= bytes_max
        };
        let asked_for = self.entries.range(self.offset(low)..self.offset(high.max(low)));
        Ok(asked_for.take_while(fits).cloned().collect())
    }

    fn term(&self, index: u64) -> Result<u64> {
        let covered = self.snapshot.position;
        if index == covered.index.0 {
            return Ok(covered.term.0);
        }
        if index < covered.index.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        let entry = self.entries.get(self.offset(index));
        entry.map(|entry| entry.term).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, _: u64) -> Result<eraftpb::Snapshot> {
        let index = self.snapshot.position.index.0;
        if index == 0 || index < request_index {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(their_snapshot(self.snapshot.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Entry;

    fn entry(term: u64, index: u64) -> eraftpb::Entry {
        let data = Bytes::from_static(b"four");
        their_entry(Entry { term: Term(term), index: Index(index), data })
    }

    /// Entries 4/4, 5/5, 6/6 after a snapshot up to 3/3.
    fn compacted() -> Disk {
        let mut disk = Disk::restored(Persisted::default(), 3);
        disk.append(&(1..=6).map(|index| entry(index, index)).collect::<Vec<_>>());
        let covered = disk.compact(Index(3), "state".into());
        assert_eq!(covered, Some(Position { term: Term(3), index: Index(3) }));
        disk
    }

    fn read(disk: &Disk, low: u64, high: u64, bytes_max: u64) -> Result<Vec<u64>> {
        let entries = disk.entries(low, high, bytes_max, GetEntriesContext::empty(false))?;
        Ok(entries.into_iter().map(|entry| entry.index).collect())
    }

    #[test]
    fn entries_are_half_open_and_bounded_in_bytes_but_for_the_first() {
        let disk = compacted();
        assert_eq!(read(&disk, 4, 7, u64::MAX).unwrap(), [4, 5, 6]);
        assert_eq!(read(&disk, 4, 7, 8).unwrap(), [4, 5]);
        assert_eq!(read(&disk, 4, 7, 0).unwrap(), [4]);
        let gone = read(&disk, 3, 7, u64::MAX).unwrap_err();
        assert_eq!(gone, Error::Store(StorageError::Compacted));
        let beyond = read(&disk, 4, 8, u64::MAX).unwrap_err();
        assert_eq!(beyond, Error::Store(StorageError::Unavailable));
    }

    #[test]
    fn terms_are_known_from_the_snapshots_end_to_the_last() {
        let disk = compacted();
        let known: Vec<_> = (2..=7).map(|index| disk.term(index).ok()).collect();
        assert_eq!(known, [None, Some(3), Some(4), Some(5), Some(6), None]);
    }

    #[test]
    fn an_append_replaces_what_stands_there() {
        let mut disk = compacted();
        disk.append(&[entry(9, 5)]);
        assert_eq!((disk.last_index().unwrap(), disk.term(5).unwrap()), (5, 9));
    }

    #[test]
    #[should_panic(expected = "an append at 8 to a log from 4 to 6")]
    fn an_append_after_a_gap_is_refused() {
        compacted().append(&[entry(9, 8)]);
    }

    #[test]
    fn a_snapshot_is_offered_only_where_there_is_one_that_reaches_far_enough() {
        let none = Disk::restored(Persisted::default(), 3).snapshot(0, 2).unwrap_err();
        assert_eq!(none, Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        let snapshot = compacted().snapshot(3, 2).unwrap();
        assert_eq!(snapshot.get_metadata().get_conf_state().voters, [1, 2, 3]);
        assert_eq!((snapshot.get_metadata().index, &snapshot.data[..]), (3, &b"state"[..]));
        assert!(compacted().snapshot(4, 2).is_err(), "it ends before what was asked for");
    }

    #[test]
    fn a_compaction_goes_forward_only() {
        let mut disk = compacted();
        assert_eq!(disk.compact(Index(3), Bytes::new()), None);
        assert_eq!(disk.compact(Index(9), Bytes::new()), None, "the log ends before it");
        assert_eq!(disk.compact(Index(6), Bytes::new()).map(|at| at.index), Some(Index(6)));
        assert_eq!((disk.first_index().unwrap(), disk.last_index().unwrap()), (7, 6));
    }

    #[test]
    fn a_server_starts_with_the_snapshot_committed_and_all_members() {
        let persisted = Persisted {
            current_term: Term(5),
            voted_for: Some(ServerId(1)),
            last_included: Position { term: Term(4), index: Index(9) },
            snapshot: Some("state".into()),
            entries: Vec::new(),
        };
        let RaftState { hard_state, conf_state } =
            Disk::restored(persisted, 3).initial_state().unwrap();
        assert_eq!((hard_state.term, hard_state.vote, hard_state.commit), (5, 2, 9));
        assert_eq!(conf_state.voters, [1, 2, 3]);
    }
}
