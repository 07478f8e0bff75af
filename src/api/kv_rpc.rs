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

/// A clerk, for as long as it lives. No two clerks of a service may share one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct ClientId(pub u64);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C{}", self.0)
    }
}

/// Names one operation of one clerk, however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The clerk.
    pub client: ClientId,
    /// Its operations in order, from 1.
    pub number: u64,
}

/// How often a key was changed: 0 while it is missing, 1 when it has been created.
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

/// A value, and which one of its key's it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Versioned {
    /// The value.
    pub value: String,
    /// How often the key was changed to get there.
    pub version: Version,
}

/// What became of a versioned put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PutOutcome {
    /// The key has the value, and the next version.
    Done,
    /// The key has another version than was expected, and is as it was.
    WrongVersion,
    /// The key is missing, though a version was expected.
    NoKey,
}

/// Asks for a key's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetArgs {
    /// The key.
    pub key: String,
}

/// Puts a value, or appends to one, once however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutArgs {
    /// The key.
    pub key: String,
    /// Its new value, or what is appended.
    pub value: String,
    /// The same in all copies of one operation, and in no other.
    pub request: RequestId,
}

/// Puts a value in the place of one particular version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutVersionedArgs {
    /// The key.
    pub key: String,
    /// Its new value.
    pub value: String,
    /// The version that the key must have; 0 creates it.
    pub expected: Version,
}

/// The server has no answer: ask again, there or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Who leads, where the server has heard. A hint: it may be deposed.
    pub leader_hint: Option<ServerId>,
    /// Whether the operation may have happened, or may still.
    pub maybe_done: bool,
}

/// What every server answers to clerks.
#[tarpc::service]
pub trait KvRpc {
    /// What a key has; `None` when it is missing.
    async fn get(args: GetArgs) -> Result<Option<Versioned>, Refused>;
    /// Gives a key a value.
    async fn put(args: PutArgs) -> Result<(), Refused>;
    /// Adds to the end of a key's value.
    async fn append(args: PutArgs) -> Result<(), Refused>;
    /// Gives a key a value if it has the version that is expected.
    async fn put_versioned(args: PutVersionedArgs) -> Result<PutOutcome, Refused>;
}
