//! The time from a fault until all servers agree again.

use std::time::Duration;

use super::bench::Bench;
use super::metric::Value;
use super::traffic::{Kind, Loss};
use crate::labrpc::Leg;
use crate::runtime::{thread, time};

/// How long a server is cut off: long enough for several elections without a winner.
const APART: Duration = Duration::from_secs(3);

/// How many commands are committed while a server is away.
const MISSED: u64 = 100;

/// How many commands a leader accepts while it is cut off: it can commit none of them.
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

/// A leader is cut off with commands that it cannot commit, and comes back to another leader.
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

/// Connects all servers; returns how long it takes until all have applied a new command.
fn healed(bench: &Bench) -> Duration {
    between_heartbeats(bench);
    bench.cluster.heal();
    let began = time::since_start();
    bench.agree() - began
}

/// Waits up to 100 ms, so that the next step has no fixed distance to a heartbeat.
fn between_heartbeats(bench: &Bench) {
    thread::sleep(Duration::from_millis(bench.cluster.draw(100)));
}

/// How long a call lasts whose message is lost unnoticed: as long as the lab's longest call.
const UNNOTICED: Duration = Duration::from_secs(7);

/// A follower that needs a snapshot comes back, and the first snapshot arrives.
pub(super) fn snapshot_arrives(bench: &Bench) -> Vec<Value> {
    one("snapshot_ms", catch_up(bench, None))
}

/// A follower that needs a snapshot comes back; the first snapshot is lost, and its call fails.
pub(super) fn snapshot_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_snapshot_ms", catch_up(bench, Some(Duration::ZERO)))
}

/// A follower that needs a snapshot comes back; the first is lost, and its sender does not notice.
pub(super) fn snapshot_is_lost_unnoticed(bench: &Bench) -> Vec<Value> {
    one("silent_snapshot_ms", catch_up(bench, Some(UNNOTICED)))
}

/// How long a follower that needs a snapshot takes to catch up.
///
/// `lost`: whether the first snapshot is lost, and for how long its sender does not notice.
fn catch_up(bench: &Bench, lost: Option<Duration>) -> Duration {
    let leader = bench.settled_leader();
    let follower = bench.cluster.after(leader, 1);
    // It is down, not cut off: otherwise it would come back as a candidate.
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

/// A command reaches all servers.
pub(super) fn append_arrives(bench: &Bench) -> Vec<Value> {
    one("append_ms", append(bench, None))
}

/// A command reaches all servers, although an append is lost and its call fails.
pub(super) fn append_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_append_ms", append(bench, Some((Leg::Request, Duration::ZERO))))
}

/// A command reaches all servers, although an append is lost and its sender does not notice.
pub(super) fn append_is_lost_unnoticed(bench: &Bench) -> Vec<Value> {
    one("silent_append_ms", append(bench, Some((Leg::Request, UNNOTICED))))
}

/// A command reaches all servers, although the answer to an append is lost and its call fails.
pub(super) fn answer_is_lost(bench: &Bench) -> Vec<Value> {
    one("lost_answer_ms", append(bench, Some((Leg::Reply, Duration::ZERO))))
}

/// How long one command takes to reach all servers.
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
