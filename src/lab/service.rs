//! The service under test in parts 3A and 3B: its server, its clients, and a counter.
//!
//! A [`KvDesign`] is to services what a [`Design`](super::Design) is to servers: the scenarios
//! know only these few functions and traits, and no type of the implementation. The reference is
//! `kv`.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::application::{Living, Seat};
use crate::api::{
    ApplyMsg, Consensus, PutError, RestoreError, RsmConfig, StateMachine, SubmitError,
};
use crate::labrpc::{Host, Network};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;
use crate::runtime::{self, FailureKind, thread};

/// An implementation of the key/value lab.
#[derive(Debug, Clone, Copy)]
pub struct KvDesign {
    /// Starts a key/value server that runs on a consensus module.
    pub server: fn(Below) -> Result<Box<dyn Living>, String>,
    /// Makes client `id`, at `host`, of `servers` servers.
    pub client: fn(id: u64, network: &Network, host: Host, servers: usize) -> Box<dyn KvClient>,
    /// Starts a replicated [`Counter`] that runs on a consensus module.
    pub counter: fn(Below) -> Result<Arc<dyn Counting>, String>,
}

/// The parts from which one life of a service is made.
pub struct Below {
    /// The consensus module.
    pub consensus: Arc<dyn Consensus>,
    /// The module's apply channel.
    pub apply_ch: Receiver<ApplyMsg>,
    /// The storage that survived earlier lives.
    pub stored: Stored,
    /// When the service takes snapshots, and how it answers reads.
    pub config: RsmConfig,
}

/// A client of the key/value service. It retries every call until it gets an answer.
pub trait KvClient: Send {
    /// Reads the key's value; a missing key has an empty one.
    fn get(&mut self, key: &str) -> String;
    /// Sets the key's value.
    fn put(&mut self, key: &str, value: &str);
    /// Appends to the key's value.
    fn append(&mut self, key: &str, value: &str);
    /// Reads the key's value and version; `None` if the key is missing.
    fn get_versioned(&mut self, key: &str) -> Option<(String, u64)>;
    /// Sets the key's value if the key has this version.
    ///
    /// # Errors
    /// [`PutError`]: the put has not happened, or it may have happened.
    fn put_versioned(&mut self, key: &str, value: &str, version: u64) -> Result<(), PutError>;
}

/// One server's replica of a [`Counter`].
pub trait Counting: Send + Sync {
    /// Puts `op` into the log and waits until this server has applied it.
    ///
    /// # Errors
    /// [`SubmitError`] says whether the operation may still be applied.
    fn submit(&self, op: &Count) -> Result<Counted, SubmitError>;
    /// The counter's present value on this server.
    fn value(&self) -> i64;
    /// Ends the instance and its consensus module. Every waiting call returns.
    fn kill(&self);
}

/// An operation on a [`Counter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The number to add.
    pub by: i64,
    /// Distinguishes operations.
    pub tag: u64,
}

/// The result of a [`Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The counter's value after the operation.
    pub value: i64,
    /// The operation's tag.
    pub tag: u64,
}

/// The smallest state machine that is worth replicating: a number to which operations add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// The sum of all operations.
    pub value: i64,
}

impl StateMachine for Counter {
    type Op = Count;
    type Output = Counted;

    fn apply(&mut self, op: Count) -> Counted {
        self.value += op.by;
        Counted { value: self.value, tag: op.tag }
    }

    fn snapshot(&self) -> Bytes {
        Bytes::copy_from_slice(&self.value.to_be_bytes())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let what = |_| RestoreError { bytes: snapshot.len(), what: "not 8 bytes".to_string() };
        self.value = i64::from_be_bytes(snapshot.try_into().map_err(what)?);
        Ok(())
    }
}

/// The service for a design that has none of its own: the reference, in a build with the feature
/// `solutions`.
#[cfg(feature = "solutions")]
pub(super) const SHIPPED: Option<KvDesign> = Some(super::kv_design::KV);
#[cfg(not(feature = "solutions"))]
pub(super) const SHIPPED: Option<KvDesign> = None;

/// Starts a service from `seat`, as part of its server.
pub(super) fn begin<T>(seat: Seat, config: RsmConfig, start: fn(Below) -> Result<T, String>) -> T {
    let Seat { server, consensus, apply_ch, stored } = seat;
    let below = Below { consensus, apply_ch, stored, config };
    thread::under_test(server.0, || start(below)).unwrap_or_else(|error| {
        let message = format!("the service of {server} did not start: {error}");
        runtime::fail(FailureKind::Assertion, "service_start", message)
    })
}
