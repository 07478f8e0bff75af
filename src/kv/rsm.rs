//! The layer between a log and a service: a state machine that is replicated.
//!
//! The service gives an operation to [`Rsm::submit`] and has its answer when *that very
//! operation*, and no other, was applied on this server; or it learns why there is none. In
//! between are the log, the apply channel, and whatever happens to the leader:
//!
//! ```text
//! submit(op) ──► Consensus::start ──► (index, term) ──► waiters
//!      ▲                                                   │ same index, same term:
//!      └──────────────── output ◄──────────────────────────┤ here is your output
//!                                                          │
//! apply_ch ──► reader: StateMachine::apply ────────────────┘
//! ```
//!
//! The lock is held around `start`, which returns at once, until the operation is registered:
//! so its entry cannot be applied before somebody waits for it.
//!
//! # What it promises
//!
//! - An output belongs to the operation that it is returned for.
//! - A wait ends: with the output; when another entry proves the operation's own lost; when this
//!   server leads no more, looked at every [`LEADERSHIP_CHECK_INTERVAL`]; when the instance ends.
//! - The reader of the apply channel waits for nobody, so a submitter that gave up or stalls
//!   holds nothing back.
//! - The log is dropped up to a snapshot whenever the raft state passes its bound.
//!
//! # What it does not
//!
//! - To apply an operation once: who submits again may have it applied twice. That is for the
//!   state machine to see (`machine.rs` does, by sessions).
//! - An answer from a leader that is cut off and does not know: it waits, and so do we.
//!
//! Read next: `waiters.rs` for who gets which outcome, `reader.rs` for the other side.

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

/// How often a task that waits for its entry looks whether its server still leads.
///
/// Nothing else tells it where a leader is deposed and no new entry arrives. Short against the
/// second within which waits must end after a partition heals, long against a commit.
pub const LEADERSHIP_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// One server's replica of a state machine. A clone is another handle to the same replica.
pub struct Rsm<S: StateMachine> {
    consensus: Arc<dyn Consensus>,
    shared: Arc<Shared<S>>,
    reads: Reads,
}

/// What submitters and the reader share. It knows no consensus, so the reader keeps none alive.
pub(super) struct Shared<S: StateMachine> {
    pub(super) replica: Mutex<Replica<S>>,
    /// Wakes reads that wait for an index to be applied.
    pub(super) applied: Condvar,
}

/// The state machine, how far it is, and who waits for it to get further.
pub(super) struct Replica<S: StateMachine> {
    pub(super) machine: S,
    /// Highest index whose effect is in `machine`. Starts at the snapshot's end; never falls.
    pub(super) last_applied: Index,
    pub(super) waiters: Waiters<S::Output>,
    /// How many tasks wait on [`Shared::applied`].
    pub(super) waiting_reads: usize,
    /// The instance has ended: nothing is applied or answered any more.
    pub(super) stopped: bool,
}

impl<S: StateMachine> Rsm<S> {
    /// Starts the replica of the server whose consensus is `consensus`.
    ///
    /// `machine` is in its initial state; what is `stored` of earlier lives is restored here.
    /// Reads `apply_ch` in a task of its own, until the last sender is gone.
    ///
    /// # Errors
    /// [`RestoreError`]: what is stored cannot be read. The server must not start.
    pub fn start(
        consensus: Arc<dyn Consensus>,
        apply_ch: Receiver<ApplyMsg>,
        machine: S,
        stored: Stored,
        config: RsmConfig,
    ) -> Result<Rsm<S>, RestoreError> {
        let shared = Arc::new(Shared::restored(machine, &stored)?);
        let reader = Reader::new(&consensus, shared.clone(), stored.persister, config);
        let server = thread::label().map_or_else(String::new, |label| label.to_string());
        thread::spawn(format!("rsm{server}/apply"), move || reader.run(&apply_ch));
        Ok(Rsm { consensus, shared, reads: config.reads })
    }

    /// Puts `op` into the log and waits until it is applied here.
    ///
    /// # Errors
    /// [`SubmitError`] says whether it may be applied all the same.
    pub fn submit(&self, op: &S::Op) -> Result<S::Output, SubmitError> {
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

    /// Answers `op`, which should change nothing, in the way that [`RsmConfig::reads`] says.
    ///
    /// An operation that does change something goes through the log, as with [`Rsm::submit`].
    ///
    /// # Errors
    /// As [`Rsm::submit`].
    pub fn read(&self, op: &S::Op) -> Result<S::Output, SubmitError> {
        if self.reads == Reads::ThroughLog {
            return self.submit(op);
        }
        let index = self.consensus.read_index().map_err(SubmitError::NotLeader)?;
        let output = index.map(|index| self.read_at(index, op)).transpose()?;
        output.flatten().map_or_else(|| self.submit(op), Ok)
    }

    /// Answers `op` from the state once everything up to `index` is in it.
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

    /// Looks at the state machine as it stands on this server, which may lag behind the others.
    pub fn inspect<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.shared.replica.lock().machine)
    }

    /// Ends the instance and its consensus. Whoever waits returns. Idempotent.
    pub fn kill(&self) {
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
    /// Tells everybody that the instance has ended.
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
