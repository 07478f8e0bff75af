//! The layer between a log and a service: a replicated state machine.
//!
//! The service passes an operation to [`Rsm::submit`]. It gets the output once *that operation*,
//! and no other, was applied on this server, or an error that says why there is no output. In
//! between are the log and the apply channel:
//!
//! ```text
//! submit(op) ──► Consensus::start ──► (index, term) ──► waiters
//!      ▲                                                   │ same index, same term:
//!      └──────────────── output ◄──────────────────────────┤ this is its output
//!                                                          │
//! apply_ch ──► reader: StateMachine::apply ────────────────┘
//! ```
//!
//! `submit` holds the lock from before `start`, which returns at once, until the operation is
//! registered: so its entry cannot be applied before there is a waiter for it.
//!
//! # What it promises
//!
//! - An output belongs to the operation that it is returned for.
//! - Each wait ends: with the output; when another entry proves that the operation's entry is lost;
//!   when this server no longer leads, checked every [`LEADERSHIP_CHECK_INTERVAL`]; or when the
//!   instance ends.
//! - The reader of the apply channel never waits for a submitter, so a submitter that gave up or
//!   stalls delays nothing.
//! - When the raft state exceeds its bound, a snapshot replaces the log up to the last applied
//!   entry, if that frees at least half of the bound.
//!
//! # Not promised
//!
//! - An operation that is submitted twice may be applied twice. The state machine has to detect
//!   that (`machine.rs` does, by sessions).
//! - A partitioned leader does not know that it was deposed: until it finds out, `submit` blocks.
//!
//! Read next: `waiters.rs` for the outcome of each operation, `reader.rs` for the task that applies
//! them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::reader::Reader;
use super::waiters::Waiters;
use crate::api::{
    ApplyMsg, Consensus, Index, Reads, RestoreError, RsmConfig, StateMachine, SubmitError, Term,
};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;
use crate::runtime::sync::{Condvar, Mutex};
use crate::runtime::thread;

/// Interval at which a task that waits for its entry checks whether its server still leads.
///
/// If the leader is deposed and no new entry arrives, only this check ends the wait. The interval
/// is short against the second within which waits must end after a partition heals, and long
/// against a commit.
pub const LEADERSHIP_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// One server's replica of a state machine. A clone is another handle to the same replica.
pub struct Rsm<S: StateMachine> {
    consensus: Arc<dyn Consensus>,
    shared: Arc<Shared<S>>,
    reads: Reads,
}

/// The state that submitters and the reader share. It has no handle to the consensus, so that the
/// reader does not keep the consensus alive.
pub(super) struct Shared<S: StateMachine> {
    pub(super) replica: Mutex<Replica<S>>,
    /// Wakes reads that wait for an index to be applied.
    pub(super) applied: Condvar,
}

/// The state machine, its last applied index, and the tasks that wait for later entries.
pub(super) struct Replica<S: StateMachine> {
    pub(super) machine: S,
    /// Highest index whose effect is in `machine`. Starts at the snapshot's end; never falls.
    pub(super) last_applied: Index,
    pub(super) waiters: Waiters<S::Output>,
    /// Number of tasks that wait on [`Shared::applied`].
    pub(super) waiting_reads: usize,
    /// Whether the instance has ended: then it applies no entry and answers no operation.
    pub(super) stopped: bool,
}

impl<S: StateMachine> Rsm<S> {
    /// Starts the replica of the server whose consensus is `consensus`.
    ///
    /// `machine` is in its initial state; this call restores the snapshot that earlier lives
    /// `stored`. A new task reads `apply_ch`, until the last sender is gone.
    ///
    /// # Errors
    /// [`RestoreError`]: the stored snapshot cannot be read. The server must not start.
    pub fn start(
        consensus: Arc<dyn Consensus>,
        apply_ch: Receiver<ApplyMsg>,
        machine: S,
        stored: Stored,
        config: RsmConfig,
    ) -> Result<Rsm<S>, RestoreError> {
        // Handout 3A: start a task that runs the reader; 3B first restores the stored snapshot.
        let shared = Arc::new(Shared::restored(machine, &stored)?);
        let reader = Reader::new(&consensus, shared.clone(), stored.persister, config);
        let server = thread::label().map_or_else(String::new, |label| label.to_string());
        thread::spawn(format!("rsm{server}/apply"), move || reader.run(&apply_ch));
        Ok(Rsm { consensus, shared, reads: config.reads })
    }

    /// Puts `op` into the log and waits until this server has applied it.
    ///
    /// # Errors
    /// [`SubmitError`] says whether the operation may be applied nevertheless.
    pub fn submit(&self, op: &S::Op) -> Result<S::Output, SubmitError> {
        // Handout 3A: put the operation into the log, and wait until this server has applied it.
        let command = encode(op);
        let mut replica = self.shared.replica.lock();
        if replica.stopped {
            return Err(SubmitError::Stopped);
        }
        let started = self.consensus.start(command).map_err(SubmitError::NotLeader)?;
        let wake = replica.waiters.register(started);
        loop {
            if let Some(outcome) = replica.waiters.fetch(started) {
                return outcome;
            }
            let looks = wake.wait_for(&mut replica, LEADERSHIP_CHECK_INTERVAL);
            if looks && !replica.waiters.is_done(started) && !self.leads(started.term) {
                replica.waiters.forget(started);
                return Err(SubmitError::LeadershipLost);
            }
        }
    }

    /// Whether this server still leads `term`.
    fn leads(&self, term: Term) -> bool {
        let now = self.consensus.get_state();
        now.is_leader && now.term == term
    }

    /// Answers `op`, which should not change the state, in the way that [`RsmConfig::reads`] says.
    ///
    /// An operation that does change the state goes through the log, as with [`Rsm::submit`].
    ///
    /// # Errors
    /// Those of [`Rsm::submit`].
    pub fn read(&self, op: &S::Op) -> Result<S::Output, SubmitError> {
        if self.reads == Reads::ThroughLog {
            return self.submit(op);
        }
        let index = self.consensus.read_index().map_err(SubmitError::NotLeader)?;
        let output = index.map(|index| self.read_at(index, op)).transpose()?;
        output.flatten().map_or_else(|| self.submit(op), Ok)
    }

    /// Answers `op` from the state, once all entries up to `index` are applied.
    fn read_at(&self, index: Index, op: &S::Op) -> Result<Option<S::Output>, SubmitError> {
        let mut replica = self.shared.replica.lock();
        while !replica.stopped && replica.last_applied < index {
            replica.waiting_reads += 1;
            let timed_out = self.shared.applied.wait_for(&mut replica, LEADERSHIP_CHECK_INTERVAL);
            replica.waiting_reads -= 1;
            if timed_out && replica.last_applied < index && !self.consensus.get_state().is_leader {
                return Err(SubmitError::LeadershipLost);
            }
        }
        if replica.stopped {
            return Err(SubmitError::Stopped);
        }
        Ok(replica.machine.read(op))
    }

    /// Reads the state machine of this server, which may lag behind the others.
    pub fn inspect<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        // Handout 3A: call `look` on the state machine, under its lock.
        look(&self.shared.replica.lock().machine)
    }

    /// Ends the instance and its consensus. Every call that waits returns. Idempotent.
    pub fn kill(&self) {
        // Handout 3A: kill the consensus, and end every wait.
        self.consensus.kill();
        self.shared.stop();
    }
}

impl<S: StateMachine> Clone for Rsm<S> {
    fn clone(&self) -> Rsm<S> {
        let (consensus, shared) = (self.consensus.clone(), self.shared.clone());
        Rsm { consensus, shared, reads: self.reads }
    }
}

impl<S: StateMachine> Shared<S> {
    /// Ends the instance, and wakes all tasks that wait.
    pub(super) fn stop(&self) {
        let mut replica = self.replica.lock();
        replica.stopped = true;
        replica.waiters.stop();
        self.applied.notify_all();
    }
}

/// Encodes an operation for the log.
fn encode<T: Serialize>(op: &T) -> Bytes {
    let encoded = postcard::to_allocvec(op);
    Bytes::from(encoded.expect("operations are plain data, which can always be encoded"))
}
