//! Tests of the observers: each fails a server that breaks its rule, and no server that keeps it.
//!
//! No server runs here. A script plays all servers: it says which messages leave and arrive, and
//! what the servers write and apply. `breaks` asserts that the script breaks a rule, and `holds`
//! that it breaks none. The scripts of `holds` show what a correct server may do: act late, repeat
//! itself, or crash in between.
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
