//! The service under test: what stands above the log in parts 3A and 3B, and who calls it.
//!
//! As a [`Design`](super::Design) is to servers, so a [`KvDesign`] is to what is above them: the
//! scenarios know these few functions and traits, in plain words, and nothing of what is behind.
//! The reference is `kv`.

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
    /// Starts a key/value server above a consensus module.
    pub server: fn(Below) -> Result<Box<dyn Living>, String>,
    /// Makes client `id`, at `host`, of as many servers as the number says.
    pub client: fn(id: u64, network: &Network, host: Host, servers: usize) -> Box<dyn KvClient>,
    /// Starts a replicated [`Counter`] above a consensus module.
    pub counter: fn(Below) -> Result<Arc<dyn Counting>, String>,
}

/// What one life of a service is made from.
pub struct Below {
    /// The consensus module.
    pub consensus: Arc<dyn Consensus>,
    /// What it commits.
    pub apply_ch: Receiver<ApplyMsg>,
    /// What survives of earlier lives.
    pub stored: Stored,
    /// When it takes snapshots, and how it reads.
    pub config: RsmConfig,
}

/// A client of the key/value service. Every call is repeated until it is answered.
pub trait KvClient: Send {
    /// The key's value, empty when it is missing.
    fn get(&mut self, key: &str) -> String;
    /// Gives the key a value.
    fn put(&mut self, key: &str, value: &str);
    /// Adds to the end of the key's value.
    fn append(&mut self, key: &str, value: &str);
    /// The key's value and version; `None` when it is missing.
    fn get_versioned(&mut self, key: &str) -> Option<(String, u64)>;
    /// Gives the key a value if it has this version.
    ///
    /// # Errors
    /// [`PutError`]: it has not happened, or it may have.
    fn put_versioned(&mut self, key: &str, value: &str, version: u64) -> Result<(), PutError>;
}

/// One server's replica of a [`Counter`].
pub trait Counting: Send + Sync {
    /// Puts `op` into the log and waits until it is applied here.
    ///
    /// # Errors
    /// [`SubmitError`] says whether it may be applied all the same.
    fn submit(&self, op: &Count) -> Result<Counted, SubmitError>;
    /// The counter as it stands on this server.
    fn value(&self) -> i64;
    /// Ends the instance and its consensus module. Whoever waits returns.
    fn kill(&self);
}

/// An operation on a [`Counter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What is added.
    pub by: i64,
    /// Tells operations apart.
    pub tag: u64,
}

/// What a [`Count`] yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The counter afterwards.
    pub value: i64,
    /// The operation's.
    pub tag: u64,
}

/// The smallest state machine that is worth replicating: a number, and what is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// The sum.
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

/// The service that stands above a design which brings none: the reference, in a build with the
/// feature `solutions`.
#[cfg(feature = "solutions")]
pub(super) const SHIPPED: Option<KvDesign> = Some(super::kv_design::KV);
#[cfg(not(feature = "solutions"))]
pub(super) const SHIPPED: Option<KvDesign> = None;

/// Starts a service above `seat`, as a part of its server.
pub(super) fn begin<T>(seat: Seat, config: RsmConfig, start: fn(Below) -> Result<T, String>) -> T {
    let Seat { server, consensus, apply_ch, stored } = seat;
    let below = Below { consensus, apply_ch, stored, config };
    thread::under_test(server.0, || start(below)).unwrap_or_else(|error| {
        let message = format!("the service of {server} does not start: {error}");
        runtime::fail(FailureKind::Assertion, "service_start", message)
    })
}
