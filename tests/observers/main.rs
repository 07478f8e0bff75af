//! Each observer trips over a server that breaks its rule, and over no server that keeps it,
//! however late, repeated or interrupted what it does is.
//!
//! The servers are played: a script says what leaves, arrives, is written and applied.
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
