//! Part 2C: a killed server leaves nothing running, and accepts nothing.

use std::time::Duration;

use crate::lab::{Cluster, KILLED_FOR_MAX, Scenario};
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("kill_ends_tasks_2c", kill_ends_tasks_2c)
        .title("killed servers stop")
        .catches("a task that never checks whether its instance was killed"),
    Scenario::new("killed_refuses_2c", killed_refuses_2c)
        .title("a killed leader accepts nothing")
        .catches("an instance that accepts commands after it was killed"),
];

/// Longer than the longest election timeout: a server that hears no leader is a candidate by then.
const CANDIDATE_AFTER: Duration = Duration::from_secs(2);

/// All tasks of a killed server end soon, whatever it was doing and even after it has restarted.
///
/// A wrong server has tasks that do not check whether their instance was killed. A task that
/// outlives its instance takes memory and time from everything that runs later; in the course,
/// where one process runs all tests, it slows down the tests after it.
///
/// ```text
/// leader      isolated, calls in flight   killed ── restarted ─────────── its old tasks?
/// candidate   isolated, asks for votes    killed ───────────────────────── its tasks?
/// follower    alone, waits                killed ── restarted, killed ──── its tasks?
/// ```
fn kill_ends_tasks_2c(cluster: &mut Cluster) {
    for round in 0..2 {
        // Given a leader, a candidate and a follower that cannot reach each other,
        cluster.one(format!("shared {round}").as_bytes(), cluster.server_count(), true);
        let leader = cluster.wait_for_leader();
        let [candidate, follower] = [1, 2].map(|distance| cluster.after(leader, distance));
        cluster.isolate(candidate);
        cluster.run_for(CANDIDATE_AFTER);
        cluster.isolate(leader);
        let _ = cluster.start(leader, format!("lost {round}").as_bytes());

        // when they are killed, two of them to live again,
        cluster.crash(candidate);
        cluster.crash(leader);
        cluster.crash(follower);
        cluster.restart(leader);
        cluster.restart(follower);
        cluster.crash(follower);

        // then only the leader's second life has tasks in the end.
        cluster.run_for(KILLED_FOR_MAX + Duration::from_millis(1));
        [candidate, follower].into_iter().for_each(|server| cluster.restart(server));
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// A killed leader refuses commands.
///
/// Its service may still call it for a moment, and it must refuse: see
/// [`Consensus::kill`](crate::api::Consensus::kill). A wrong instance still believes that it leads,
/// and accepts the command into a log that no server will ever read. Then the client waits in vain.
fn killed_refuses_2c(cluster: &mut Cluster) {
    cluster.agree("before");
    let leader = cluster.wait_for_leader();
    let killed = cluster.running(leader).expect("the leader is up");
    cluster.crash(leader);
    let answer = thread::under_test(leader.0, || killed.start("after".into()));
    assert!(answer.is_err(), "{leader} was killed and accepted a command: {answer:?}");
    drop(killed);
    cluster.restart(leader);
    cluster.one(b"end", cluster.server_count(), true);
}
