//! A node's disk as the core reads it, and the one step that writes a `Ready`.
//!
//! ```text
//! Ready    snapshot   entries   hard state   committed entries
//!             └─────────┴─────┬─────┴───────────────┘
//!                      one transaction ──► one sync
//! ```
//!
//! Everything in one [`Ready`] goes into one transaction, so log and data cannot disagree, at
//! whatever moment a crash comes. A `Ready` that need not be synced has no new entry and no vote,
//! only entries to apply that are in the log already. A crash undoes all of it, and they are
//! applied again.
//!
//! The core keeps the entries themselves in memory as long as the log has them. They are read from
//! here only at a start.

use std::cell::RefCell;
use std::sync::Arc;

use redb::Durability;

use super::disk::Disk;
use super::engine::{Engine, Found};
use super::error::StoreError;
use super::image::View;
use super::tables::{HARD, MEMBERS, TRUNCATED, Tables};
use super::watch::{Commit, show_found};
use crate::api::{Entry, Index, Position, Term};
use crate::tick::{ConfState, HardState, Ready, Snapshot, Storage, StorageError};

/// A node's storage, in the database.
pub(super) struct PeerStorage {
    engine: Engine,
    /// The disk below `engine`, which has the watcher.
    disk: Disk,
    /// A copy in memory of what the database has.
    found: Found,
    /// The snapshot that is being sent to followers, or may be sent again.
    view: RefCell<Option<Arc<View>>>,
    /// How many snapshots have replaced the data.
    installed: u64,
}

impl PeerStorage {
    /// Opens what earlier lives left on `disk`; a first life starts in a cluster of `members`.
    pub(super) fn open(
        engine: Engine,
        disk: &Disk,
        members: ConfState,
    ) -> Result<PeerStorage, StoreError> {
        let mut found = engine.load()?;
        show_found(disk, &engine, &found)?;
        if found.members.nodes.is_empty() {
            found.members = members;
        }
        let (disk, view) = (disk.clone(), RefCell::default());
        Ok(PeerStorage { engine, disk, found, view, installed: 0 })
    }

    /// The last entry that is in the data.
    pub(super) const fn applied(&self) -> Position {
        self.found.applied
    }

    /// The last entry that the log has dropped.
    pub(super) const fn truncated(&self) -> Position {
        self.found.truncated
    }

    /// The latest term that was stored.
    pub(super) const fn last_term_seen(&self) -> Term {
        self.found.hard_state.term
    }

    /// How many snapshots have replaced the data in this life.
    pub(super) const fn installed(&self) -> u64 {
        self.installed
    }

    /// The data of the snapshot at `position`, if they are still held.
    pub(super) fn view(&self, position: Position) -> Option<Arc<View>> {
        self.view.borrow().clone().filter(|view| view.position() == position)
    }

    /// Releases the data of the snapshot, which take room on the disk.
    pub(super) fn forget_view(&self) {
        self.view.replace(None);
    }

    /// Writes and applies all of `ready`, in one transaction.
    ///
    /// `image` is the data of its snapshot, all chunks joined.
    pub(super) fn carry_out(&mut self, ready: &Ready, image: &[u8]) -> Result<(), StoreError> {
        let nothing = ready.snapshot.is_none()
            && ready.entries.is_empty()
            && ready.hard_state.is_none()
            && ready.committed_entries.is_empty();
        if nothing {
            return Ok(());
        }
        let durability = if ready.must_sync { Durability::Immediate } else { Durability::None };
        let commit = Commit::begin(&self.disk, durability);
        let found = self.found.clone();
        let next = self.engine.write(durability, |tables| write(tables, found, ready, image))?;
        commit.show(&self.disk, ready, &self.found, &next);
        self.found = next;
        self.installed += u64::from(ready.snapshot.is_some());
        Ok(())
    }
}

/// Writes and applies all of `ready` on top of what was `found`. Returns the result.
fn write(
    tables: &mut Tables<'_>,
    mut found: Found,
    ready: &Ready,
    image: &[u8],
) -> Result<Found, StoreError> {
    if let Some(snapshot) = &ready.snapshot {
        tables.drop_entries(Index(0), found.last.index.next())?;
        tables.replace_data(image)?;
        tables.set(TRUNCATED, &snapshot.position)?;
        tables.set(MEMBERS, &snapshot.conf_state)?;
        found.members = snapshot.conf_state.clone();
        (found.truncated, found.last) = (snapshot.position, snapshot.position);
        found.applied = snapshot.position;
    }
    check_follows(&ready.entries, found.last.index);
    tables.append(&ready.entries, found.last.index)?;
    found.last = ready.entries.last().map_or(found.last, Entry::position);
    if let Some(hard_state) = ready.hard_state {
        tables.set(HARD, &hard_state)?;
        found.hard_state = hard_state;
    }
    for entry in &ready.committed_entries {
        let truncated = tables.apply(entry, found.truncated.index)?;
        found.truncated = truncated.unwrap_or(found.truncated);
        found.applied = entry.position();
    }
    if ready.snapshot.is_some() || !ready.committed_entries.is_empty() {
        tables.set_applied(found.applied)?;
    }
    Ok(found)
}

/// Asserts that the log gets no gap: only the next start would find such a bug of the core's owner.
fn check_follows(entries: &[Entry], last: Index) {
    if let Some(first) = entries.first() {
        assert!(
            first.index <= last.next(),
            "an append at {} leaves a gap after {last}",
            first.index,
        );
    }
}

impl Storage for PeerStorage {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        Ok((self.found.hard_state, self.found.members.clone()))
    }

    fn entries(&self, first: Index, end: Index) -> Result<Vec<Entry>, StorageError> {
        if first < self.first_index() {
            return Err(StorageError::Compacted);
        }
        if end > self.last_index().next() {
            return Err(StorageError::Unavailable);
        }
        let entries = self.engine.entries(first, end)?;
        let expected = end.0.saturating_sub(first.0);
        if entries.len() as u64 != expected {
            let what = format!("it has {} of {expected} entries from {first} on", entries.len());
            return Err(StoreError::Damaged(what).into());
        }
        Ok(entries)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        if index == self.found.truncated.index {
            return Ok(self.found.truncated.term);
        }
        if index == self.found.last.index {
            return Ok(self.found.last.term);
        }
        if index < self.found.truncated.index {
            return Err(StorageError::Compacted);
        }
        self.engine.term(index)?.ok_or(StorageError::Unavailable)
    }

    fn first_index(&self) -> Index {
        self.found.truncated.index.next()
    }

    fn last_index(&self) -> Index {
        self.found.last.index
    }

    /// Returns a snapshot's position; its data are sent separately.
    ///
    /// Returns the snapshot that is being sent, as long as the log continues after it: then the
    /// chunks that a follower already has stay useful. Otherwise returns the data as they are now,
    /// at no cost.
    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        let mut view = self.view.borrow_mut();
        let kept = view.take().filter(|view| view.position().index >= self.found.truncated.index);
        let kept = match kept {
            Some(kept) => kept,
            None => Arc::new(View::now(&self.engine)?),
        };
        let position = kept.position();
        *view = Some(kept);
        Ok(Snapshot { position, conf_state: self.found.members.clone(), data: bytes::Bytes::new() })
    }
}
