//! What every design owes its service, whatever stands behind it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod cluster;
mod crowds;
mod parts;
mod services;
#[path = "../support/witness.rs"]
mod witness;

raftlab::guard!();
