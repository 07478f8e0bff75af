//! The scenarios, a file per part. A new one is a function here and a line in
//! [`scenarios!`](crate::scenarios).

mod election;
mod log;
mod persistence;
mod snapshots;

pub use election::*;
pub use log::*;
pub use persistence::*;
pub use snapshots::*;
