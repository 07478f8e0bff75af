//! Services: what runs on a server and gives the replicated commands a meaning.
//!
//! The suite's own service only checks the commands. Parts 3A and 3B install others with
//! [`Cluster::serve`], which makes a [`ServiceInstance`] from a [`ServiceContext`] in every life
//! of every server:
//!
//! ```text
//!  client ──calls──► ServiceInstance::services ──start──► Consensus ◄──calls──► other servers
//!                          ▲                                  │
//!                          └───────────── apply_ch ───────────┘
//! ```
//!
//! The service under test in these parts is a [`KvDesign`]: functions that make its server, its
//! clients and a counter. As with a [`Design`](super::Design), the scenarios know only these few
//! functions and their traits, and no type of the implementation. The reference is `kv`.
//!
//! [`Cluster::serve`]: super::Cluster::serve

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::{
    ApplyMsg, Consensus, PutError, RestoreError, RsmConfig, ServerId, StateMachine, SubmitError,
};
use crate::labrpc::{Host, Network, Service};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;
use crate::runtime::{self, FailureKind, thread};

/// The parts from which one life of a service is made.
pub struct ServiceContext {
    /// The server that runs the service.
    pub server: ServerId,
    /// Its consensus module in this life.
    pub consensus: Arc<dyn Consensus>,
    /// The module's apply channel. Observers see each message at the moment when it is received.
    pub apply_ch: Receiver<ApplyMsg>,
    /// The server's storage, and the service's own snapshot in it.
    pub stored: Stored,
}

/// A service in one life of its server, from boot to crash.
pub trait ServiceInstance: Send + Sync {
    /// The services that others can call, besides the server's own.
    fn services(&self) -> Vec<Service> {
        Vec::new()
    }

    /// Ends the life. Its server has already been cut off and its storage copied; its consensus
    /// module is killed right after this call. Runs as part of the server's code under test.
    fn end(&self);
}

/// An instance without calls: it only knows whether its life has ended.
///
/// What a crashed server still applies does not count.
#[derive(Clone)]
pub(crate) struct Alive(Arc<AtomicBool>);

impl Alive {
    pub(crate) fn new() -> Alive {
        Alive(Arc::new(AtomicBool::new(true)))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ServiceInstance for Alive {
    fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// An implementation of the key/value lab.
#[derive(Debug, Clone, Copy)]
pub struct KvDesign {
    /// Starts a key/value server that runs on a consensus module. The configuration says when it
    /// takes snapshots, and how it answers reads.
    pub server: fn(ServiceContext, RsmConfig) -> Result<Box<dyn ServiceInstance>, String>,
    /// Makes client `id`, at `host`, of `servers` servers.
    pub client: fn(id: u64, network: &Network, host: Host, servers: usize) -> Box<dyn KvClient>,
    /// Starts a replicated [`Counter`] that runs on a consensus module.
    pub counter: fn(ServiceContext, RsmConfig) -> Result<Arc<dyn Counting>, String>,
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
///
/// [`end`](ServiceInstance::end) kills the consensus module, too, and every waiting call returns.
pub trait Counting: ServiceInstance {
    /// Puts `op` into the log and waits until this server has applied it.
    ///
    /// # Errors
    /// [`SubmitError`] says whether the operation may still be applied.
    fn submit(&self, op: &Count) -> Result<Counted, SubmitError>;
    /// The counter's present value on this server.
    fn value(&self) -> i64;
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

/// Starts a service from `context`, as part of its server, or fails the run.
pub(super) fn start<T>(
    context: ServiceContext,
    config: RsmConfig,
    start: fn(ServiceContext, RsmConfig) -> Result<T, String>,
) -> T {
    let server = context.server;
    thread::under_test(server.0, || start(context, config)).unwrap_or_else(|error| {
        let message = format!("the service of {server} did not start: {error}");
        runtime::fail(FailureKind::Assertion, "service_start", message)
    })
}
