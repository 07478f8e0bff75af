//! The network of the lab: calls between servers that may be lost, late or out of order.
//!
//! A server never holds another server. It holds a [`ClientEnd`], which is a tarpc
//! [`Stub`](tarpc::client::stub::Stub), and makes calls with it. A call carries bytes, so the two
//! servers share no memory. It ends with a reply or with nothing:
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
//! The caller's task waits for the delays of both messages. The handler runs in a task of its own.
//! While it runs, the caller checks every 100 ms that the server is still there.
//!
//! `RpcError::DeadlineExceeded` says only that no reply arrived, whatever the cause. A lost request
//! and a lost reply look the same: a caller that could tell them apart would be cheating.
//!
//! What the network promises:
//!
//! - Every call ends. There is one exception: the handler never returns, and the server is not
//!   removed either.
//! - A reply belongs to its call, and comes from the server object that was there when the call
//!   was made: replies of a server that was replaced or cut off reach no caller.
//! - A call whose future is dropped is given up: its request may still arrive, its reply does not.
//! - A [`ClientEnd`] belongs to one life of its owner: after [`Network::delete_server`], no call
//!   with it gets a reply.
//! - On the virtual clock, the course of all calls follows from the seed. Rules and taps run in the
//!   tasks of caller and handler, and are not scheduling points.
//!
//! Not promised: order, or exactly one execution. Calls may overtake each other. A request without
//! a reply may have been executed, and any request may be executed more than once.
//!
//! A reliable network has no delay and loses nothing between two hosts that are
//! [enabled](Network::enable). The faults of the original lab are switches of [`Network`] (with the
//! lab's numbers: [`Network::set_reliable`], [`Network::set_long_delays`],
//! [`Network::set_long_reordering`]); all other faults are [`Rule`]s, of which [`Fault`] makes the
//! usual ones.
//!
//! A server can also use the same client types over TCP: see [`ClientEnd::over`] and
//! `examples/tcp.rs`. Read next: `hub.rs` for which host can reach which, `end.rs` for the course
//! of a call.

mod codec;
mod end;
mod fault;
mod hooks;
mod hub;
mod lab_faults;
mod network;
mod rule;
mod service;
mod tap;

use std::sync::OnceLock;

pub use end::ClientEnd;
pub use fault::Fault;
pub use network::{Counters, Network};
pub use rule::{Call, Leg, Rule, RuleId, Verdict};
pub use service::Service;
pub use tap::Tap;

pub use crate::api::Host;

/// Returns the context to make calls with: tarpc asks for one, this network ignores it.
///
/// The context is made once per process, since making one reads the real clock. Call this once
/// before the first run, so that no run makes it.
pub fn context() -> tarpc::context::Context {
    static CONTEXT: OnceLock<tarpc::context::Context> = OnceLock::new();
    *CONTEXT.get_or_init(tarpc::context::current)
}
