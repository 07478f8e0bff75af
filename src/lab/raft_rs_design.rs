//! The crate `raft` (raft-rs) behind our driver: the tick-based design by other authors.
//!
//! The crate is an independent judge of the suite: a scenario or an observer that fails it has
//! either found a bug in the crate, or demands a detail that only our own code has.

use super::design::Design;
use super::tick_design::{TICK, make_driver};
use crate::driver::RaftRs;

/// The tick-based design on the crate `raft`: everything but the core is from [`TICK`].
///
/// Part `store` is left out: its servers store the types of our own core.
pub(super) const RAFT_RS: Design =
    Design { name: "raft-rs", make: make_driver::<RaftRs>, store: false, ..TICK };
