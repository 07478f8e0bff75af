//! The key/value service on three servers: once, in order, and without stale reads, whatever the
//! network and the servers do.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod clerks;
mod cluster;
mod handlers;
mod lives;
mod reads;
mod snapshots;
#[path = "../support/witness.rs"]
mod witness;

raftlab::guard!();
