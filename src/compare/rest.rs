//! An idle cluster: its messages, and the tasks that it keeps.

use std::sync::Arc;
use std::time::Duration;

use super::bench::Bench;
use super::load::tasks_of;
use super::metric::Value;
use crate::runtime::thread;

/// How long an idle cluster is watched: a hundred heartbeats.
const SPAN: Duration = Duration::from_secs(10);

/// No client starts a command.
pub(super) fn story(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let before = bench.traffic.counts();
    thread::sleep(SPAN);
    let traffic = bench.traffic.counts() - before;
    let per_second = |count: u64| count as f64 / SPAN.as_secs_f64();
    let value = |metric, value| Value { metric, at: 0, value };
    let mut values = vec![
        value("idle_requests", per_second(traffic.requests)),
        value("idle_bytes", per_second(traffic.bytes)),
    ];
    // A call that happens to be in flight has a task that does not stay.
    let stays = |name: &&Arc<str>| !name.starts_with("go");
    let tasks = tasks_of(leader).map(|names| names.iter().filter(stays).count());
    values.extend(tasks.map(|tasks| value("tasks_idle", tasks as f64)));
    values
}
