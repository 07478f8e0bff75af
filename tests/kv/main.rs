//! The key/value service on three servers: whatever the network and the servers do, operations
//! happen once and in order, and no read is stale.
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
