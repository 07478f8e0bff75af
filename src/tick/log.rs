//! The log of a node: the end of a snapshot, the entries after it, and three marks.
//!
//! ```text
//!   truncated    first                                             last
//!       │          │                                                │
//!       ▼          ▼                                                ▼
//!  ─────┤  entries ██████████████████████████████████████████████████
//!                        ▲                ▲               ▲
//!                     applied  <=     committed        stabled
//! ```
//!
//! All entries that are not compacted are in memory, whether or not they are on disk. So the
//! storage is read only at the start, and sending an entry copies only a reference. The first entry
//! always follows `truncated` directly. A received snapshot that is not on disk yet is the pending
//! snapshot, and `truncated` is then its end.
//!
//! The cost of an operation depends on the entries that it touches, not on the log's length. Terms
//! only rise along a log, so a binary search finds a term's bounds.

use std::collections::VecDeque;

use super::config::ConfigError;
use super::storage::{HardState, Snapshot, Storage, StorageError};
use crate::api::{Entry, Index, Position, Term};

/// A node's log, loaded from its storage at the start.
///
/// Invariant (log_marks_in_order): truncated <= applied <= committed <= last and stabled <= last.
#[derive(Debug)]
pub struct RaftLog<S> {
    storage: S,
    truncated: Position,
    entries: VecDeque<Entry>,
    committed: Index,
    applied: Index,
    stabled: Index,
    pending_snapshot: Option<Snapshot>,
}

impl<S: Storage> RaftLog<S> {
    /// Loads the log from the storage; it is committed and applied up to the snapshot's end.
    ///
    /// # Errors
    /// The storage's error: the node does not start.
    pub fn new(storage: S) -> Result<RaftLog<S>, StorageError> {
        // Handout 2A: load the entries of the storage; all up to the snapshot's end is applied.
        let (first, last) = (storage.first_index(), storage.last_index());
        let truncated = Position { term: storage.term(first.prev())?, index: first.prev() };
        let entries = storage.entries(first, last.next())?.into();
        Ok(RaftLog {
            storage,
            truncated,
            entries,
            committed: truncated.index,
            applied: truncated.index,
            stabled: last,
            pending_snapshot: None,
        })
    }

    /// Restores the commit index and the applied index of an earlier life.
    ///
    /// # Errors
    /// The two do not fit the log: the disk has lost entries, or the application is mistaken.
    pub(super) fn restore(&mut self, hard: HardState, applied: Index) -> Result<(), ConfigError> {
        // Handout 2C: take over commit index and applied index; refuse what does not fit.
        let (truncated, last) = (self.truncated.index, self.last_index());
        let commit = hard.commit.max(truncated);
        if commit > last {
            return Err(ConfigError::CommitBeyondLog { commit, last });
        }
        if applied > commit {
            return Err(ConfigError::Applied { applied, truncated, commit });
        }
        self.committed = commit;
        self.applied = applied.max(truncated);
        Ok(())
    }

    /// The disk as the core reads it.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// The disk, to which the application writes what a [`Ready`](super::Ready) names.
    pub const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// The last compacted entry; a snapshot covers it.
    pub const fn truncated(&self) -> Position {
        self.truncated
    }

    /// Index of the first entry kept, or the index that it would have.
    pub const fn first_index(&self) -> Index {
        self.truncated.index.next()
    }

    /// Index of the last entry, or the snapshot's end if no entry is kept.
    pub fn last_index(&self) -> Index {
        // Handout 2A: the last entry's index, or that of the snapshot's end.
        self.truncated.index.plus(self.entries.len())
    }

    /// The last entry's term, or that of the snapshot's end.
    pub fn last_term(&self) -> Term {
        self.last().term
    }

    /// Index and term of the last entry: what elections compare (Raft §5.4.1).
    pub fn last(&self) -> Position {
        // Handout 2A: the last entry's position, or that of the snapshot's end.
        self.entries.back().map_or(self.truncated, Entry::position)
    }

    /// Highest index known to be committed. Never decreases.
    pub const fn committed(&self) -> Index {
        self.committed
    }

    /// Highest index that the application has confirmed as applied.
    pub const fn applied(&self) -> Index {
        self.applied
    }

    /// Highest index up to which the disk has the same entries.
    pub const fn stabled(&self) -> Index {
        self.stabled
    }

    /// The received snapshot that is not on disk yet.
    pub const fn pending_snapshot(&self) -> Option<&Snapshot> {
        self.pending_snapshot.as_ref()
    }

    /// The term of the entry at `index`, the snapshot's end included.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] below the snapshot's end, [`StorageError::Unavailable`] beyond
    /// the last entry.
    pub fn term(&self, index: Index) -> Result<Term, StorageError> {
        // Handout 2B: the term of an entry, or why it is not known.
        let beyond = if index < self.truncated.index {
            StorageError::Compacted
        } else {
            StorageError::Unavailable
        };
        self.term_at(index).ok_or(beyond)
    }

    /// The term of the entry at `index`, if it is known.
    pub(super) fn term_at(&self, index: Index) -> Option<Term> {
        // Handout 2A: the term of an entry, or of the snapshot's end.
        match index.0.checked_sub(self.first_index().0) {
            Some(offset) => Some(self.entries.get(usize::try_from(offset).ok()?)?.term),
            None => (index == self.truncated.index).then_some(self.truncated.term),
        }
    }

    /// Whether the log is known to have this very entry.
    pub fn contains(&self, position: Position) -> bool {
        // Handout 2B: whether the log has this entry.
        self.term_at(position.index) == Some(position.term)
    }

    /// All entries kept.
    pub fn all_entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entries of `first..end`, end excluded; compacted and missing entries are left out.
    pub fn slice(&self, first: Index, end: Index) -> impl ExactSizeIterator<Item = &Entry> {
        let end = self.offset(end);
        self.entries.range(self.offset(first).min(end)..end)
    }

    /// The entries that are not on disk yet.
    pub fn unstable_entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.slice(self.stabled.next(), self.last_index().next())
    }

    /// The entries that are committed and not applied yet.
    pub fn next_ents(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.slice(self.applied.next(), self.committed.next())
    }

    /// Appends one entry: a leader's new one, or one that a follower received.
    pub(super) fn push(&mut self, entry: Entry) {
        // Handout 2A: append one entry; indices have no gap, and terms never fall.
        let last = self.last();
        assert!(
            entry.index == last.index.next() && entry.term >= last.term,
            "log_is_consecutive: {} cannot follow {last}",
            entry.position(),
        );
        self.entries.push_back(entry);
    }

    /// Adds a leader's entries after `prev`; returns the last index, or `None` without `prev`.
    ///
    /// "If an existing entry conflicts with a new one …, delete the existing entry and all that
    /// follow it" (Figure 2, AppendEntries, step 3). Nothing is deleted without a conflict: a late
    /// copy of an old append must not cut off later entries. The commit index follows the leader's,
    /// but only up to the last entry of this very append (step 5): the entries after that one may
    /// be another leader's.
    pub fn append(
        &mut self,
        prev: Position,
        committed: Index,
        entries: Vec<Entry>,
    ) -> Option<Index> {
        // Handout 2B: Figure 2, AppendEntries, steps 2 to 5.
        if !self.contains(prev) {
            return None;
        }
        let last_new = prev.index.plus(entries.len());
        let known = entries.iter().take_while(|entry| self.contains(entry.position())).count();
        if let Some(conflict) = entries.get(known) {
            self.truncate_from(conflict.index);
            entries.into_iter().skip(known).for_each(|entry| self.push(entry));
        }
        self.commit_to(committed.min(last_new));
        Some(last_new)
    }

    /// Drops the entry at `index` and all that follow. The disk drops them when the application
    /// writes the entries that replace them.
    fn truncate_from(&mut self, index: Index) {
        // Handout: left out.
        assert!(
            index > self.committed,
            "committed_entries_stay: entry {index} conflicts, but all up to {} are committed",
            self.committed,
        );
        self.entries.truncate(self.offset(index));
        self.stabled = self.stabled.min(index.prev());
    }

    /// Commits up to `index` if the entry there has `term`; returns whether the commit index rose.
    ///
    /// A leader calls it with its own term: entries of earlier terms are committed only along
    /// with one of its own (Raft §5.4.2).
    pub fn commit(&mut self, index: Index, term: Term) -> bool {
        // Handout 2B: raise the commit index, if the entry there has this term.
        if index <= self.committed || self.term_at(index) != Some(term) {
            return false;
        }
        self.committed = index;
        true
    }

    /// Commits up to `index`, which a leader says is committed; a lower index changes nothing.
    pub(super) fn commit_to(&mut self, index: Index) {
        // Handout 2B: raise the commit index; never lower it.
        if index > self.committed {
            let last = self.last_index();
            assert!(
                index <= last,
                "log_marks_in_order: commit {index} beyond the last entry {last}"
            );
            self.committed = index;
        }
    }

    /// Notes that the log is on disk up to `position`, if the log still has that entry.
    pub fn mark_stabled(&mut self, position: Position) {
        // Handout 2A: note what is on disk, if the log still has that entry.
        if position.index > self.stabled && self.contains(position) {
            self.stabled = position.index;
        }
    }

    /// Notes that the application has applied up to `index`. Never moves back.
    ///
    /// # Panics
    /// If the entry at `index` is not committed.
    pub fn mark_applied(&mut self, index: Index) {
        // Handout 2A: note what is applied.
        assert!(
            index <= self.committed,
            "log_marks_in_order: applied {index} beyond the commit index {}",
            self.committed,
        );
        self.applied = self.applied.max(index);
    }

    /// Replaces the log by a snapshot, which stays pending until it is on disk.
    pub(super) fn restore_snapshot(&mut self, snapshot: Snapshot) {
        // Handout 2D: replace the log by the snapshot, which is pending from now on.
        let position = snapshot.position;
        assert!(
            position.index > self.committed,
            "committed_entries_stay: a snapshot at {position} for a log committed up to {}",
            self.committed,
        );
        self.entries.clear();
        self.truncated = position;
        self.committed = position.index;
        self.applied = position.index;
        self.stabled = position.index;
        self.pending_snapshot = Some(snapshot);
    }

    /// Forgets the pending snapshot if it ends at `index`: that one is on disk now.
    pub(super) fn mark_snapshot_stabled(&mut self, index: Index) {
        // Handout 2D: the pending snapshot is on disk.
        self.pending_snapshot.take_if(|pending| pending.position.index == index);
    }

    /// Drops from memory the entries that the application has dropped from its storage.
    pub fn maybe_compact(&mut self) {
        // Handout 2D: drop the entries that the storage no longer has.
        let truncated = self.storage.first_index().prev();
        if truncated <= self.truncated.index || self.pending_snapshot.is_some() {
            return;
        }
        assert!(
            truncated <= self.applied,
            "log_marks_in_order: compacted to {truncated}, but applied only to {}",
            self.applied,
        );
        let Some(term) = self.term_at(truncated) else { return };
        self.entries.drain(..self.offset(truncated.next()));
        self.truncated = Position { term, index: truncated };
        // The memory of a long log that was dropped must be freed.
        if self.entries.capacity() > 64 + 4 * self.entries.len() {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }

    /// The last entry at or before `index` whose term is at most `term`: where two logs may agree.
    ///
    /// Both sides of a rejected append use it to skip whole terms (Raft §5.3: "one
    /// AppendEntries RPC will be required for each term with conflicting entries, rather than one
    /// per entry"). Before the snapshot's end, the terms of entries are no longer known.
    pub(super) fn last_with_term_at_most(&self, term: Term, index: Index) -> Position {
        // Handout 2B: for fast backup only: where two logs may agree.
        let within = self.offset(index.next());
        let count = self.entries.partition_point(|entry| entry.term <= term).min(within);
        match count.checked_sub(1) {
            Some(offset) => self.entries[offset].position(),
            None if index >= self.truncated.index && term >= self.truncated.term => self.truncated,
            None => Position { term, index: index.min(self.truncated.index.prev()) },
        }
    }

    /// The offset in `entries` of the entry at `index`, clamped to their range.
    fn offset(&self, index: Index) -> usize {
        let offset = index.0.saturating_sub(self.first_index().0);
        usize::try_from(offset).unwrap_or(usize::MAX).min(self.entries.len())
    }
}
