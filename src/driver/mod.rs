//! The driver of a tick-based core: its thread, its clock, its disk, its network.
//!
//! A core ([`tick`](crate::tick)) does nothing by itself. Here is one task that does nothing but
//! keep it going: the *worker* owns the core, and everything that happens to the server comes to
//! it as an event, through one queue.
//!
//! ```text
//!  service ── start, snapshot, read ──┐          ┌────── worker ──────┐
//!  peers ──── deliver(message) ───────┼─ queue ─►│ take in all events │
//!  calls ──── response, or lost ──────┘          │ tick, if it is time│
//!                                                │                    │
//!  persister ◄── term, vote, entries, snapshot ──│ while ready:       │
//!  peers ◄────── each message in its own call ───│   store, send,     │
//!  service ◄──── applier ◄─── queue ─────────────│   apply, advance   │
//!                                                └────────────────────┘
//! ```
//!
//! The RPC style beside it asks of each thread what it may do when; here there is one order for
//! everything, and no lock. The worker waits for its queue and for the next tick and for nothing
//! else: not for a peer (every call has a short task of its own), not for the service (the
//! applier has a queue of its own, which grows as long as the service is slow).
//!
//! It empties its queue before it asks the core what to do, so that commands which come together
//! are stored, sent and counted together.
//!
//! # What it promises
//!
//! - What a message says is durable before the message leaves.
//! - A response travels as the reply of the call that carried its request, so that what befalls
//!   replies befalls it. None of our cores says one that has no call to travel on.
//! - The service counts commands alone: that a leader opens its term with an entry of its own
//!   does not show (`numbering.rs`).
//! - A killed instance stops soon, whether or not its peers answer and its service listens.
//!
//! # What it does not
//!
//! - That a command which [`start`](Consensus::start) took is stored when `start` returns. It is
//!   before anybody else hears of it.
//! - Back-pressure: a service that is slow for ever has an applier whose queue grows for ever.
//!
//! # Reading on
//!
//! `core.rs` says what a core must offer and adapts our own; `raft_rs` adapts the crate `raft`, in
//! a build with the feature of that name; `worker.rs` is the loop, `inbox.rs` what it waits for,
//! `post.rs` how messages leave it; `numbering.rs` how commands are counted; `timing.rs` has every
//! number with its reason.

mod core;
mod inbox;
mod numbering;
mod post;
#[cfg(feature = "raft-rs")]
mod raft_rs;
mod rpc;
pub(crate) mod timing;
mod worker;

use std::sync::Arc;

use bytes::Bytes;
use tarpc::context::Context;

pub use self::core::{Core, Life, Status};
#[cfg(feature = "store")]
pub(crate) use self::core::{step, timeouts};
#[cfg(feature = "store")]
pub(crate) use self::inbox::Inbox;
pub use self::numbering::{Numbering, service_snapshot, unwrap_command, unwrap_snapshot};
#[cfg(feature = "store")]
pub(crate) use self::post::{Replies, carry};
#[cfg(feature = "raft-rs")]
pub use self::raft_rs::RaftRs;
pub use self::rpc::{TickRpc, TickRpcClient, TickRpcRequest, TickRpcResponse};
use self::timing::READ_PATIENCE;
#[cfg(feature = "store")]
pub(crate) use self::worker::{Burden, event, narrate};
use self::worker::{Event, Worker};
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started};
use crate::labrpc::ClientEnd;
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::{self, Receiver, Sender};
use crate::runtime::sync::Quiet;
use crate::runtime::{Stop, rand, thread};
use crate::tick::Message;

/// The way to another server.
pub type Peer = TickRpcClient<ClientEnd<TickRpcRequest, TickRpcResponse>>;

/// One server of a cluster, whatever its core. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct Driver {
    handle: Arc<Handle>,
}

/// What is left in the hands of others: the worker has the rest.
struct Handle {
    events: Sender<Event>,
    /// What the worker last said of itself.
    status: Arc<Quiet<Status>>,
    stop: Stop,
}

/// What the worker shares with nobody, and is made from.
struct Parts {
    me: ServerId,
    peers: Vec<Peer>,
    persister: Persister,
    numbering: Numbering,
    /// To itself, for calls that have ended.
    events: Sender<Event>,
    applier: Sender<ApplyMsg>,
    status: Arc<Quiet<Status>>,
    stop: Stop,
}

impl Driver {
    /// Starts server `me` on a core of type `C`, with whatever earlier lives left in `persister`.
    ///
    /// `peers` has one slot per server; our own is unused. Committed commands and newer snapshots
    /// go to `apply_ch`, in order; the service has read what [`service_snapshot`] finds itself,
    /// and the first command is the one after it.
    ///
    /// # Errors
    /// The storage is damaged; the server must not start.
    pub fn make<C: Core>(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Driver, PersistError> {
        let persisted = persister.load()?;
        let numbering = Numbering::of(&persisted)?;
        // The term keeps a server that is restarted again and again from drawing the same
        // timeouts each time.
        let chance = rand::stream(&format!("election-timeout-{me}-{}", persisted.current_term));
        let core = C::restart(Life { me, servers: peers.len(), persisted, chance });

        let (events, queue) = channel::unbounded();
        let (applier, to_apply) = channel::unbounded();
        let (status, stop) = (Arc::new(Quiet::new(core.status())), Stop::default());
        let handle = Handle { events: events.clone(), status: status.clone(), stop: stop.clone() };
        let waits = stop.clone();
        let parts = Parts { me, peers, persister, numbering, events, applier, status, stop };
        let worker = Worker::new(core, parts, queue);
        let name = |task: &str| format!("driver{}/{task}", me.0);
        thread::spawn(name("worker"), move || worker.run());
        thread::spawn(name("apply"), move || apply(&to_apply, &apply_ch, &waits));
        Ok(Driver { handle: Arc::new(handle) })
    }

    /// Has the worker take in the event that `make` makes, and waits for its answer. `None`: it
    /// has stopped.
    fn ask<T>(&self, make: impl FnOnce(Sender<T>) -> Event) -> Option<Receiver<T>> {
        let (answer, answered) = channel::bounded(1);
        if self.handle.stop.is_stopped() {
            return None;
        }
        self.handle.events.send(make(answer)).ok()?;
        Some(answered)
    }

    fn status(&self) -> Status {
        self.handle.status.with(|status| *status)
    }

    fn refusal(&self) -> NotLeader {
        NotLeader { term: self.status().term, leader_hint: None }
    }
}

/// Gives the service what is committed, until the worker is gone or nobody receives any more.
fn apply(to_apply: &Receiver<ApplyMsg>, apply_ch: &Sender<ApplyMsg>, stop: &Stop) {
    for message in to_apply.iter() {
        if !stop.or_send(apply_ch, message) {
            return;
        }
    }
}

impl Consensus for Driver {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        let answered = self.ask(|answer| Event::Start { command, answer });
        let answer = answered.and_then(|answered| answered.recv().ok());
        answer.unwrap_or_else(|| Err(self.refusal()))
    }

    fn get_state(&self) -> Leadership {
        let Status { term, is_leader, .. } = self.status();
        Leadership { term, is_leader: is_leader && !self.handle.stop.is_stopped() }
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        if let Some(done) = self.ask(|done| Event::Snapshot { index, data, done }) {
            // An error is the end of the instance, which needs no snapshot.
            let _ = done.recv();
        }
    }

    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        let answered = self.ask(|answer| Event::Read { answer });
        let answer = answered.and_then(|answered| answered.recv_timeout(READ_PATIENCE).ok());
        answer.unwrap_or_else(|| Err(self.refusal())).map(Some)
    }

    fn kill(&self) {
        self.handle.stop.stop();
        // Wakes the worker. An error is the worker's end, which is what is wanted.
        let _ = self.handle.events.send(Event::Stop);
    }
}

impl TickRpc for Driver {
    async fn deliver(self, _: Context, message: Message) -> Option<Message> {
        self.ask(|reply| Event::Deliver { message, reply: Some(reply) })?.recv().ok()
    }
}
