//! What a design costs and how fast it is, measured: the same for every design.
//!
//! The suite says whether a design is right. Here is what it takes: requests, bytes, syncs, time.
//! Each [`Experiment`] is a small scenario on a [`Rig`]: a cluster whose network delays every
//! message by the same span, so that time can be counted in round trips, and on which nothing is
//! lost but what the experiment loses.
//!
//! ```text
//!  experiment ──start, crash, lose──► cluster ──► network: requests, responses, bytes
//!      ▲                                 │ └────► persister: bytes, syncs
//!      └── values, per metric            └──────► service: when each server applied what
//! ```
//!
//! Designs differ in what they *are*, so everything else is held equal: the network, the
//! persister, the command of 100 bytes, the clients. The schedule is the one that holds nobody up.
//! A request is a message that somebody sends of its own accord, a response one that answers it:
//! the two are counted apart, since a design of messages would look twice as costly otherwise.
//!
//! All figures but CPU time follow from the seeds: two measurements with the same seeds are equal.
//!
//! `bench.rs` has what experiments are made of, the files beside it the experiments, `metric.rs`
//! what a metric is, `list.rs` all of
//! them with the reasons why designs differ there, `summary.rs` what becomes of many runs.

mod applied;
mod bench;
mod disk;
mod election;
mod latency;
mod list;
mod load;
mod metric;
mod repair;
mod rest;
mod summary;
#[cfg(test)]
mod tests;
mod traffic;

use std::time::Duration;

use super::Design;
use crate::runtime::Failure;
use bench::Bench;
pub use list::METRICS;
pub use metric::{Metric, Value};
pub use summary::{Comparison, Figure, Row};

/// The cluster and the network of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct Rig {
    /// How many servers.
    pub servers: usize,
    /// How long a message takes, in either direction.
    pub leg: Duration,
    /// After how many commands each server takes a snapshot; `None`: never.
    pub snapshot_interval: Option<u64>,
}

/// One measurement: what it is made on, and its course.
pub struct Experiment {
    /// What it is called.
    pub name: &'static str,
    /// What it is made on.
    pub rig: Rig,
    /// Whether it measures time of the machine, and so wants it for itself.
    pub wants_machine: bool,
    story: fn(&Bench) -> Vec<Value>,
}

impl Experiment {
    /// Makes the measurement once.
    ///
    /// # Errors
    /// The [`Failure`] that ended the run: the design did not get through a simple scenario.
    pub fn run(&self, design: &Design, seed: u64) -> Result<Vec<Value>, Failure> {
        bench::run(self, design, seed)
    }
}

/// Three servers on a network as in one building.
const NEAR: Rig = Rig { servers: 3, leg: Duration::from_millis(1), snapshot_interval: None };

/// The same on one that is five times slower.
const MIDDLE: Rig = Rig { leg: Duration::from_millis(5), ..NEAR };

/// The same as between countries.
const FAR: Rig = Rig { leg: Duration::from_millis(25), ..NEAR };

/// Servers that drop their logs.
const DROPPING: Rig = Rig { snapshot_interval: Some(10), ..MIDDLE };

const fn of(servers: usize) -> Rig {
    Rig { servers, ..MIDDLE }
}

/// Expands the list of experiments to a table.
macro_rules! experiments {
    ($($name:literal: $rig:expr, $story:expr, $wants_machine:literal;)*) => {
        /// All experiments. Each metric is measured by one of them.
        pub static EXPERIMENTS: &[Experiment] = &[$(Experiment {
            name: $name,
            rig: $rig,
            wants_machine: $wants_machine,
            story: $story,
        }),*];
    };
}

experiments! {
    "load of 1": NEAR, load::story::<1>, false;
    "load of 10": NEAR, load::story::<10>, false;
    "load of 1000": NEAR, load::story::<1000>, false;
    "latency, 10 ms": MIDDLE, latency::story::<10>, false;
    "latency, 50 ms": FAR, latency::story::<50>, false;
    "election of 3": of(3), election::first::<3>, false;
    "election of 5": of(5), election::first::<5>, false;
    "election of 7": of(7), election::first::<7>, false;
    "failover": MIDDLE, election::failover, false;
    "follower returns": MIDDLE, repair::follower_returns, false;
    "leader returns": MIDDLE, repair::leader_returns, false;
    "all return": MIDDLE, repair::all_return, false;
    "snapshot": DROPPING, repair::snapshot_arrives, false;
    "snapshot lost": DROPPING, repair::snapshot_is_lost, false;
    "snapshot lost unnoticed": DROPPING, repair::snapshot_is_lost_unnoticed, false;
    "append": MIDDLE, repair::append_arrives, false;
    "append lost": MIDDLE, repair::append_is_lost, false;
    "append lost unnoticed": MIDDLE, repair::append_is_lost_unnoticed, false;
    "answer lost": MIDDLE, repair::answer_is_lost, false;
    "rest": MIDDLE, rest::story, false;
    "CPU at 1": NEAR, load::cpu::<1>, true;
    "CPU at 10": NEAR, load::cpu::<10>, true;
    "CPU at 1000": NEAR, load::cpu::<1000>, true;
}
