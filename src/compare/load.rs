//! What a command costs when one, ten or a thousand are in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use crate::api::ServerId;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, thread, time};

/// How often the tasks of the servers are counted.
const TASKS_LOOK: Duration = Duration::from_micros(170);

/// How many commands a measurement with this many clients has.
///
/// Enough that costs per time, not per command, hardly show.
const fn commands(clients: u32) -> u64 {
    if clients < 100 { 500 } else { clients as u64 * 10 }
}

/// Runs `CLIENTS` clients, each of which starts its next command when its last is committed.
pub(super) fn story<const CLIENTS: u32>(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let writes = bench.watch_disks();
    let (traffic, syncs, stored) = (bench.traffic.counts(), writes.syncs(), bench.stored_bytes());
    let watch = TaskWatch::start(leader);
    let load = Load::run(bench, leader, CLIENTS);
    let tasks = watch.finish();
    bench.wait_applied_by_all(load.last);
    let traffic = bench.traffic.counts() - traffic;
    let per_commit = |count: u64| count as f64 / load.commands as f64;
    let servers = bench.cluster.server_count() as f64;
    let stored = (bench.stored_bytes() - stored) as u64;
    let value = |metric, value| Value { metric, at: CLIENTS, value };
    let mut values = vec![
        value("requests", per_commit(traffic.requests)),
        value("responses", per_commit(traffic.responses)),
        value("bytes", per_commit(traffic.bytes)),
        value("persisted_bytes", per_commit(stored) / servers),
        value("syncs", per_commit(writes.syncs() - syncs) / servers),
    ];
    values.extend(tasks.map(|tasks| value("tasks_loaded", tasks)));
    let latency = load.latencies.iter().map(|it| bench.round_trips(*it));
    values.extend(latency.map(|trips| value("latency_loaded", trips)));
    values
}

/// Measures the CPU time of the same load on the only thread of a simulation.
pub(super) fn cpu<const CLIENTS: u32>(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let began = runtime::cpu_used();
    let load = Load::run(bench, leader, CLIENTS);
    bench.wait_applied_by_all(load.last);
    let used = (runtime::cpu_used() - began).as_secs_f64() * 1e6;
    vec![Value { metric: "cpu", at: CLIENTS, value: used / load.commands as f64 }]
}

/// The results of a load.
pub(super) struct Load {
    pub(super) commands: u64,
    /// Per command: the time from the call of `start` to the leader's service.
    latencies: Vec<Duration>,
    pub(super) last: crate::api::Index,
}

impl Load {
    /// Runs the load on a cluster that `leader` leads.
    pub(super) fn run(bench: &Bench, leader: ServerId, clients: u32) -> Load {
        let commands = commands(clients);
        let left = Arc::new(AtomicU64::new(commands));
        let latencies = Arc::new(Quiet::new(Vec::new()));
        let client = |number| {
            let (bench, left, latencies) = (bench.clone(), left.clone(), latencies.clone());
            let take = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one);
            thread::spawn(format!("{CLIENT}{number}"), move || {
                let mut last = None;
                while take().is_ok() {
                    let began = time::since_start();
                    let index = bench.start(leader).index;
                    let latency = bench.wait_applied(leader, index) - began;
                    latencies.with(|latencies| latencies.push(latency));
                    last = last.max(Some(index));
                }
                last
            })
        };
        let clients: Vec<_> = (0..clients).map(client).collect();
        let last = clients.into_iter().filter_map(|client| client.join()).max();
        let last = last.expect("there is at least one command");
        let latencies = latencies.with(std::mem::take);
        Load { commands, latencies, last }
    }
}

/// How the names of client tasks begin. A client is no part of a server, even while it calls one.
const CLIENT: &str = "client";

fn less_one(left: u64) -> Option<u64> {
    left.checked_sub(1)
}

/// The names of the present tasks of `server`; `None` on the real clock.
pub(super) fn tasks_of(server: ServerId) -> Option<Vec<Arc<str>>> {
    let mut names = runtime::tasks_labelled(server.0)?;
    names.retain(|name| !name.starts_with(CLIENT));
    Some(names)
}

/// Counts the tasks of a server again and again.
struct TaskWatch {
    done: Arc<AtomicBool>,
    watcher: thread::JoinHandle<Vec<usize>>,
}

impl TaskWatch {
    fn start(server: ServerId) -> TaskWatch {
        let done = Arc::new(AtomicBool::new(false));
        let over = done.clone();
        let watcher = thread::spawn("task-watch", move || {
            let mut counts = Vec::new();
            while !over.load(Ordering::Relaxed) {
                counts.extend(tasks_of(server).map(|tasks| tasks.len()));
                thread::sleep(TASKS_LOOK);
            }
            counts
        });
        TaskWatch { done, watcher }
    }

    /// Ends the count; returns how many tasks there were on average.
    fn finish(self) -> Option<f64> {
        self.done.store(true, Ordering::Relaxed);
        let counts = self.watcher.join();
        (!counts.is_empty()).then(|| counts.iter().sum::<usize>() as f64 / counts.len() as f64)
    }
}
