//! Part `store`: servers that keep everything in a database.
//!
//! `rounds.rs` has what most of the tests go through, `generic.rs` those that differ only in their
//! trouble, `special.rs` those with a story of their own.

mod generic;
mod rounds;
mod special;

pub use generic::*;
pub use special::*;
