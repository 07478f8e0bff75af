//! The reader of the apply channel: applies, answers, and takes snapshots.
//!
//! One task per server, which alone changes the state machine, so the order of the log is the
//! order of the changes. It calls `Consensus::snapshot` in place, where it receives, but not
//! under its lock. When the instance has ended it goes on receiving, and forgets: a consensus
//! that is waiting to send must be able to end too.

use std::sync::{Arc, Weak};

use super::rsm::{Replica, RestoreError, RsmConfig, Shared, StateMachine};
use super::waiters::Waiters;
use crate::api::{ApplyMsg, Consensus, Position};
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::Receiver;
use crate::runtime::sync::{Condvar, Mutex};

/// What an entry costs in the raft state beside its command, in bytes, about.
const ENTRY_OVERHEAD: usize = 8;

/// Why a replica does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The storage cannot be read.
    #[error(transparent)]
    Storage(#[from] PersistError),
    /// The storage can be read, but not the snapshot in it.
    #[error(transparent)]
    Snapshot(#[from] RestoreError),
}

/// What the task that reads the apply channel has.
pub(super) struct Reader<S: StateMachine> {
    /// Weak: a consensus that owns the channel's sending half must be able to go.
    consensus: Weak<dyn Consensus>,
    shared: Arc<Shared<S>>,
    persister: Persister,
    raft_state_max: Option<usize>,
    /// Bytes of the entries applied since the last snapshot: what the next one would drop.
    droppable: usize,
}

impl<S: StateMachine> Shared<S> {
    /// `machine` with what `persister` has of earlier lives.
    pub(super) fn restored(mut machine: S, persister: &Persister) -> Result<Shared<S>, StartError> {
        let persisted = persister.load()?;
        if let Some(snapshot) = &persisted.snapshot {
            machine.restore(snapshot)?;
        }
        let Position { term, index: last_applied } = persisted.last_included;
        let waiters = Waiters::new(term);
        let replica = Replica { machine, last_applied, waiters, waiting_reads: 0, stopped: false };
        Ok(Shared { replica: Mutex::new(replica), applied: Condvar::new() })
    }
}

impl<S: StateMachine> Reader<S> {
    pub(super) fn new(
        consensus: &Arc<dyn Consensus>,
        shared: Arc<Shared<S>>,
        persister: Persister,
        config: RsmConfig,
    ) -> Reader<S> {
        let consensus = Arc::downgrade(consensus);
        let raft_state_max = config.raft_state_max;
        Reader { consensus, shared, persister, raft_state_max, droppable: 0 }
    }

    /// Receives until no sender is left; then nobody will ever be answered again.
    pub(super) fn run(mut self, apply_ch: &Receiver<ApplyMsg>) {
        for message in apply_ch.iter() {
            match message {
                ApplyMsg::Command { index, term, command } => {
                    self.apply(Position { term, index }, &command);
                }
                ApplyMsg::Snapshot { last_included, data } => self.install(last_included, &data),
            }
        }
        self.shared.stop();
    }

    /// Applies one entry and answers who waits for it.
    ///
    /// What the state already has is passed over: a snapshot that was restored may be ahead of
    /// the first entries that come.
    fn apply(&mut self, at: Position, command: &[u8]) {
        let mut replica = self.shared.replica.lock();
        if replica.stopped || at.index <= replica.last_applied {
            return;
        }
        let expected = replica.last_applied.next();
        assert_eq!(at.index, expected, "the apply channel skips from {expected} to {at}");
        let op = postcard::from_bytes(command)
            .unwrap_or_else(|error| panic!("the entry {at} is no operation: {error}"));
        let output = replica.machine.apply(op);
        replica.last_applied = at.index;
        replica.waiters.applied(at, output);
        self.wake_reads(&replica);
        self.droppable += command.len() + ENTRY_OVERHEAD;
        if self.snapshot_is_due() {
            let data = replica.machine.snapshot();
            drop(replica);
            self.droppable = 0;
            if let Some(consensus) = self.consensus.upgrade() {
                consensus.snapshot(at.index, data);
            }
        }
    }

    /// Whether the raft state is over its bound, and a snapshot would help.
    ///
    /// The raft state also has entries that are not applied yet, which no snapshot drops. While
    /// they alone pass the bound, every snapshot is to drop at least half a bound's worth, or
    /// there would be one with each entry.
    fn snapshot_is_due(&self) -> bool {
        self.raft_state_max.is_some_and(|bound| {
            self.droppable >= bound / 2 && self.persister.raft_state_size() > bound
        })
    }

    /// Puts a leader's snapshot in the place of the state, unless the state is further already.
    fn install(&mut self, last_included: Position, data: &[u8]) {
        let mut replica = self.shared.replica.lock();
        if replica.stopped || last_included.index <= replica.last_applied {
            return;
        }
        let restored = replica.machine.restore(data);
        restored.unwrap_or_else(|error| panic!("the snapshot up to {last_included}: {error}"));
        replica.last_applied = last_included.index;
        replica.waiters.installed(last_included);
        self.wake_reads(&replica);
        self.droppable = 0;
    }

    fn wake_reads(&self, replica: &Replica<S>) {
        if replica.waiting_reads > 0 {
            self.shared.applied.notify_all();
        }
    }
}
