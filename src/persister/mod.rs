//! What survives a crash: term, vote, log and snapshot.

mod error;

use std::sync::Arc;

use bytes::Bytes;

use crate::api::{Entry, Index, Position, ServerId, Term};

pub use error::PersistError;

/// What a server finds when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persisted {
    /// Latest term the server has seen (Figure 2).
    pub current_term: Term,
    /// Who got the server's vote in that term (Figure 2).
    pub voted_for: Option<ServerId>,
    /// The last entry that the snapshot covers; 0/0 without one.
    pub last_included: Position,
    /// The service's state up to there, as the service encoded it.
    pub snapshot: Option<Bytes>,
    /// The log after `last_included`: consecutive indices, the first follows it.
    pub entries: Vec<Entry>,
}

/// What becomes, in a crash, of the writes since the last sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// None of them survives.
    LoseAll,
    /// All of them survive.
    KeepAll,
    /// The first few survive, between none and all; the seed says how many.
    Draw,
}

/// One write, as shown to a [`Watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// [`Persister::save_vote`].
    Vote {
        /// The server's current term.
        term: Term,
        /// Its vote in that term.
        voted_for: Option<ServerId>,
    },
    /// [`Persister::append`]; never empty.
    Append(&'a [Entry]),
    /// [`Persister::save_snapshot`].
    Snapshot(Position),
    /// [`Persister::sync`]: all writes before it are durable.
    Synced,
}

/// Looks on as a server writes, without the server knowing.
pub trait Watch: Send + Sync {
    /// A write was made. Called in place, after the write, under no lock of the persister, which
    /// may be asked. Must not block, sleep, lock a `Mutex` or draw chance.
    fn wrote(&self, write: &Write<'_>);
}

/// A server's stable storage. A clone is another handle to the same storage.
#[derive(Clone)]
pub struct Persister {}

impl Persister {
    /// Empty storage, of a server that has never run.
    pub fn new() -> Persister {
        unimplemented!("the store comes next")
    }

    /// Writes term and vote.
    pub fn save_vote(&self, current_term: Term, voted_for: Option<ServerId>) {
        let _ = (current_term, voted_for);
    }

    /// Writes `entries`, in place of everything stored from the first one's index on.
    ///
    /// # Panics
    /// When the indices are not consecutive, or leave a gap after what is stored.
    pub fn append(&self, entries: &[Entry]) {
        let _ = entries;
    }

    /// Writes a snapshot, in one step with dropping the log up to it.
    ///
    /// The entries after `last_included` stay only if the entry there has its term (Figure 13).
    pub fn save_snapshot(&self, last_included: Position, data: Bytes) {
        let _ = (last_included, data);
    }

    /// Makes all writes so far durable: only now may they be promised to anyone.
    ///
    /// # Errors
    /// The server stops, and promises nothing since the last sync.
    pub fn sync(&self) -> Result<(), PersistError> {
        Ok(())
    }

    /// What is durable; `Persisted::default()` when nothing was ever synced.
    ///
    /// # Errors
    /// [`PersistError::Damaged`]: the server does not start.
    pub fn load(&self) -> Result<Persisted, PersistError> {
        Ok(Persisted::default())
    }

    /// Bytes that term, vote and log take, as of the last sync; without the snapshot.
    pub fn raft_state_size(&self) -> usize {
        0
    }

    /// Bytes of the service's snapshot, as of the last sync; 0 without one.
    pub fn snapshot_size(&self) -> usize {
        0
    }

    /// The storage as a crash at this moment leaves it, for the server's next life.
    ///
    /// It holds all that was synced and, as `keep` says, a prefix of the writes since. What is
    /// written to this handle and its clones from now on vanishes, and their `sync` says `Ok`.
    #[must_use]
    pub fn crash(&self, keep: Unsynced) -> Persister {
        let _ = keep;
        Persister::new()
    }

    /// The term of the durable entry at `index`, also of the last one in the snapshot.
    ///
    /// `None` beyond the durable log and before [`durable_snapshot`](Persister::durable_snapshot).
    pub fn durable_term(&self, index: Index) -> Option<Term> {
        let _ = index;
        None
    }

    /// The durable term and vote.
    pub fn durable_vote(&self) -> (Term, Option<ServerId>) {
        (Term(0), None)
    }

    /// The last entry that the durable snapshot covers; 0/0 without one.
    pub fn durable_snapshot(&self) -> Position {
        Position::default()
    }

    /// The last durable entry.
    pub fn durable_last(&self) -> Position {
        Position::default()
    }

    /// Shows every later write of this life to `watch`. [`crash`](Persister::crash) leaves watches
    /// behind.
    pub fn watch(&self, watch: Arc<dyn Watch>) {
        let _ = watch;
    }

    /// The durable content as bytes, as a file would hold it.
    pub fn export(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Storage that holds `bytes`. Damage in them is found by [`load`](Persister::load).
    pub fn import(bytes: &[u8]) -> Persister {
        let _ = bytes;
        Persister::new()
    }
}

impl Default for Persister {
    fn default() -> Persister {
        Persister::new()
    }
}
