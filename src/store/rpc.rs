//! The calls of the service: clerks to servers, and chunks of a snapshot between servers.
//!
//! Messages of Raft are not among them: they go as everywhere in this design, by
//! [`TickRpc`](crate::driver::TickRpc).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::kv_rpc::{GetArgs, PutArgs, Refused, RequestId};
use crate::api::{Position, ServerId, Term};

/// Removes a key, once however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteArgs {
    /// The key.
    pub key: String,
    /// The same in all copies of one operation, and in no other.
    pub request: RequestId,
}

/// Which keys a scan goes over, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    /// From `start` on, to `end`, which is excluded, or to the last.
    Range {
        /// The first key that may be returned.
        start: String,
        /// The first key that may not.
        end: Option<String>,
    },
    /// All that begin with this.
    Prefix(String),
}

/// Asks for keys and their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanArgs {
    /// Which keys.
    pub keys: Keys,
    /// Most keys that are returned, the first ones of them.
    pub limit: u64,
}

/// What every server answers to clerks.
#[tarpc::service]
pub trait StoreRpc {
    /// The key's value; `None` when it is missing. An empty value is a value.
    async fn get(args: GetArgs) -> Result<Option<String>, Refused>;
    /// Gives a key a value.
    async fn put(args: PutArgs) -> Result<(), Refused>;
    /// Adds to the end of a key's value; a missing key has an empty one.
    async fn append(args: PutArgs) -> Result<(), Refused>;
    /// Removes a key; a missing one stays missing.
    async fn delete(args: DeleteArgs) -> Result<(), Refused>;
    /// Keys and their values, in the order of the keys, all as they were at one moment.
    async fn scan(args: ScanArgs) -> Result<Vec<(String, String)>, Refused>;
}

/// One piece of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkArgs {
    /// The leader whose snapshot it is.
    pub from: ServerId,
    /// The leader's term.
    pub term: Term,
    /// The last entry that the snapshot covers; with the term, the snapshot's name.
    pub position: Position,
    /// Which piece, from 0.
    pub number: u64,
    /// Whether none follows.
    pub is_last: bool,
    /// The piece.
    pub data: Bytes,
}

/// What a receiver has of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChunkReply {
    /// All pieces before this number, and perhaps some after it.
    Wants(u64),
    /// Everything that the snapshot covers: no piece is needed.
    Has,
    /// Nothing to do with the snapshot: a newer leader or a newer snapshot has come.
    Stale,
}

/// What every server answers to its peers beside messages.
#[tarpc::service]
pub trait ChunkRpc {
    /// Keeps one piece of a snapshot.
    async fn chunk(args: ChunkArgs) -> ChunkReply;
}
