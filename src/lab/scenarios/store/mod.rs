//! Part `store`: servers that keep everything in a database.
//!
//! `rounds.rs` has what most of the tests go through, `generic.rs` those that differ only in their
//! trouble, `special.rs` and `transfers.rs` those with a story of their own.

mod generic;
mod rounds;
mod special;
mod transfers;

pub use generic::*;
pub use special::*;
pub use transfers::*;
