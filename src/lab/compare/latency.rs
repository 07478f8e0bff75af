//! One command at a time, on a cluster that has nothing else to do.

use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use crate::runtime::{thread, time};

/// How many commands each run has.
const COMMANDS: u32 = 20;

/// `ROUND_TRIP_MS` is that of the network, and part of the metrics' name: what waits for a clock
/// and not for an answer weighs less on a slow network.
pub(super) fn story<const ROUND_TRIP_MS: u32>(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let mut values = Vec::new();
    for _ in 0..COMMANDS {
        // So that no command stands in a fixed relation to heartbeats.
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
