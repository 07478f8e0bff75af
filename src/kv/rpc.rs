//! The calls from a clerk to a server of the key/value service.
//!
//! ```text
//! clerk ── get, put, append ─► any server    "put k = v; this is my request 7"
//!       ◄─ done ────────────── the leader
//!       ◄─ refused ─────────── the others    "ask S2"
//! ```
//!
//! [`KvRpc`] is a tarpc service, so the same client runs over the simulated network and over TCP.
//! Read next: `clerk.rs` for the one side, `server.rs` for the other.

use serde::{Deserialize, Serialize};

use super::machine::{PutOutcome, Version, Versioned};
use super::session::RequestId;
use crate::api::ServerId;

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
