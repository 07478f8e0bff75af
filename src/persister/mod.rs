//! What survives a crash: term, vote, log and snapshot (Figure 2, persistent state; Raft §7).
//!
//! A server writes what changed, and only that: a vote, a few entries, a snapshot. Writes are kept
//! in order and are not durable before [`sync`](Persister::sync), and nothing may be promised to
//! another server before it is durable. A crash keeps all that was synced and the first few of the
//! writes since, as a disk would:
//!
//! ```text
//!            durable                    │ since the last sync
//! vote 4/S1 │ snapshot 3/9 │ 10 11 12   │ append 12' 13'   vote 5/-   append 14'
//!                                       │            │          │            │
//! a crash leaves one of                 ▲            ▲          ▲            ▲
//! ```
//!
//! Two rules make it as cheap as it is exact. Writing costs what is written, whatever the log's
//! length: no rule here looks at entries that are not its own. And everything that is *read*, from
//! [`load`](Persister::load) to the sizes, is about the durable state: what a crash now would
//! surely leave.
//!
//! What it promises: order; a snapshot and the dropping of the log before it are one write;
//! content that is not as it was written is [`PersistError::Damaged`] with its place, never a panic
//! and never an empty state. What it does not: to check Raft. It stores a term that goes down or a
//! snapshot that moves backwards; a [`Watch`] can look on and judge.
//!
//! Everything is in memory, encoded as a file would be. No method is a scheduling point.
//!
//! Read [`Persister`] first; `journal.rs` has the writes, `store.rs` what they are carried out on,
//! `frame.rs` the format.

mod error;
mod frame;
mod journal;
mod read;
mod store;
mod stored;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::runtime;
use crate::runtime::rand::Chance;
use crate::runtime::sync::Quiet;

use journal::Journal;
use store::Store;

pub use error::PersistError;
pub use stored::{Stored, plain_snapshot};

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
    /// The first few survive, between none and all. How many is a function of the run's seed and of
    /// how many crashes of this kind, of any server, came before it in the run.
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
    /// The life is over: what is written now vanishes.
    crashed: bool,
    /// The next sync fails.
    sync_fails: bool,
    /// How many lives came before this one.
    crash_count: u64,
    /// The content as it was imported, where it is damaged.
    damaged: Option<Arc<[u8]>>,
}

/// None is the common case, and costs a write nothing.
type Watches = Option<Arc<[Arc<dyn Watch>]>>;

/// How many crashes the current run has had whose outcome was drawn.
#[derive(Default)]
struct CrashesDrawn(AtomicU64);

impl Persister {
    /// Empty storage, of a server that has never run.
    pub fn new() -> Persister {
        Persister::of(Store::new(), 0, None)
    }

    fn of(store: Store, crash_count: u64, damaged: Option<Arc<[u8]>>) -> Persister {
        let (journal, watches) = (Journal::default(), None);
        let (crashed, sync_fails) = (false, false);
        let disk = Disk { store, journal, watches, crashed, sync_fails, crash_count, damaged };
        Persister { disk: Arc::new(Quiet::new(disk)) }
    }

    /// Writes term and vote, together: a vote without its term could be given twice.
    pub fn save_vote(&self, current_term: Term, voted_for: Option<ServerId>) {
        let write = Write::Vote { term: current_term, voted_for };
        self.write(&write, |disk| disk.journal.save_vote(current_term, voted_for));
    }

    /// Writes `entries`, in place of everything stored from the first one's index on.
    ///
    /// # Panics
    /// When the indices are not consecutive, leave a gap after what is stored, or begin within the
    /// snapshot. Each is a bug of the caller, and storing it would hide the bug until a restart.
    pub fn append(&self, entries: &[Entry]) {
        if !entries.is_empty() {
            let write = Write::Append(entries);
            self.write(&write, |disk| disk.journal.append(&disk.store, entries));
        }
    }

    /// Writes a snapshot, in one step with dropping the log up to it.
    ///
    /// The entries after `last_included` stay only if the entry there has its term: "If existing
    /// log entry has same index and term as snapshot's last included entry, retain log entries
    /// following it" (Figure 13, step 6).
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

    /// Makes all writes so far durable: only now may they be promised to anyone.
    ///
    /// # Errors
    /// Any: the server stops, or syncs again. Until a sync succeeds, it promises nothing.
    pub fn sync(&self) -> Result<(), PersistError> {
        let watches = self.disk.with(|disk| {
            if disk.crashed {
                return Ok(None);
            }
            disk.check()?;
            if std::mem::take(&mut disk.sync_fails) {
                return Err(PersistError::Io(std::io::Error::other("the device did not answer")));
            }
            disk.journal.carry_out(disk.journal.len(), &mut disk.store);
            Ok::<Watches, PersistError>(disk.watches.clone())
        })?;
        show(&watches, &Write::Synced);
        Ok(())
    }

    /// Has the next sync of this life fail: it makes nothing durable, and says so.
    ///
    /// The writes before it are not lost, so that a server may sync again.
    pub fn fail_next_sync(&self) {
        self.disk.with(|disk| disk.sync_fails = true);
    }

    /// What is durable; `Persisted::default()` when nothing was ever synced.
    ///
    /// # Errors
    /// [`PersistError::Damaged`]: the server does not start.
    pub fn load(&self) -> Result<Persisted, PersistError> {
        read::read(&self.export())
    }

    /// Bytes that term, vote and log take. As of the last sync, without the snapshot, at once.
    pub fn raft_state_size(&self) -> usize {
        self.disk.with(|disk| disk.store.raft_state_size())
    }

    /// Bytes of the service's snapshot, 0 without one. As of the last sync, at once.
    pub fn snapshot_size(&self) -> usize {
        self.disk.with(|disk| disk.store.snapshot_size())
    }

    /// The storage as a crash at this moment leaves it, for the server's next life.
    ///
    /// It holds all that was synced and, as `keep` says, a prefix of the writes since; all of it
    /// is durable. What is written to this handle and its clones from now on vanishes, and their
    /// `sync` says `Ok`: a dying instance must not notice. Watches stay behind.
    ///
    /// # Panics
    /// When this life has crashed before: the server's storage is what that crash returned.
    #[must_use]
    pub fn crash(&self, keep: Unsynced) -> Persister {
        self.disk.with(|disk| {
            assert!(!disk.crashed, "storage that crashed crashes again: go on with its next life");
            disk.crashed = true;
            let kept_count = match keep {
                Unsynced::LoseAll => 0,
                Unsynced::KeepAll => disk.journal.len(),
                Unsynced::Draw => draw_prefix(disk.journal.len(), disk.crash_count),
            };
            let mut store = disk.store.clone();
            disk.journal.carry_out(kept_count, &mut store);
            Persister::of(store, disk.crash_count + 1, disk.damaged.clone())
        })
    }

    /// The term of the durable entry at `index`, also of the last one in the snapshot.
    ///
    /// `None` beyond the durable log and before [`durable_snapshot`](Persister::durable_snapshot).
    pub fn durable_term(&self, index: Index) -> Option<Term> {
        self.disk.with(|disk| disk.store.term(index))
    }

    /// The durable term and vote.
    pub fn durable_vote(&self) -> (Term, Option<ServerId>) {
        self.disk.with(|disk| disk.store.vote())
    }

    /// The last entry that the durable snapshot covers; 0/0 without one.
    pub fn durable_snapshot(&self) -> Position {
        self.disk.with(|disk| disk.store.last_included())
    }

    /// The last durable entry, in the log or in the snapshot; 0/0 without one.
    pub fn durable_last(&self) -> Position {
        self.disk.with(|disk| disk.store.last())
    }

    /// Shows every later write of this life to `watch`, after the watches that are there.
    pub fn watch(&self, watch: Arc<dyn Watch>) {
        self.disk.with(|disk| {
            let watches = disk.watches.iter().flat_map(|watches| watches.iter().cloned());
            disk.watches = Some(watches.chain([watch]).collect());
        });
    }

    /// The durable content as bytes, as a file would hold it.
    pub fn export(&self) -> Vec<u8> {
        self.disk.with(|disk| match &disk.damaged {
            Some(bytes) => bytes.to_vec(),
            None => disk.store.export(),
        })
    }

    /// Storage that holds `bytes`, from [`export`](Persister::export).
    ///
    /// Never fails: damage is found where a server meets it, by [`load`](Persister::load), and by
    /// `sync`, since nothing can be added to content that cannot be read.
    pub fn import(bytes: &[u8]) -> Persister {
        match read::read(bytes) {
            Ok(persisted) => Persister::of(Store::import(&persisted), 0, None),
            Err(_) => Persister::of(Store::new(), 0, Some(Arc::from(bytes))),
        }
    }
}

impl Disk {
    /// Whether the content can be read at all.
    fn check(&self) -> Result<(), PersistError> {
        self.damaged.as_ref().map_or(Ok(()), |bytes| read::read(bytes).map(drop))
    }
}

/// Calls the watches, outside the lock: they may ask the persister.
fn show(watches: &Watches, write: &Write<'_>) {
    for watch in watches.iter().flat_map(|watches| watches.iter()) {
        watch.wrote(write);
    }
}

/// How many of `write_count` unsynced writes survive, the drawn crash of a run.
fn draw_prefix(write_count: usize, crash_count: u64) -> usize {
    let kept_count = crash_chance(crash_count).below(write_count as u64 + 1);
    usize::try_from(kept_count).expect("at most the count of writes")
}

/// What a drawn crash draws from: each crash has a stream of its own, named by its number in the
/// run. Outside a run it is the number in the life of this one server.
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
