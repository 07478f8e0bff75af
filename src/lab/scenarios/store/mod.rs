//! Part `store`: servers that keep everything in a database.
//!
//! `rounds.rs` has the rounds of most tests, `generic.rs` the tests that differ only in their
//! faults, `special.rs` and `transfers.rs` the tests that have their own stories.

mod generic;
mod rounds;
mod special;
mod transfers;

pub(crate) use generic::*;
pub(crate) use special::*;
pub(crate) use transfers::*;
