//! Parts 3A and 3B: a replicated counter, as the course's tests of the layer above the log.

use std::time::Duration;

use crate::lab::Cluster;
use crate::lab::kv::Counters;
use crate::runtime::thread::{self, JoinHandle};
use crate::runtime::time::Instant;

/// The raft state above which a server is to take a snapshot, in bytes.
///
/// Half of the course's: a hundred operations are several times that, however they are encoded.
const RAFT_STATE_MAX: usize = 500;

/// How long a server may take to store the snapshot that its service took.
const STORED_MAX: Duration = Duration::from_secs(2);

/// The course's limit for those who wait when all servers are shut down.
const SHUTDOWN_MAX: Duration = Duration::from_secs(11);

/// Ten operations, one after the other, are carried out by all servers.
pub fn rsm_basic_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    for _ in 0..10 {
        counters.inc();
        counters.check(3);
    }
}

/// Fifty operations at once are all carried out, once each.
pub fn rsm_concurrent_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let counters = counters.clone();
            thread::spawn("caller", move || counters.inc())
        })
        .collect();
    let mut values: Vec<i64> = tasks.into_iter().map(JoinHandle::join).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 50, "each operation has an output of its own: {values:?}");
    counters.check(3);
}

/// The service goes on without its leader, which catches up when it is back.
///
/// ```text
/// S0 (led)   1 ─ cut ─────── back ─ 2
/// S1, S2     1 ──────── 2 ───────── 2
/// ```
pub fn rsm_leader_failure_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.inc();
    let old = counters.leader();
    cluster.disconnect(old);
    counters.inc();
    counters.check(2);
    cluster.connect(old);
    counters.check(3);
}

/// What a leader without a majority was asked for never happens, and whoever asked it is told once
/// it is back.
///
/// ```text
/// old    1 ─ cut ─ 100 × dec: open ──────────── heal ─ all refused, within a second
/// rest   1 ─────── inc: 2 ───────────────────── 2
/// ```
pub fn rsm_leader_partition_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.inc();
    let old = counters.leader();
    cluster.isolate(old);
    let open: Vec<_> = (0..100)
        .map(|_| {
            let counters = counters.clone();
            thread::spawn("caller", move || counters.submit(old, -1))
        })
        .collect();
    cluster.sleep_ms(10);
    counters.inc();
    cluster.sleep_ms(1000);
    let still_open = open.iter().any(|task| !task.is_finished());
    let leads = cluster.state_of(old).is_some_and(|state| state.is_leader);
    assert!(still_open || !leads, "{old} leads, and cannot know what becomes of them");

    cluster.connect(old);
    wait_ended(cluster, &open, Duration::from_secs(1));
    let done = open.into_iter().find_map(JoinHandle::join);
    assert_eq!(done, None, "{old} had no majority, and carried an operation out");
    counters.check(3);
}

/// A restarted server has what its log says.
pub fn rsm_restart_replay_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    count_to_100(&counters);
    restart_all(cluster);
    counters.inc();
    cluster.sleep_ms(1000);
    counters.check(3);
}

/// Everybody who waits is told when the servers are shut down.
pub fn rsm_shutdown_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.try_one(0);
    shut_down_under_load(cluster, &counters);
}

/// After a restart nobody is given an answer of an earlier life.
pub fn rsm_restart_submit_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    count_to_100(&counters);
    restart_all(cluster);
    counters.inc();
    cluster.sleep_ms(1000);
    shut_down_under_load(cluster, &counters);
    start_all(cluster);
    counters.inc();
    counters.check(3);
}

/// A hundred operations leave a short log behind, and a snapshot from which a server starts.
pub fn rsm_snapshot_3b(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(Some(RAFT_STATE_MAX));
    count_to_100(&counters);
    counters.check(3);
    let deadline = Instant::now() + STORED_MAX;
    while cluster.snapshot_size() == 0 {
        if Instant::now() >= deadline {
            let message = format!("a hundred operations are more than {RAFT_STATE_MAX} bytes");
            cluster.end_by_limit("snapshot_not_stored", message);
        }
        cluster.sleep_ms(10);
    }
    let size = cluster.log_size() as u64;
    cluster.check_at_most("raft_state", size, 2 * RAFT_STATE_MAX as u64);
    restart_all(cluster);
    counters.inc();
    counters.check(3);
}

fn count_to_100(counters: &Counters) {
    for _ in 0..100 {
        counters.inc();
    }
}

/// Shuts all servers down while a hundred callers wait. All must be done within eleven seconds.
fn shut_down_under_load(cluster: &Cluster, counters: &Counters) {
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let counters = counters.clone();
            thread::spawn("caller", move || while counters.try_one(0).is_some() {})
        })
        .collect();
    cluster.sleep_ms(20);
    cluster.servers().for_each(|server| cluster.crash(server));
    wait_ended(cluster, &callers, SHUTDOWN_MAX);
}

/// Waits until all `tasks` have ended, `limit` at most.
fn wait_ended<T>(cluster: &Cluster, tasks: &[JoinHandle<T>], limit: Duration) {
    let deadline = Instant::now() + limit;
    while let Some(open) = tasks.iter().position(|task| !task.is_finished()) {
        if Instant::now() >= deadline {
            let message = format!("caller {open} still waits after {limit:?}");
            cluster.end_by_limit("caller_not_released", message);
        }
        cluster.sleep_ms(10);
    }
}

/// Shuts all servers down for a second, and starts them again.
fn restart_all(cluster: &Cluster) {
    cluster.servers().for_each(|server| cluster.crash(server));
    start_all(cluster);
}

/// Starts all servers a second after they were shut down.
fn start_all(cluster: &Cluster) {
    cluster.sleep_ms(1000);
    cluster.servers().for_each(|server| cluster.boot(server));
    cluster.servers().for_each(|server| cluster.connect(server));
}
