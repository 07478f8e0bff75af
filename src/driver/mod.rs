//! The driver of a tick-based core: its thread, its clock, its disk, its network.
//!
//! A core ([`tick`](crate::tick)) does nothing by itself. One task, the *worker*, owns and drives
//! it: everything that happens to the server reaches the worker as an event, through one queue.
//!
//! ```text
//!  service ── start, snapshot, read ──┐          ┌────── worker ──────┐
//!  peers ──── deliver(message) ───────┼─ queue ─►│ handle all events  │
//!  calls ──── response, or lost ──────┘          │ tick, if it is due │
//!                                                │                    │
//!  persister ◄── term, vote, entries, snapshot ──│ while ready:       │
//!  peers ◄────── each message in its own call ───│   store, send,     │
//!  service ◄──── applier ◄─── queue ─────────────│   apply, advance   │
//!                                                └────────────────────┘
//! ```
//!
//! The RPC style must say when each thread may do what; here there is one order for everything,
//! and no lock. The worker waits only for its queue and for the next tick. It never waits for a
//! peer (every call has a short task of its own) or for the service (the applier has a queue of
//! its own, which grows while the service is slow).
//!
//! The worker empties its queue before it asks the core what to do, so commands that arrive
//! together are stored, sent and counted together.
//!
//! # What it promises
//!
//! - The state that a message relies on is durable before the message leaves.
//! - A response travels as the reply of the call that carried its request, so the network's faults
//!   of replies apply to it. None of our cores sends a response without such a call.
//! - The service counts only commands: it does not see the no-op entry that a leader begins its
//!   term with (`numbering.rs`).
//! - A killed instance stops soon, whether or not its peers answer and its service listens.
//!
//! # Not promised
//!
//! - A command that [`start`](Consensus::start) accepted may not be stored yet when `start`
//!   returns. It is stored before any other server hears of it.
//! - There is no back-pressure: if a service stays too slow, its applier's queue keeps growing.
//!
//! # Where to read next
//!
//! `event_loop.rs` is the worker's loop with its queue and its clock, `handle.rs` is the other end
//! of the queue, and `post.rs` sends messages; module `store` has a worker of its own in the same
//! loop. `worker.rs` is the worker of this module. `core.rs` has the trait of a core and implements
//! it for our own; `raft_rs` adapts the crate `raft`, in a build with the feature `raft-rs`.
//! `numbering.rs` counts commands; `timing.rs` has every number with its reason.

mod core;
mod event_loop;
mod handle;
mod numbering;
mod post;
#[cfg(feature = "raft-rs")]
mod raft_rs;
mod rpc;
mod timing;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use tarpc::context::Context;

pub use self::core::{Core, Life, Status};
#[cfg(feature = "store")]
pub(crate) use self::core::{election_chance, restart, step};
#[cfg(feature = "store")]
pub(crate) use self::event_loop::{EventLoop, Worker};
pub(crate) use self::handle::Handle;
pub use self::numbering::service_snapshot;
#[cfg(feature = "store")]
pub(crate) use self::post::{Payload, Replies, Sent};
#[cfg(feature = "raft-rs")]
pub use self::raft_rs::RaftRs;
pub use self::rpc::{TickRpc, TickRpcClient, TickRpcRequest, TickRpcResponse};
pub(crate) use self::timing::READ_PATIENCE;
use self::worker::{CoreWorker, ServiceEvent};
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started};
use crate::labrpc::ClientEnd;
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::{self, Receiver, Sender};
use crate::runtime::{Stop, thread};
use crate::tick::Message;

/// The connection to another server.
pub type Peer = TickRpcClient<ClientEnd<TickRpcRequest, TickRpcResponse>>;

/// One server of a cluster, with a core of any type. A clone is a handle to the same instance.
#[derive(Clone)]
pub struct Driver {
    handle: Arc<Handle<ServiceEvent>>,
}

impl Driver {
    /// Starts server `me` on a core of type `C`, from what earlier lives stored in `persister`.
    ///
    /// `peers` has one slot per server; our own is unused. Committed commands and newer snapshots
    /// go to `apply_ch`, in order. The service itself restores the snapshot that
    /// [`service_snapshot`] finds; the first command on `apply_ch` is the one after it.
    ///
    /// # Errors
    /// The storage is damaged; the server must not start.
    pub fn make<C: Core>(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Driver, PersistError> {
        let (applier, to_apply) = channel::unbounded();
        let event_loop = CoreWorker::<C>::restart(peers, me, persister, applier)?;
        let handle = event_loop.handle().clone();
        let stop = handle.stop.clone();
        let name = |task: &str| format!("driver{}/{task}", me.0);
        thread::spawn(name("worker"), move || event_loop.run());
        thread::spawn(name("apply"), move || apply(&to_apply, &apply_ch, &stop));
        Ok(Driver { handle })
    }

    fn refusal(&self) -> NotLeader {
        NotLeader { term: self.handle.status().term, leader_hint: None }
    }
}

/// Passes committed commands to the service, until the worker or the service is gone.
fn apply(to_apply: &Receiver<ApplyMsg>, apply_ch: &Sender<ApplyMsg>, stop: &Stop) {
    for message in to_apply.iter() {
        if !stop.or_send(apply_ch, message) {
            return;
        }
    }
}

impl Consensus for Driver {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        let answered = self.handle.ask(|answer| ServiceEvent::Start { command, answer });
        let answer = answered.and_then(|answered| answered.recv().ok());
        answer.unwrap_or_else(|| Err(self.refusal()))
    }

    fn get_state(&self) -> Leadership {
        self.handle.leadership()
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        if let Some(done) = self.handle.ask(|done| ServiceEvent::Snapshot { index, data, done }) {
            // An error means that the instance has ended; it needs no snapshot.
            let _ = done.recv();
        }
    }

    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        let answered = self.handle.ask(|answer| ServiceEvent::Read { answer });
        let answer = answered.and_then(|answered| answered.recv_timeout(READ_PATIENCE).ok());
        answer.unwrap_or_else(|| Err(self.refusal())).map(Some)
    }

    fn kill(&self) {
        self.handle.kill();
    }
}

impl TickRpc for Driver {
    async fn deliver(self, _: Context, message: Message) -> Option<Message> {
        self.handle.deliver(message)
    }
}
