//! From a fault until all servers agree again.

use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use super::traffic::{Kind, Loss};
use crate::labrpc::Leg;
use crate::runtime::{thread, time};

/// How long a server is cut off: several elections are tried in vain.
const APART: Duration = Duration::from_secs(3);

/// Commands that are committed meanwhile.
const MISSED: u64 = 100;

/// Commands that a leader takes while it is cut off: none of them can be committed.
const DOOMED: u64 = 20;

fn one(metric: &'static str, took: Duration) -> Vec<Value> {
    vec![Value { metric, at: 0, value: took.as_secs_f64() * 1e3 }]
}

/// A follower is cut off, misses commands, and comes back.
pub(super) fn follower_returns(bench: &Bench) -> Vec<Value> {
    let leader = bench.settled_leader();
    let follower = bench.cluster.after(leader, 1);
    bench.cluster.isolate(follower);
    bench.commit(leader, MISSED);
    thread::sleep(APART);
    one("heal_follower_ms", healed(bench))
}

/// A leader is cut off with commands that it cannot commit, and comes back to another one.
pub(super) fn leader_returns(bench: &Bench) -> Vec<Value> {
    let old = bench.settled_leader();
    bench.cluster.isolate(old);
    for _ in 0..DOOMED {
        bench.start(old);
    }
    let new = bench.leader();
    bench.commit(new, MISSED);
    thread::sleep(APART);
    one("heal_leader_ms", healed(bench))
}

/// No server can reach any other, until all can.
pub(super) fn all_return(bench: &Bench) -> Vec<Value> {
    bench.settled_leader();
    bench.cluster.servers().for_each(|server| bench.cluster.isolate(server));
    thread::sleep(APART);
    one("heal_all_ms", healed(bench))
}

/// Connects everybody; how long it takes until a new command is applied by all.
fn healed(bench: &Bench) -> Duration {
    between_heartbeats(bench);
    bench.cluster.heal();
    let began = time::since_start();
    bench.agree() - began
}

/// Waits a little, so that what comes next stands in no fixed relation to any clock.
fn between_heartbeats(bench: &Bench) {
    thread::sleep(Duration::from_millis(bench.cluster.draw(100)));
}

/// A call whose message is lost unnoticed lasts as long as the lab's longest.
const UNNOTICED: Duration = Duration::from_secs(7);

/// A follower comes back that needs a snapshot, and gets the first one.
pub(super) fn snapshot_arrives(bench: &Bench) -> Vec<Value> {
    one("snapshot_ms", catch_up(bench, None))
}

/// The same, but the first snapshot is lost on its way.
pub(super) fn snapshot_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_snapshot_ms", catch_up(bench, Some(Duration::ZERO)))
}

/// The same, and its sender does not hear of it.
pub(super) fn snapshot_is_lost_unnoticed(bench: &Bench) -> Vec<Value> {
    one("silent_snapshot_ms", catch_up(bench, Some(UNNOTICED)))
}

/// `lost`: whether the first snapshot is, and for how long nobody notices.
fn catch_up(bench: &Bench, lost: Option<Duration>) -> Duration {
    let leader = bench.settled_leader();
    let follower = bench.cluster.after(leader, 1);
    // It is down, not cut off: else it would come back as a candidate.
    bench.cluster.crash(follower);
    let last = bench.commit(leader, MISSED);
    between_heartbeats(bench);
    thread::sleep(APART);
    if let Some(unnoticed) = lost {
        let (kind, to, leg) = (Kind::Snapshot, follower, Leg::Request);
        bench.traffic.lose_next(Loss { kind, to, leg, unnoticed });
    }
    let began = time::since_start();
    bench.cluster.restart(follower);
    let caught_up = bench.wait_applied(follower, last);
    assert!(bench.traffic.has_lost(), "no snapshot was sent, so none was lost");
    caught_up - began
}

/// A command that gets to all servers.
pub(super) fn append_arrives(bench: &Bench) -> Vec<Value> {
    one("append_ms", append(bench, None))
}

/// The same, but the append to one of them is lost.
pub(super) fn append_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_append_ms", append(bench, Some((Leg::Request, Duration::ZERO))))
}

/// The same, and its sender does not hear of it.
pub(super) fn append_is_lost_unnoticed(bench: &Bench) -> Vec<Value> {
    one("silent_append_ms", append(bench, Some((Leg::Request, UNNOTICED))))
}

/// The same, but what is lost is the answer.
pub(super) fn answer_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_answer_ms", append(bench, Some((Leg::Reply, Duration::ZERO))))
}

/// How long one command takes to all servers.
fn append(bench: &Bench, lost: Option<(Leg, Duration)>) -> Duration {
    let leader = bench.settled_leader();
    between_heartbeats(bench);
    if let Some((leg, unnoticed)) = lost {
        let to = bench.cluster.after(leader, 1);
        bench.traffic.lose_next(Loss { kind: Kind::Entries, to, leg, unnoticed });
    }
    let began = time::since_start();
    let index = bench.start(leader).index;
    let applied = bench.wait_applied_by_all(index);
    assert!(bench.traffic.has_lost(), "no append was sent, so none was lost");
    applied - began
}
