//! Parts 3A and 3B: the key/value service.
//!
//! `rounds.rs` has what most tests of both services share; the other files are the tests.

mod classic;
pub(super) mod rounds;
mod special;
mod versioned;
mod versioned_special;

pub use classic::*;
pub use special::*;
pub use versioned::*;
pub use versioned_special::*;
