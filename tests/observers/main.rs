//! Tests of the observers: each fails a server that breaks its rule, and no server that keeps it.
//!
//! A server that keeps the rule may act late, repeatedly or with interruptions. The servers are
//! played: a script says which messages leave and arrive, and what is written and applied.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod clients;
mod commits;
mod elections;
mod liveness;
mod logs;
mod network;
mod play;
mod promises;
mod situations;
mod snapshots;

raftlab::guard!();
