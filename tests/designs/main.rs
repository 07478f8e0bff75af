//! The contract that every design keeps with its service, however it works inside.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod cluster;
mod crowds;
mod parts;
mod services;
#[path = "../support/witness.rs"]
mod witness;

raftlab::guard!();
