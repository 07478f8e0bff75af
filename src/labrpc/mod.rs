//! The network of the lab: calls between servers that may be lost, late or out of order.
//!
//! A server never holds another server. It holds a [`ClientEnd`], which is a tarpc
//! [`Stub`](tarpc::client::stub::Stub), and makes a call; the call carries bytes, so the two
//! share no memory, and comes back as an answer or as nothing:
//!
//! ```text
//! caller's task                                   handler's task
//!
//! encode ─► tap: sent ─► rules: request ──bytes──► decode ─► tap: dispatched
//!                        drop? delay? copy?                  handler
//!           tap: ended ◄ rules: reply ◄───bytes─── encode ◄─ tap: answered
//! decode ◄─              drop? delay?
//! ```
//!
//! The caller's own task lives through the delays; only the handler gets a task of its own. While
//! it runs, the caller looks every 100 ms whether the server is still there.
//!
//! `RpcError::DeadlineExceeded` says only that no answer came, whatever the cause. A lost request
//! and a lost answer look the same, and a caller that could tell them apart would be cheating.
//!
//! What the network promises:
//!
//! - every call ends, unless its handler never does and its server stays;
//! - an answer belongs to its call, and to the server object that was there when it was made:
//!   what a server says after it was replaced or cut off reaches nobody;
//! - a call whose future is dropped is given up: its request may still arrive, its answer does not;
//! - an end belongs to one life of its owner and is dead for good after
//!   [`Network::delete_server`];
//! - on the virtual clock, what happens follows from the seed. Rules and taps run in place and
//!   are no scheduling points.
//!
//! What it does not: that calls arrive in the order in which they were made, that a request
//! without an answer was not executed, that a request is executed once.
//!
//! A reliable network has no delay and loses nothing between two hosts that are
//! [enabled](Network::enable). The faults of the original lab are switches of [`Network`]
//! (mit-labs numbers: [`Network::set_reliable`], [`Network::set_long_delays`],
//! [`Network::set_long_reordering`]); all other faults are [`Rule`]s, of which [`Fault`] makes
//! the usual ones.
//!
//! The same client runs over TCP: see [`ClientEnd::over`] and `examples/tcp.rs`. Read next:
//! `hub.rs` for who can reach whom, `end.rs` for the life of a call.

mod codec;
mod end;
mod fault;
mod filter;
mod hooks;
mod hub;
mod network;
mod rule;
mod service;
mod tap;

use std::fmt;
use std::sync::OnceLock;

pub use end::ClientEnd;
pub use filter::Fault;
pub use network::{Counters, Network};
pub use rule::{Call, Leg, Rule, RuleId, Verdict};
pub use service::Service;
pub use tap::Tap;

use crate::api::ServerId;

/// Someone on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A server of the cluster.
    Server(ServerId),
    /// A client, or anyone else who only calls; printed `C0`, `C1`, ….
    Client(u32),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Server(id) => id.fmt(f),
            Host::Client(number) => write!(f, "C{number}"),
        }
    }
}

/// The context to make calls with: tarpc asks for one, this network ignores it.
///
/// Made once per process, since making one reads the real clock; a run should not be what makes
/// it, so call this once before the first.
pub fn context() -> tarpc::context::Context {
    static CONTEXT: OnceLock<tarpc::context::Context> = OnceLock::new();
    *CONTEXT.get_or_init(tarpc::context::current)
}
