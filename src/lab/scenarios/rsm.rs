//! Parts 3A and 3B: a replicated counter, as in the course's tests of the layer above the log.

use std::time::Duration;

use crate::lab::kv::Counters;
use crate::lab::{Cluster, Scenario};
use crate::runtime::thread::{self, JoinHandle};
use crate::runtime::time::Instant;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("rsm_basic_3a", rsm_basic_3a)
        .title("a replicated counter")
        .catches("an operation applied only by the server it was submitted to"),
    Scenario::new("rsm_concurrent_3a", rsm_concurrent_3a)
        .title("concurrent operations")
        .catches("concurrent operations that get no answer, or another's answer"),
    Scenario::new("rsm_leader_failure_3a", rsm_leader_failure_3a)
        .title("a counter whose leader fails")
        .catches("a service that stops, or loses an operation, when its leader fails"),
    Scenario::new("rsm_leader_partition_3a", rsm_leader_partition_3a)
        .title("a counter whose leader is cut off")
        .catches("success without a majority; operations that hang for ever"),
    Scenario::new("rsm_restart_replay_3a", rsm_restart_replay_3a)
        .title("a counter that restarts")
        .catches("a log that is not replayed after a restart, or is replayed twice"),
    Scenario::new("rsm_shutdown_3a", rsm_shutdown_3a)
        .title("shut down under load")
        .catches("operations that hang because their server was shut down"),
    Scenario::new("rsm_restart_submit_3a", rsm_restart_submit_3a)
        .title("shut down under load, and restart")
        .catches("an operation that gets an answer from before the restart"),
    Scenario::new("rsm_snapshot_3b", rsm_snapshot_3b)
        .title("a counter that takes snapshots")
        .catches("a log that is not trimmed; a restart that ignores the snapshot"),
];

/// Size of the raft state above which a server must take a snapshot, in bytes.
///
/// Half of the course's limit: a hundred operations need several times that in any encoding.
const RAFT_STATE_MAX: usize = 500;

/// How long a server may take to store the snapshot that its service took.
const STORED_MAX: Duration = Duration::from_secs(2);

/// The course's time limit for callers that wait when all servers are shut down.
const SHUTDOWN_MAX: Duration = Duration::from_secs(11);

/// All servers carry out ten operations, one after the other.
///
/// A wrong server carries out only the operations that were submitted to it.
fn rsm_basic_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    for _ in 0..10 {
        counters.inc();
        counters.check(3);
    }
}

/// Fifty callers submit an operation at once, and each operation is carried out once.
///
/// A wrong server loses an answer, or gives it to another caller.
fn rsm_concurrent_3a(cluster: &mut Cluster) {
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
    assert_eq!(values.len(), 50, "no two operations have the same output: {values:?}");
    counters.check(3);
}

/// The service continues without its leader, which catches up when it comes back.
///
/// A wrong service stops, or loses an operation, with its leader.
///
/// ```text
/// S0 (led)   1 ─ cut ─────── back ─ 2
/// S1, S2     1 ──────── 2 ───────── 2
/// ```
fn rsm_leader_failure_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.inc();
    let old = counters.leader();
    cluster.disconnect(old);
    counters.inc();
    counters.check(2);
    cluster.connect(old);
    counters.check(3);
}

/// A leader without a majority carries out no operation, and answers its callers once it is back.
///
/// A wrong leader reports success without a majority, or lets its callers wait for ever.
///
/// ```text
/// old    1 ─ cut ─ 100 × dec: open ──────────── heal ─ all answered, within a second
/// rest   1 ─────── inc: 2 ───────────────────── 2
/// ```
fn rsm_leader_partition_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.inc();
    let old = counters.leader();
    cluster.isolate(old);
    let term_of_old = || cluster.state_of(old).filter(|it| it.is_leader).map(|it| it.term);
    let led = term_of_old();
    let open: Vec<_> = (0..100)
        .map(|_| {
            let counters = counters.clone();
            thread::spawn("caller", move || counters.submit(old, -1))
        })
        .collect();
    cluster.sleep_ms(10);
    let value = counters.inc();
    assert!(value >= 2, "the counter is {value} after two operations that add one");
    cluster.sleep_ms(1000);
    let still_open = open.iter().any(|task| !task.is_finished());
    // It leads in the term in which the callers came, not in one that it has just won.
    let leads = led.is_some() && term_of_old() == led;
    assert!(still_open || !leads, "{old} leads without a majority, and has answered all callers");
    let (ended, open): (Vec<_>, Vec<_>) = open.into_iter().partition(JoinHandle::is_finished);
    let done = ended.into_iter().find_map(JoinHandle::join);
    assert_eq!(done, None, "{old} carried an operation out without a majority");

    // A caller that was stalled until now may find `old` as leader of a newer term, and succeed.
    cluster.connect(old);
    wait_ended(cluster, &open, Duration::from_secs(1));
    counters.check(3);
}

/// Restarted servers replay their logs, and carry out each operation once.
///
/// A wrong server does not replay its log, or replays it twice.
fn rsm_restart_replay_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    count_to_100(&counters);
    restart_all(cluster);
    counters.inc();
    cluster.sleep_ms(1000);
    counters.check(3);
}

/// All waiting callers get an answer when the servers are shut down.
///
/// A wrong server lets them wait, although it has ended.
fn rsm_shutdown_3a(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.try_one(0);
    shut_down_under_load(cluster, &counters);
}

/// After a restart, no caller gets an answer from an earlier life of the server.
///
/// A wrong server takes an entry of its old log for the operation that a caller has just submitted.
fn rsm_restart_submit_3a(cluster: &mut Cluster) {
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

/// A hundred operations leave a short log, and a snapshot from which the servers restart.
///
/// A wrong server does not trim its log, or restarts without its snapshot.
fn rsm_snapshot_3b(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(Some(RAFT_STATE_MAX));
    count_to_100(&counters);
    counters.check(3);
    let deadline = Instant::now() + STORED_MAX;
    while cluster.snapshot_size() == 0 {
        if Instant::now() >= deadline {
            let message = format!("no snapshot after more than {RAFT_STATE_MAX} bytes");
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

/// Shuts all servers down while a hundred callers wait; all calls must end within eleven seconds.
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

/// Waits until all `tasks` have ended, for `limit` at most.
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
