//! How long a cluster takes to elect a leader, and to replace it.

use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use crate::runtime::time;

/// All servers start at once, and elect a leader.
pub(super) fn first<const SERVERS: u32>(bench: &Bench) -> Vec<Value> {
    let leader = bench.leader();
    let took = time::since_start();
    let votes = bench.traffic.counts().votes;
    let term = bench.cluster.state_of(leader).map_or(0, |state| state.term.0);
    let value = |metric, value| Value { metric, at: SERVERS, value };
    vec![
        value("election_ms", took.as_secs_f64() * 1e3),
        value("election_terms", term as f64),
        value("election_requests", votes as f64),
    ]
}

/// The leader crashes; another server takes its place and commits a command.
pub(super) fn failover(bench: &Bench) -> Vec<Value> {
    let old = bench.settled_leader();
    bench.cluster.crash(old);
    let began = time::since_start();
    let new = bench.leader();
    let elected = time::since_start();
    let index = bench.start(new).index;
    let committed = bench.wait_applied(new, index);
    let value = |metric, took: Duration| Value { metric, at: 0, value: took.as_secs_f64() * 1e3 };
    vec![value("failover_ms", elected - began), value("failover_commit_ms", committed - elected)]
}
