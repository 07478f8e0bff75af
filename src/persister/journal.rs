//! The writes that no sync has made durable yet, in the order in which they were made.

use std::sync::Arc;

use bytes::Bytes;

use crate::api::{Entry, Index, Position, ServerId, Term};

use super::frame::{Data, Record};
use super::store::{Store, StoredEntry};

/// One write. The entries of all appends are in [`Journal::entries`], in the order of the writes.
#[derive(Debug, Clone)]
enum UnsyncedWrite {
    Vote { current_term: Term, voted_for: Option<ServerId>, record: Arc<[u8]> },
    Append { first: Index, count: usize },
    Snapshot { last_included: Position, size: usize, record: Arc<[u8]>, keeps_suffix: bool },
}

/// The writes since the last sync.
#[derive(Debug, Default)]
pub(super) struct Journal {
    writes: Vec<UnsyncedWrite>,
    entries: Vec<StoredEntry>,
    /// Each record is encoded here first, so that one allocation of its exact size is enough.
    scratch: Vec<u8>,
}

impl Journal {
    /// Number of writes since the last sync.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn save_vote(&mut self, current_term: Term, voted_for: Option<ServerId>) {
        let record = Record::Vote { current_term, voted_for }.encode(&mut self.scratch);
        self.writes.push(UnsyncedWrite::Vote { current_term, voted_for, record });
    }

    /// Adds a write of `entries`, which are not empty, to the writes on top of `store`.
    pub(super) fn append(&mut self, store: &Store, entries: &[Entry]) {
        let first = entries[0].index;
        assert!(
            self.term(store, first.prev()).is_some() && first > Index(0),
            "append at index {first} leaves a gap or overwrites the snapshot: the log before it \
             is not stored (durable: {} to {}); append from the first entry that is missing",
            store.last_included().index.next(),
            store.last().index,
        );
        for (ahead, entry) in entries.iter().enumerate() {
            assert!(
                entry.index == first.plus(ahead),
                "append of entries that are not consecutive: index {} at place {ahead} after {first}",
                entry.index,
            );
            let record = Record::entry(entry).encode(&mut self.scratch);
            self.entries.push(StoredEntry { term: entry.term, record });
        }
        self.writes.push(UnsyncedWrite::Append { first, count: entries.len() });
    }

    pub(super) fn save_snapshot(&mut self, store: &Store, last_included: Position, data: &Bytes) {
        let keeps_suffix = self.term(store, last_included.index) == Some(last_included.term);
        let record = Record::Snapshot { last_included, data: Data(data) }.encode(&mut self.scratch);
        let size = data.len();
        self.writes.push(UnsyncedWrite::Snapshot { last_included, size, record, keeps_suffix });
    }

    /// Applies the first `count` writes to `store`, and forgets all writes.
    pub(super) fn apply_first(&mut self, count: usize, store: &mut Store) {
        let mut entries = self.entries.drain(..);
        for write in self.writes.drain(..).take(count) {
            match write {
                UnsyncedWrite::Vote { current_term, voted_for, record } => {
                    store.set_vote(current_term, voted_for, record);
                }
                UnsyncedWrite::Append { first, count } => {
                    store.truncate(first);
                    entries.by_ref().take(count).for_each(|entry| store.push(entry));
                }
                UnsyncedWrite::Snapshot { last_included, size, record, keeps_suffix } => {
                    store.set_snapshot(last_included, size, record, keeps_suffix);
                }
            }
        }
    }

    /// Returns the term at `index` as if all writes were applied to `store`; `None` if there is no
    /// entry. Looks at the latest writes first, so that an append at the end finds it immediately.
    fn term(&self, store: &Store, index: Index) -> Option<Term> {
        let mut end = self.entries.len();
        for write in self.writes.iter().rev() {
            match write {
                UnsyncedWrite::Vote { .. } => {}
                UnsyncedWrite::Append { first, count } => {
                    let start = end - count;
                    if let Some(ahead) = index.0.checked_sub(first.0) {
                        let ahead = usize::try_from(ahead).ok()?;
                        return self.entries[start..end].get(ahead).map(|entry| entry.term);
                    }
                    end = start;
                }
                UnsyncedWrite::Snapshot { last_included, keeps_suffix, .. } => {
                    if index == last_included.index {
                        return Some(last_included.term);
                    }
                    if index < last_included.index || !keeps_suffix {
                        return None;
                    }
                }
            }
        }
        store.term(index)
    }
}
