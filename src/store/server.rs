//! A server of the service, as its callers see it: a handle to the worker.

use std::sync::Arc;

use tarpc::context::Context;

use super::command::{Change, Command};
use super::config::StoreConfig;
use super::disk::Disk;
use super::engine::Engine;
use super::error::StoreError;
use super::rpc::{
    ChunkArgs, ChunkReply, ChunkRpc, ChunkRpcClient, ChunkRpcRequest, ChunkRpcResponse, DeleteArgs,
    ScanArgs, StoreRpc,
};
use super::storage::PeerStorage;
use super::waiting::Outcome;
use super::worker::{ServiceEvent, StoreWorker};
use crate::api::kv_rpc::{GetArgs, PutArgs, Refused, RequestId};
use crate::api::{Index, Leadership, Position, ServerId};
use crate::driver::{
    EventLoop, Handle, Peer, READ_PATIENCE, Status, TickRpc, election_chance, restart,
};
use crate::labrpc::{ClientEnd, Service};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;
use crate::tick::{ConfState, Config, Message};

/// A connection to a peer for chunks of snapshots.
pub type ChunkEnd = ChunkRpcClient<ClientEnd<ChunkRpcRequest, ChunkRpcResponse>>;

/// The connections to one peer.
#[derive(Clone)]
pub struct StorePeer {
    /// The connection for Raft's messages.
    pub messages: Peer,
    /// The connection for chunks of snapshots.
    pub chunks: ChunkEnd,
}

/// What a server did in this life, besides answering calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreUsage {
    /// Snapshots that were sent, and whose message was answered.
    pub snapshots_sent: u64,
    /// Snapshots of others that replaced this server's data.
    pub snapshots_installed: u64,
    /// Chunks that were sent, including copies.
    pub chunks_sent: u64,
    /// Chunks that were sent again, because no reply came.
    pub chunks_resent: u64,
}

/// One server of the service. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct StoreServer {
    handle: Arc<Handle<ServiceEvent>>,
    shown: Arc<Quiet<Shown>>,
    /// The database, for reads: the worker permits them, and the caller's task reads.
    engine: Engine,
}

/// What the worker last published about the service.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    pub(super) applied: Index,
    pub(super) truncated: Position,
    pub(super) sent: StoreUsage,
    pub(super) installed: u64,
}

impl StoreServer {
    /// Starts server `me` with what earlier lives left on `disk`.
    ///
    /// `peers` has one slot per server; our own is unused. A disk has one server at a time: the
    /// next life continues with the disk that [`Disk::crash`] returned.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Failed`]: the server must not start.
    pub fn start(
        peers: Vec<StorePeer>,
        me: ServerId,
        disk: &Disk,
        config: StoreConfig,
    ) -> Result<StoreServer, StoreError> {
        let engine = Engine::open(disk)?;
        let nodes: Vec<_> = (0..peers.len()).map(ServerId::from_slot).collect();
        let members = ConfState { nodes: nodes.clone() };
        let storage = PeerStorage::open(engine.clone(), disk, members)?;
        let chance = election_chance(me, storage.last_term_seen());
        let setup = Config { applied: storage.applied().index, ..Config::new(me, nodes) };
        let node = restart(setup, storage, chance)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;

        let shown = Arc::<Quiet<Shown>>::default();
        let (handle, queue) = Handle::new(me, Status::of(&node));
        let worker = StoreWorker::new(node, handle.clone(), shown.clone(), peers, config);
        let event_loop = EventLoop::new(worker, handle.clone(), queue);
        thread::spawn(format!("store{}/worker", me.0), move || event_loop.run());
        Ok(StoreServer { handle, shown, engine })
    }

    /// The services for the network: messages, chunks, and the calls of clerks.
    pub fn services(&self) -> Vec<Service> {
        vec![
            Service::new(TickRpc::serve(self.clone())),
            Service::new(ChunkRpc::serve(self.clone())),
            Service::new(StoreRpc::serve(self.clone())),
        ]
    }

    /// The server's term, and whether it believes that it leads.
    pub fn get_state(&self) -> Leadership {
        self.handle.leadership()
    }

    /// Highest index that is applied to the data.
    pub fn applied(&self) -> Index {
        self.shown().applied
    }

    /// The last entry that the log has dropped.
    pub fn truncated(&self) -> Position {
        self.shown().truncated
    }

    /// Returns the value of `key` in this server's own data, without asking any server: for tests.
    ///
    /// # Panics
    /// If the store cannot be read.
    pub fn look(&self, key: &str) -> Option<String> {
        self.engine.get(key).expect("the store can be read")
    }

    /// What the server did in this life.
    pub fn usage(&self) -> StoreUsage {
        let Shown { sent, installed, .. } = self.shown();
        StoreUsage { snapshots_installed: installed, ..sent }
    }

    /// Ends the instance. Every call that waits returns. Idempotent.
    pub fn kill(&self) {
        self.handle.kill();
    }

    fn shown(&self) -> Shown {
        self.shown.with(|shown| *shown)
    }

    /// Makes a change, once, and waits until it is made.
    fn write(&self, key: String, what: Change, request: RequestId) -> Result<(), Refused> {
        let command = Command::Write { key, what, request };
        let answered = self.handle.ask(|outcome: Outcome| ServiceEvent::Write { command, outcome });
        let Some(answered) = answered else { return Err(gone(false)) };
        answered.recv().unwrap_or_else(|_| Err(gone(true)))
    }

    /// Waits until the data include every change that was answered before this call, and reads.
    fn read<T>(&self, read: impl FnOnce(&Engine) -> Result<T, StoreError>) -> Result<T, Refused> {
        let answered = self.handle.ask(|outcome: Outcome| ServiceEvent::Read { outcome });
        let answer = answered.and_then(|answered| answered.recv_timeout(READ_PATIENCE).ok());
        answer.unwrap_or_else(|| Err(gone(false)))?;
        read(&self.engine).map_err(|_| gone(false))
    }
}

/// The answer of a server that has stopped.
const fn gone(maybe_done: bool) -> Refused {
    Refused { leader_hint: None, maybe_done }
}

impl TickRpc for StoreServer {
    async fn deliver(self, _: Context, message: Message) -> Option<Message> {
        self.handle.deliver(message)
    }
}

impl ChunkRpc for StoreServer {
    async fn chunk(self, _: Context, args: ChunkArgs) -> ChunkReply {
        let answered = self.handle.ask(|reply| ServiceEvent::Chunk { args, reply });
        answered.and_then(|answered| answered.recv().ok()).unwrap_or(ChunkReply::Stale)
    }
}

impl StoreRpc for StoreServer {
    async fn get(self, _: Context, args: GetArgs) -> Result<Option<String>, Refused> {
        self.read(|engine| engine.get(&args.key))
    }

    async fn put(self, _: Context, args: PutArgs) -> Result<(), Refused> {
        let PutArgs { key, value, request } = args;
        self.write(key, Change::Put(value), request)
    }

    async fn append(self, _: Context, args: PutArgs) -> Result<(), Refused> {
        let PutArgs { key, value, request } = args;
        self.write(key, Change::Append(value), request)
    }

    async fn delete(self, _: Context, args: DeleteArgs) -> Result<(), Refused> {
        let DeleteArgs { key, request } = args;
        self.write(key, Change::Delete, request)
    }

    async fn scan(self, _: Context, args: ScanArgs) -> Result<Vec<(String, String)>, Refused> {
        self.read(|engine| engine.scan(&args))
    }
}
