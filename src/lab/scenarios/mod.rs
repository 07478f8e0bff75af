//! The scenarios, a file per part or theme.
//!
//! A new one is a function here and a line in [`scenarios!`](crate::scenarios). A scenario is a
//! story with asserted steps; rules that must hold in every story are the observers' business.
//! What a scenario waits for, it waits for with the cluster's own calls, so that the hostile
//! schedule can cut the run short there; what it asserts must be true under every schedule.

mod agreement;
mod churn;
mod election;
mod persistence;
mod snapshots;
mod votes;

pub use agreement::*;
pub use churn::*;
pub use election::*;
pub use persistence::*;
pub use snapshots::*;
pub use votes::*;
