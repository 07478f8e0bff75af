//! raftlab: Raft as courseware, on real threads or on a seeded virtual clock.
//!
//! The modules, in reading order:
//!
//! - [`api`]: the types that both designs share, and the interface that both implement.
//! - [`runtime`]: threads, locks, channels, time and randomness for all other modules.
//! - [`record`]: the events of a run, in order, kept only when a run asks for them.
//! - [`labrpc`]: the simulated network: calls that may be lost, late or out of order.
//! - [`persister`]: the state that survives a crash: term, vote, log and snapshot.
//! - [`raft`]: the RPC-style Raft, one file per concern; the reference.
//! - [`tick`]: the tick-based Raft: a pure state machine, driven by ticks and messages.
//! - [`driver`]: runs a tick-based core, with its threads, its disk and its messages.
//! - [`kv`]: a replicated state machine above any design: the key/value service and its clients.
//! - `store`: a key/value service with its state in an embedded database (feature `store`).
//! - [`checker`]: decides whether a history of concurrent operations is linearizable.
//! - [`history`]: recorded histories, and the files that they are read from.
//! - [`lab`]: the suite: designs, cluster, observers, scenarios, reports.
//! - [`compare`]: measures what a design costs, in the same way for every design (feature
//!   `solutions`).
//! - `cli`: the command line, for any list of designs (feature `cli`).

pub mod api;
pub mod checker;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "solutions")]
pub mod compare;
#[cfg(feature = "solutions")]
pub mod driver;
pub mod history;
#[cfg(feature = "solutions")]
pub mod kv;
pub mod lab;
pub mod labrpc;
pub mod persister;
#[cfg(feature = "solutions")]
pub mod raft;
pub mod record;
pub mod runtime;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "solutions")]
pub mod tick;
#[cfg(feature = "cli")]
pub mod view;

/// The unit tests' own executable.
#[cfg(test)]
#[allow(unsafe_code, reason = "definitions of libc functions")]
mod guarded {
    crate::guard!();
}

/// Runs the code examples of the pages as they are.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../docs/tests.md")]
    struct Tests;
    #[doc = include_str!("../docs/book/en/locks.md")]
    struct Locks;
    #[doc = include_str!("../docs/book/en/own-raft.md")]
    struct OwnRaft;
    #[doc = include_str!("../docs/book/en/scenarios.md")]
    struct Scenarios;
}
