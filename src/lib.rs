//! raftlab: Raft as courseware, on real threads or on a seeded virtual clock.
//!
//! The modules, in reading order:
//!
//! - [`api`]: the words both designs share, and what both promise.
//! - [`runtime`]: threads, locks, channels, time and chance; the only door to the outside.
//! - [`record`]: what happened in a run, as typed events, built only when asked for.
//! - [`labrpc`]: the simulated network: calls that may be lost, late or out of order.
//! - [`persister`]: what survives a crash: term, vote, log and snapshot.
//! - [`raft`]: the RPC-style Raft, one file per concern; the reference.
//! - [`tick`]: the tick-based Raft: a pure state machine, driven by ticks and messages.
//! - [`driver`]: runs a tick-based core: its thread, its disk, its messages.
//! - [`kv`]: a replicated state machine on top of it: the key/value service and its clients.
//! - `store`: the same service with its state in an embedded database (feature `store`).
//! - [`checker`]: whether a history of concurrent operations is linearizable.
//! - [`history`]: recorded histories, and the files that they are read from.
//! - [`lab`]: the suite: designs, cluster, observers, scenarios, reports.
//! - `cli`: the command line, for any list of designs (feature `cli`).

pub mod api;
pub mod checker;
#[cfg(feature = "cli")]
pub mod cli;
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

/// The unit tests' own executable.
#[cfg(test)]
#[allow(unsafe_code, reason = "definitions of libc functions")]
mod guarded {
    crate::guard!();
}

/// The README's code runs as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
