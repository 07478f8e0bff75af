//! The state that survives a crash: term, vote, log, snapshot (Figure 2, Raft §7).
//!
//! A server writes only what changed: a vote, a few entries, a snapshot. Writes are kept in order
//! and become durable with the next [`sync`](Persister::sync); a server may promise to another only
//! what is durable. A crash keeps all that was synced and the first few of the later writes, as a
//! disk would:
//!
//! ```text
//!            durable                    │ since the last sync
//! vote 4/S1 │ snapshot 3/9 │ 10 11 12   │ append 12' 13'   vote 5/-   append 14'
//!                                       │            │          │            │
//! a crash leaves one of                 ▲            ▲          ▲            ▲
//! ```
//!
//! Two rules make the persister cheap and exact. The cost of a write depends on what is written,
//! not on the log's length: a write looks only at its own entries. And everything that is *read*,
//! from [`load`](Persister::load) to the sizes, is the durable state: what would certainly survive
//! a crash now.
//!
//! Promised:
//!
//! - Writes keep their order.
//! - A snapshot is stored, and the log before it is dropped, in one write.
//! - Content that is not as it was written is reported as [`PersistError::Damaged`] with the place
//!   of the damage. It never causes a panic or an empty state.
//!
//! Not promised: the persister does not check Raft. It stores a term that goes down or a snapshot
//! that moves backwards; a [`Watch`] can see the writes and check them.
//!
//! Everything is in memory, encoded as in a file. No method is a scheduling point.
//!
//! Read [`Persister`] first; `journal.rs` has the writes, `store.rs` the durable state that they
//! change, `frame.rs` the format.

mod error;
mod frame;
mod journal;
mod read;
mod store;
mod stored;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;

use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::runtime;
use crate::runtime::rand::Chance;
use crate::runtime::sync::Quiet;

use journal::Journal;
use store::Store;

pub use error::PersistError;
pub use stored::{Stored, plain_snapshot};

/// The stored state that a server starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persisted {
    /// Latest term the server has seen (Figure 2).
    pub current_term: Term,
    /// The candidate that got the server's vote in that term (Figure 2).
    pub voted_for: Option<ServerId>,
    /// The last entry that the snapshot covers; 0/0 without one.
    pub last_included: Position,
    /// The service's state up to `last_included`, as the service encoded it.
    pub snapshot: Option<Bytes>,
    /// The log after `last_included`: consecutive indices, the first follows it.
    pub entries: Vec<Entry>,
}

/// Which of the writes since the last sync survive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// No write survives.
    LoseAll,
    /// All writes survive.
    KeepAll,
    /// A prefix of the writes survives, between none and all. Its length is a function of the run's
    /// seed and of the number of earlier drawn crashes, of any server, in the run.
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

/// Observes the writes of a server. The server cannot tell.
pub trait Watch: Send + Sync {
    /// Observes one write. Called in the writing task, after the write, under no lock of the
    /// persister, so it may read from the persister. Must not block, sleep, lock a `Mutex` or draw
    /// random numbers.
    fn wrote(&self, write: &Write<'_>);
}

/// A server's stable storage. A clone is another handle to the same storage.
///
/// ```
/// use raftlab::api::{Entry, Index, Term};
/// use raftlab::persister::{Persister, Unsynced};
///
/// let persister = Persister::new();
/// let entry = |index| Entry { term: Term(1), index: Index(index), data: "x".into() };
/// persister.append(&[entry(1)]);
/// persister.sync().unwrap();
/// persister.append(&[entry(2)]);
///
/// let next_life = persister.crash(Unsynced::LoseAll);
/// assert_eq!(next_life.load().unwrap().entries, [entry(1)]);
/// ```
#[derive(Clone)]
pub struct Persister {
    disk: Arc<Quiet<Disk>>,
}

/// The storage of one life of a server.
struct Disk {
    store: Store,
    journal: Journal,
    watches: Watches,
    /// The life is over: later writes are lost.
    crashed: bool,
    /// Set by [`Persister::fail_next_sync`], cleared by the sync that fails.
    sync_fails: bool,
    /// Number of lives before this one.
    crash_count: u64,
    /// The imported content, if it is damaged.
    damaged: Option<Arc<[u8]>>,
}

/// `None` is the common case, in which a write costs nothing extra.
type Watches = Option<Arc<[Arc<dyn Watch>]>>;

/// Counts the drawn crashes of the current run.
#[derive(Default)]
struct CrashesDrawn(AtomicU64);

impl Persister {
    /// Makes the empty storage of a server that has never run.
    pub fn new() -> Persister {
        Persister::of(Store::new(), 0, None)
    }

    fn of(store: Store, crash_count: u64, damaged: Option<Arc<[u8]>>) -> Persister {
        let (journal, watches) = (Journal::default(), None);
        let (crashed, sync_fails) = (false, false);
        let disk = Disk { store, journal, watches, crashed, sync_fails, crash_count, damaged };
        Persister { disk: Arc::new(Quiet::new(disk)) }
    }

    /// Writes term and vote together: a vote stored without its term could be given twice.
    pub fn save_vote(&self, current_term: Term, voted_for: Option<ServerId>) {
        let write = Write::Vote { term: current_term, voted_for };
        self.write(&write, |disk| disk.journal.save_vote(current_term, voted_for));
    }

    /// Writes `entries`, which replace everything stored from the first entry's index on.
    ///
    /// # Panics
    /// When the indices are not consecutive, leave a gap after the stored log, or begin within the
    /// snapshot. Each of these is a bug of the caller; storing the entries would hide the bug until
    /// a restart.
    pub fn append(&self, entries: &[Entry]) {
        if !entries.is_empty() {
            let write = Write::Append(entries);
            self.write(&write, |disk| disk.journal.append(&disk.store, entries));
        }
    }

    /// Writes a snapshot and drops the log up to it, in one step.
    ///
    /// The entries after `last_included` stay only if the log's entry at that index has its term:
    /// "If existing log entry has same index and term as snapshot's last included entry, retain log
    /// entries following it" (Figure 13, step 6).
    pub fn save_snapshot(&self, last_included: Position, data: Bytes) {
        let write = Write::Snapshot(last_included);
        self.write(&write, |disk| disk.journal.save_snapshot(&disk.store, last_included, &data));
    }

    /// Adds a write to the journal, unless this life is over, and shows it to the watches.
    fn write(&self, write: &Write<'_>, add: impl FnOnce(&mut Disk)) {
        let watches = self.disk.with(|disk| {
            if disk.crashed {
                return None;
            }
            add(disk);
            disk.watches.clone()
        });
        show(&watches, write);
    }

    /// Makes all writes so far durable; before that, the server may not promise them to others.
    ///
    /// # Errors
    /// On any error the server stops, or syncs again. Until a sync succeeds, it promises nothing.
    pub fn sync(&self) -> Result<(), PersistError> {
        let watches = self.disk.with(|disk| {
            if disk.crashed {
                return Ok(None);
            }
            disk.check()?;
            if std::mem::take(&mut disk.sync_fails) {
                return Err(PersistError::Io(std::io::Error::other("the device did not answer")));
            }
            disk.journal.apply_first(disk.journal.len(), &mut disk.store);
            Ok::<Watches, PersistError>(disk.watches.clone())
        })?;
        show(&watches, &Write::Synced);
        Ok(())
    }

    /// Lets the next sync of this life fail: it makes nothing durable and returns an error.
    ///
    /// The writes before it are not lost, so a server may sync again.
    pub fn fail_next_sync(&self) {
        self.disk.with(|disk| disk.sync_fails = true);
    }

    /// Returns the durable state; `Persisted::default()` if nothing was ever synced.
    ///
    /// # Errors
    /// [`PersistError::Damaged`]: the server must not start.
    pub fn load(&self) -> Result<Persisted, PersistError> {
        read::read(&self.export())
    }

    /// Returns the size of term, vote and log in bytes, without the snapshot, as of the last sync.
    /// The cost does not depend on the log's length.
    pub fn raft_state_size(&self) -> usize {
        self.disk.with(|disk| disk.store.raft_state_size())
    }

    /// Returns the size of the service's snapshot in bytes, 0 without one, as of the last sync.
    pub fn snapshot_size(&self) -> usize {
        self.disk.with(|disk| disk.store.snapshot_size())
    }

    /// Crashes this storage now, and returns what is left of it for the server's next life.
    ///
    /// The result holds all that was synced and, as `keep` says, a prefix of the later writes; all
    /// of it is durable. Later writes through this handle and its clones are lost, and their `sync`
    /// returns `Ok`: a dying instance must not notice. The watches are not carried over.
    ///
    /// # Panics
    /// When this life has crashed before: use the storage that the first crash returned.
    #[must_use]
    pub fn crash(&self, keep: Unsynced) -> Persister {
        self.disk.with(|disk| {
            assert!(!disk.crashed, "storage that crashed crashes again: use its next life");
            disk.crashed = true;
            let kept_count = match keep {
                Unsynced::LoseAll => 0,
                Unsynced::KeepAll => disk.journal.len(),
                Unsynced::Draw => draw_prefix(disk.journal.len(), disk.crash_count),
            };
            let mut store = disk.store.clone();
            disk.journal.apply_first(kept_count, &mut store);
            Persister::of(store, disk.crash_count + 1, disk.damaged.clone())
        })
    }

    /// Returns a reference that tells whether anything still holds the storage of this life.
    pub(crate) fn downgrade(&self) -> Weak<dyn Send + Sync> {
        Arc::<Quiet<Disk>>::downgrade(&self.disk)
    }

    /// Returns the term of the durable entry at `index`, also of the snapshot's last entry.
    ///
    /// `None` beyond the durable log and before [`durable_snapshot`](Persister::durable_snapshot).
    pub fn durable_term(&self, index: Index) -> Option<Term> {
        self.disk.with(|disk| disk.store.term(index))
    }

    /// Returns the durable term and vote.
    pub fn durable_vote(&self) -> (Term, Option<ServerId>) {
        self.disk.with(|disk| disk.store.vote())
    }

    /// Returns the last entry that the durable snapshot covers; 0/0 without a snapshot.
    pub fn durable_snapshot(&self) -> Position {
        self.disk.with(|disk| disk.store.last_included())
    }

    /// Returns the last durable entry, in the log or in the snapshot; 0/0 without one.
    pub fn durable_last(&self) -> Position {
        self.disk.with(|disk| disk.store.last())
    }

    /// Adds `watch`, which sees every later write of this life, after the watches added before.
    pub fn watch(&self, watch: Arc<dyn Watch>) {
        self.disk.with(|disk| {
            let watches = disk.watches.iter().flat_map(|watches| watches.iter().cloned());
            disk.watches = Some(watches.chain([watch]).collect());
        });
    }

    /// Returns the durable content as the bytes that a file would hold.
    pub fn export(&self) -> Vec<u8> {
        self.disk.with(|disk| match &disk.damaged {
            Some(bytes) => bytes.to_vec(),
            None => disk.store.export(),
        })
    }

    /// Makes storage that holds `bytes`, which came from [`export`](Persister::export).
    ///
    /// Never fails: [`load`](Persister::load) reports damage, when the server starts, and so does
    /// `sync`, since nothing can be added to content that cannot be read.
    pub fn import(bytes: &[u8]) -> Persister {
        match read::read(bytes) {
            Ok(persisted) => Persister::of(Store::import(&persisted), 0, None),
            Err(_) => Persister::of(Store::new(), 0, Some(Arc::from(bytes))),
        }
    }
}

impl Disk {
    /// Checks that the content can be read at all.
    fn check(&self) -> Result<(), PersistError> {
        self.damaged.as_ref().map_or(Ok(()), |bytes| read::read(bytes).map(drop))
    }
}

/// Calls the watches outside the lock: they may read from the persister.
fn show(watches: &Watches, write: &Write<'_>) {
    for watch in watches.iter().flat_map(|watches| watches.iter()) {
        watch.wrote(write);
    }
}

/// Draws how many of `write_count` unsynced writes survive a drawn crash.
fn draw_prefix(write_count: usize, crash_count: u64) -> usize {
    let kept_count = crash_chance(crash_count).below(write_count as u64 + 1);
    usize::try_from(kept_count).expect("at most the count of writes")
}

/// Returns the random stream of one drawn crash, named by the crash's number within the run.
/// Outside a run, the number is `crash_count`: how often this one server has crashed.
pub(crate) fn crash_chance(crash_count: u64) -> Chance {
    let number = if runtime::in_run() {
        let counter = runtime::local::<CrashesDrawn>().unwrap_or_else(|| {
            let counter = Arc::new(CrashesDrawn::default());
            runtime::set_local(counter.clone());
            counter
        });
        counter.0.fetch_add(1, Ordering::Relaxed)
    } else {
        crash_count
    };
    runtime::rand::stream(&format!("persister crash {number}"))
}

impl Default for Persister {
    fn default() -> Persister {
        Persister::new()
    }
}
