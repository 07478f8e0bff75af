//! The calls from a clerk to a server of the key/value service.
//!
//! ```text
//! clerk ── get, put, append ─► any server    "put k = v; this is my request 7"
//!       ◄─ done ────────────── the leader
//!       ◄─ refused ─────────── the others    "ask S2"
//! ```
//!
//! [`KvRpc`] is a tarpc service, so the same client runs over the simulated network and over TCP.
//! Read next: `kv/clerk.rs` for the one side, `kv/server.rs` for the other.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ServerId;

/// Identifies a clerk. No two clerks of a service may ever have the same id.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ClientId(pub u64);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C{}", self.0)
    }
}

/// Identifies one operation of one clerk; all copies that the clerk sends have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The clerk.
    pub client: ClientId,
    /// Number of the operation: a clerk counts its operations from 1.
    pub number: u64,
}

/// The number of changes of a key: 0 for a missing key, 1 for a key that was just created.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    pub const fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Versioned {
    /// The value.
    pub value: String,
    /// The version that the key got with this value.
    pub version: Version,
}

/// The outcome of a versioned put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PutOutcome {
    /// The key now has the value and the next version.
    Done,
    /// The key has another version than the put expected. The key is unchanged.
    WrongVersion,
    /// The key is missing, though the put expected a version.
    NoKey,
}

/// Asks for a key's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetArgs {
    /// The key.
    pub key: String,
}

/// Puts a value, or appends to one. The change happens once, even if the request is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutArgs {
    /// The key.
    pub key: String,
    /// The key's new value, or the text to append.
    pub value: String,
    /// Identifies the operation: all copies of it have this id, and no other operation has it.
    pub request: RequestId,
}

/// Puts a value if the key has one particular version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutVersionedArgs {
    /// The key.
    pub key: String,
    /// The key's new value.
    pub value: String,
    /// The version that the key must have; 0 creates the key.
    pub expected: Version,
}

/// The server has no answer: ask this server again, or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The leader, if the server knows one. A hint: it may be deposed.
    pub leader_hint: Option<ServerId>,
    /// Whether the operation may have happened, or may still happen.
    pub maybe_done: bool,
}

/// The calls that every server answers for clerks.
#[tarpc::service]
pub trait KvRpc {
    /// Returns a key's value and version; `None` if the key is missing.
    async fn get(args: GetArgs) -> Result<Option<Versioned>, Refused>;
    /// Gives a key a value.
    async fn put(args: PutArgs) -> Result<(), Refused>;
    /// Appends to a key's value.
    async fn append(args: PutArgs) -> Result<(), Refused>;
    /// Gives a key a value if it has the expected version.
    async fn put_versioned(args: PutVersionedArgs) -> Result<PutOutcome, Refused>;
}
