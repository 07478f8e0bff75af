//! One command at a time, on a cluster that has nothing else to do.

use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use crate::runtime::{thread, time};

/// How many commands each run has.
const COMMANDS: u32 = 20;

/// Times single commands on a network whose round trip takes `ROUND_TRIP_MS`.
///
/// The round trip is part of the metrics' names: a wait for a clock, not for an answer, counts less
/// on a slow network.
pub(super) fn story<const ROUND_TRIP_MS: u32>(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let mut values = Vec::new();
    for _ in 0..COMMANDS {
        // A random pause, so that no command has a fixed distance to a heartbeat.
        thread::sleep(Duration::from_millis(400 + bench.cluster.draw(200)));
        let began = time::since_start();
        let index = bench.start(leader).index;
        let leader_at = bench.wait_applied(leader, index);
        let last_at = bench.wait_applied_by_all(index);
        let value = |metric, at: Duration| Value {
            metric,
            at: ROUND_TRIP_MS,
            value: bench.round_trips(at - began),
        };
        values.extend([value("commit_latency", leader_at), value("apply_latency", last_at)]);
    }
    values
}
