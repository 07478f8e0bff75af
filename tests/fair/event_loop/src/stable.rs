//! "Persistent state on all servers" (Figure 2), and the snapshot of Figure 13.
//!
//! The state is kept twice: in memory for reading, and in the persister to survive a crash. Each
//! change is written at once, and is durable after [`Stable::sync`], which the loop calls before
//! anything leaves the server.

use raftlab::api::{Bytes, Entry, Index, Position, ServerId, Term};
use raftlab::persister::{PersistError, Persister};

pub struct Stable {
    persister: Persister,
    /// Whether something was written since the last sync.
    unsynced: bool,
    term: Term,
    voted_for: Option<ServerId>,
    /// The last entry that the snapshot covers; 0/0 without one. The log begins after it.
    base: Position,
    snapshot: Bytes,
    entries: Vec<Entry>,
}

impl Stable {
    pub fn load(persister: Persister) -> Result<Stable, PersistError> {
        let found = persister.load()?;
        Ok(Stable {
            persister,
            unsynced: false,
            term: found.current_term,
            voted_for: found.voted_for,
            base: found.last_included,
            snapshot: found.snapshot.unwrap_or_default(),
            entries: found.entries,
        })
    }

    /// Makes all writes durable. After an error, the server may promise none of them.
    pub fn sync(&mut self) -> Result<(), PersistError> {
        if self.unsynced {
            self.persister.sync()?;
            self.unsynced = false;
        }
        Ok(())
    }

    pub const fn term(&self) -> Term {
        self.term
    }

    pub const fn voted_for(&self) -> Option<ServerId> {
        self.voted_for
    }

    pub fn set_vote(&mut self, term: Term, voted_for: Option<ServerId>) {
        (self.term, self.voted_for) = (term, voted_for);
        self.persister.save_vote(term, voted_for);
        self.unsynced = true;
    }

    pub const fn base(&self) -> Position {
        self.base
    }

    pub fn snapshot(&self) -> Bytes {
        self.snapshot.clone()
    }

    pub fn last(&self) -> Position {
        self.entries.last().map_or(self.base, Entry::position)
    }

    /// The number of entries before `index` in the log; only for an index after the base.
    fn offset(&self, index: Index) -> usize {
        let after_base = index.0.saturating_sub(self.base.index.0 + 1);
        usize::try_from(after_base).unwrap_or(usize::MAX).min(self.entries.len())
    }

    /// The entry at `index`, unless the snapshot covers it or the log ends before.
    pub fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(self.offset(index)).filter(|entry| entry.index == index)
    }

    /// The term at `index`, which may be the base.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// The log from `index` on, which is after the base.
    pub fn tail(&self, index: Index) -> Vec<Entry> {
        self.entries[self.offset(index)..].to_vec()
    }

    /// Replaces the log from the first of `entries` on by `entries`; without any, changes nothing.
    pub fn overwrite(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        self.entries.truncate(self.offset(first.index));
        self.entries.extend_from_slice(entries);
        self.persister.append(entries);
        self.unsynced = true;
    }

    /// Replaces the log up to `base` by a snapshot. Keeps the entries after it if the log has the
    /// entry at `base`; otherwise drops the whole log (Figure 13, steps 6 and 7).
    pub fn compact(&mut self, base: Position, snapshot: Bytes) {
        if self.term_at(base.index) == Some(base.term) {
            self.entries.drain(..self.offset(base.index.next()));
        } else {
            self.entries.clear();
        }
        self.base = base;
        self.snapshot = snapshot.clone();
        self.persister.save_snapshot(base, snapshot);
        self.unsynced = true;
    }
}
