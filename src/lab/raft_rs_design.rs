//! The crate `raft` (raft-rs) behind our driver: the tick-based design by other hands.
//!
//! It is an independent judge of the suite: a scenario or an observer that fails it either has
//! found a bug in the crate, or demands what only our own code happens to do.

use super::design::Design;
use super::tick_design::{TICK, make_driver};
use crate::driver::RaftRs;

/// The tick-based design on the crate `raft`. Beside the core everything is [`TICK`]'s; but the
/// servers with a database store what our own core hands out, in our own core's words.
pub const RAFT_RS: Design =
    Design { name: "raft-rs", make: make_driver::<RaftRs>, store: false, ..TICK };
