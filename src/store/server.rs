//! A server of the service, as others hold it: a handle; the worker has the rest.

use crate::api::{Index, Leadership, Position, ServerId, Term};
use crate::driver::Peer;
use crate::labrpc::{ClientEnd, Service};

use super::config::StoreConfig;
use super::disk::Disk;
use super::error::StoreError;
use super::rpc::{ChunkRpcClient, ChunkRpcRequest, ChunkRpcResponse};

/// The way to a peer for chunks of snapshots.
pub type ChunkEnd = ChunkRpcClient<ClientEnd<ChunkRpcRequest, ChunkRpcResponse>>;

/// The ways to one peer.
#[derive(Clone)]
pub struct StorePeer {
    /// For messages of Raft.
    pub messages: Peer,
    /// For chunks of snapshots.
    pub chunks: ChunkEnd,
}

/// What a server did in this life, beside what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreUsage {
    /// Snapshots that were sent and taken.
    pub snapshots_sent: u64,
    /// Snapshots of others that replaced this server's data.
    pub snapshots_installed: u64,
    /// Chunks that were sent, copies included.
    pub chunks_sent: u64,
    /// Chunks that were sent again, since no answer came.
    pub chunks_resent: u64,
}

/// One server of the service. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct StoreServer {}

impl StoreServer {
    /// Starts server `me` with whatever earlier lives left on `disk`.
    ///
    /// `peers` has one slot per server; our own is unused. Only one life may be on a disk: the
    /// next one goes on from what [`Disk::crash`] returned.
    ///
    /// # Errors
    /// The disk is damaged or failed; the server must not start.
    pub fn start(
        _peers: Vec<StorePeer>,
        _me: ServerId,
        _disk: &Disk,
        _config: StoreConfig,
    ) -> Result<StoreServer, StoreError> {
        Err(StoreError::Failed("there is no engine yet".into()))
    }

    /// What the network must know: messages, chunks, and the calls of clerks.
    pub fn services(&self) -> Vec<Service> {
        Vec::new()
    }

    /// The server's term, and whether it believes that it leads.
    pub fn get_state(&self) -> Leadership {
        Leadership { term: Term(0), is_leader: false }
    }

    /// Highest index whose effect is in the data.
    pub fn applied(&self) -> Index {
        Index(0)
    }

    /// The last entry that the log has dropped.
    pub fn truncated(&self) -> Position {
        Position::default()
    }

    /// What this server's own data have at `key`, without asking anybody: for tests.
    pub fn look(&self, _key: &str) -> Option<String> {
        None
    }

    /// What the server did.
    pub fn usage(&self) -> StoreUsage {
        StoreUsage::default()
    }

    /// Ends the instance. Every call that waits returns. Idempotent.
    pub fn kill(&self) {}
}
