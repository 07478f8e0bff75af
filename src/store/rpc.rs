//! The calls of the service: from clerks to servers, and with chunks of a snapshot between servers.
//!
//! Raft's messages are not among them: as everywhere in this design, they are sent with
//! [`TickRpc`](crate::driver::TickRpc).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::kv_rpc::{GetArgs, PutArgs, Refused, RequestId};
use crate::api::{Position, ServerId, Term};

/// Removes a key, once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteArgs {
    /// The key.
    pub key: String,
    /// Identifies the operation: all copies have it, and no other operation does.
    pub request: RequestId,
}

/// The keys that a scan returns, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    /// The keys from `start` to `end`, which is excluded; to the last key if there is no `end`.
    Range {
        /// The first key that may be returned.
        start: String,
        /// The first key that may not be returned.
        end: Option<String>,
    },
    /// All keys that begin with this.
    Prefix(String),
}

/// Asks for keys and their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanArgs {
    /// The keys to return.
    pub keys: Keys,
    /// Maximum number of keys to return; if there are more, the first ones are returned.
    pub limit: u64,
}

/// The calls that every server answers to clerks.
#[tarpc::service]
pub trait StoreRpc {
    /// Returns the key's value; `None` if it is missing. An empty value is a value.
    async fn get(args: GetArgs) -> Result<Option<String>, Refused>;
    /// Gives a key a value.
    async fn put(args: PutArgs) -> Result<(), Refused>;
    /// Adds to the end of a key's value; a missing key has an empty one.
    async fn append(args: PutArgs) -> Result<(), Refused>;
    /// Removes a key; a missing one stays missing.
    async fn delete(args: DeleteArgs) -> Result<(), Refused>;
    /// Returns keys and their values, in the order of the keys, all as they were at one moment.
    async fn scan(args: ScanArgs) -> Result<Vec<(String, String)>, Refused>;
}

/// One piece of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkArgs {
    /// The leader whose snapshot it is.
    pub from: ServerId,
    /// The leader's term.
    pub term: Term,
    /// The last entry that the snapshot covers; with the term, it identifies the snapshot.
    pub position: Position,
    /// The number of the piece, from 0.
    pub number: u64,
    /// Whether it is the last piece.
    pub is_last: bool,
    /// The bytes of the piece.
    pub data: Bytes,
}

/// What a receiver has of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChunkReply {
    /// It has all pieces before this number, and perhaps some after it.
    Wants(u64),
    /// It has everything that the snapshot covers: no piece is needed.
    Has,
    /// It wants nothing of the snapshot: it has seen a newer leader or a newer snapshot.
    Stale,
}

/// The calls that every server answers to its peers, besides Raft's messages.
#[tarpc::service]
pub trait ChunkRpc {
    /// Keeps one piece of a snapshot.
    async fn chunk(args: ChunkArgs) -> ChunkReply;
}
