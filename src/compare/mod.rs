//! Measures what a design costs and how fast it is, in the same way for every design.
//!
//! The suite says whether a design is right. This module says what it costs: requests, bytes,
//! syncs, time. Each [`Experiment`] is a small scenario on a [`Rig`]: a cluster whose network
//! delays every message by the same span, so that time can be counted in round trips, and loses
//! only the messages that the experiment chooses.
//!
//! ```text
//!  experiment ──start, crash, lose──► cluster ──► network: requests, responses, bytes
//!      ▲                                 │ └────► persister: bytes, syncs
//!      └── values, per metric            └──────► service: when each server applied what
//! ```
//!
//! Only the designs differ; everything else is equal: the network, the persister, the command of
//! 100 bytes, the clients. The schedule delays no task. A request is a message that a server sends
//! of its own accord, a response is a message that answers it. They are counted apart, since a
//! design of one-way messages would look twice as costly otherwise.
//!
//! All figures except CPU time follow from the seeds: two measurements with the same seeds are
//! equal.
//!
//! `bench.rs` has the tools of all experiments, `metric.rs` says what a metric is, `list.rs` lists
//! the metrics with the reasons why designs differ, and `summary.rs` combines many runs. The other
//! files have the experiments.

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

use crate::lab::Design;
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

/// One measurement: its cluster, and the scenario that is measured.
pub struct Experiment {
    /// Its name.
    pub name: &'static str,
    /// The cluster and the network.
    pub rig: Rig,
    /// Whether it measures the machine's time, so that nothing else may run on the machine.
    pub wants_machine: bool,
    story: fn(&Bench) -> Vec<Value>,
}

impl Experiment {
    /// Makes the measurement once.
    ///
    /// # Errors
    /// The [`Failure`] that ended the run: the design failed a simple scenario.
    pub fn run(&self, design: &Design, seed: u64) -> Result<Vec<Value>, Failure> {
        bench::run(self, design, seed)
    }
}

/// Three servers on a network like that of one building.
const NEAR: Rig = Rig { servers: 3, leg: Duration::from_millis(1), snapshot_interval: None };

/// Three servers on a network that is five times slower than that of [`NEAR`].
const MIDDLE: Rig = Rig { leg: Duration::from_millis(5), ..NEAR };

/// Three servers on a network like that between countries.
const FAR: Rig = Rig { leg: Duration::from_millis(25), ..NEAR };

/// Three servers that take snapshots and drop their logs.
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
