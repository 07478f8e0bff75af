//! Parts 3A and 3B: the key/value service.
//!
//! `classic.rs` and `versioned.rs` are the tests of the two services. Most of them differ only in
//! their load: `pieces.rs` and `puts.rs` say what the clients do meanwhile, and `rounds.rs` brings
//! the faults.

pub(super) mod classic;
mod minority;
mod pieces;
mod puts;
pub(super) mod rounds;
pub(super) mod versioned;
