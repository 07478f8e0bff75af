//! Faults that the course's network lacks.
//!
//! Requests are late, repeated or out of order, links work one way, and servers crash in the middle
//! of a write.
//!
//! The scenarios cause the faults; the observers check the rules that must hold meanwhile.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::{Cluster, Scenario, steps};
use crate::labrpc::{Fault, Host, Leg};
use crate::persister::Unsynced;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("repeated_requests_2b", repeated_requests_2b)
        .servers(5)
        .title("requests repeated and out of order")
        .catches("a late or repeated request that deletes acknowledged entries"),
    Scenario::new("held_requests_2b", held_requests_2b)
        .servers(5)
        .title("requests of a former leader")
        .catches("entries accepted from a leader of an older term"),
    Scenario::new("oneway_cuts_2b", oneway_cuts_2b)
        .servers(5)
        .title("links that work one way")
        .catches("a leader that no server hears and that is never replaced"),
    Scenario::new("leader_crash_uncommitted_2c", leader_crash_uncommitted_2c)
        .title("a leader crashes with entries that no other server has")
        .catches("uncommitted entries of a crashed leader that survive in its log"),
    Scenario::new("torn_writes_2c", torn_writes_2c)
        .servers(5)
        .title("crashes in the middle of writing")
        .catches("a vote or success that is sent before its write was synced"),
    Scenario::new("failed_sync_2c", failed_sync_2c)
        .title("a sync that fails")
        .catches("a vote or success that is sent after a failed sync"),
    Scenario::new("snapshot_over_conflict_2d", snapshot_over_conflict_2d)
        .title("a snapshot in place of a conflicting log")
        .catches("entries of a deposed leader that survive after a snapshot"),
    Scenario::new("late_snapshots_2d", late_snapshots_2d)
        .unreliable()
        .title("late and repeated snapshots")
        .catches("a late snapshot that moves the service or the log backwards"),
];

/// How late a request may arrive: later than any election takes.
const LATE: Duration = Duration::from_millis(1500);

/// Requests arrive twice and in any order, while clients start commands and leaders change.
///
/// Figure 2, AppendEntries, step 3. A wrong follower lets a late request remove entries that it has
/// acknowledged.
fn repeated_requests_2b(cluster: &mut Cluster) {
    let network = cluster.network();
    let repeat = Fault::repeat(Duration::ZERO, LATE).per_mille(400);
    let reorder = Fault::reorder(Leg::Request, Duration::ZERO, Duration::from_millis(80));
    let repeat = network.add_rule("repeat", Arc::new(repeat));
    let reorder = network.add_rule("reorder", Arc::new(reorder.per_mille(300)));
    let mut next = 0;
    for _ in steps(0..6) {
        let leader = cluster.wait_for_leader();
        for _ in steps(0..15) {
            next += 1;
            let _ = cluster.start(leader, next.to_string().as_bytes());
            cluster.sleep_ms(cluster.draw(15));
        }
        cluster.isolate(leader);
        let _ = cluster.start(leader, format!("lost {next}").as_bytes());
        cluster.agree(&format!("kept {next}"));
        cluster.heal();
    }
    network.remove_rule(repeat);
    network.remove_rule(reorder);
    cluster.one(b"end", cluster.server_count(), true);
}

/// A leader's requests arrive one and a half seconds late, when another server leads.
///
/// Figure 2, AppendEntries, step 1. A wrong follower takes entries from a leader whose term is
/// over.
///
/// ```text
/// old    leads, sends x ─────────────────────┐
/// rest         elect new, commit y ───────── ▼ x of an older term: refused
/// ```
fn held_requests_2b(cluster: &mut Cluster) {
    for round in steps(0..4) {
        let old = cluster.wait_for_leader();
        cluster.agree(&format!("shared {round}"));
        let hold = Fault::hold(Leg::Request, LATE).from(Host::Server(old));
        let hold = cluster.network().add_rule("hold", Arc::new(hold));
        for number in steps(0..3) {
            let _ = cluster.start(old, format!("held {round} {number}").as_bytes());
        }
        // The others hear nothing and elect a new leader; the old one's requests reach it late.
        let deadline = 50;
        for waited in 0..=deadline {
            let new = |server: &ServerId| {
                *server != old && cluster.state_of(*server).is_some_and(|state| state.is_leader)
            };
            if let Some(new) = cluster.servers().find(new) {
                let _ = cluster.start(new, format!("new {round}").as_bytes());
                break;
            }
            if waited == deadline {
                let message = "no server replaced a leader whose requests are late".to_string();
                cluster.end_by_limit("no_leader", message);
            }
            cluster.sleep_ms(100);
        }
        cluster.sleep_ms(2000);
        cluster.network().remove_rule(hold);
        cluster.sleep_ms(1600);
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// Links fail in one direction: no server hears the leader, then one follower hears nothing.
///
/// The others must replace a leader that they cannot hear, although it hears them. A follower that
/// cannot hear its leader starts elections, which disturb the others but must break nothing. In a
/// wrong cluster the leader that no server hears is never replaced.
fn oneway_cuts_2b(cluster: &mut Cluster) {
    for round in steps(0..3) {
        let mute = cluster.wait_for_leader();
        let others: Vec<ServerId> = cluster.servers().filter(|server| *server != mute).collect();
        others.iter().for_each(|other| cluster.cut_oneway(mute, *other));
        let _ = cluster.start(mute, format!("mute {round}").as_bytes());
        cluster.agree(&format!("without the mute leader {round}"));
        cluster.heal();

        let leader = cluster.wait_for_leader();
        let deaf = cluster.after(leader, 1);
        cluster.cut_oneway(leader, deaf);
        for _ in steps(0..5) {
            let _ = cluster.start(leader, &cluster.draw_command());
            cluster.sleep_ms(300);
        }
        cluster.heal();
        cluster.agree(&format!("all hear again {round}"));
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// A leader crashes with entries that only it has, and comes back when others have replaced them.
///
/// Raft §5.3. A wrong server keeps such entries, and may even apply them.
///
/// ```text
/// old    shared lost lost lost   crash        restart   shared kept
/// rest   shared               kept                      shared kept
/// ```
fn leader_crash_uncommitted_2c(cluster: &mut Cluster) {
    for round in steps(0..3) {
        cluster.agree(&format!("shared {round}"));
        let old = cluster.wait_for_leader();
        cluster.isolate(old);
        for number in steps(0..3) {
            let _ = cluster.start(old, format!("lost {round} {number}").as_bytes());
        }
        cluster.crash(old);
        cluster.agree(&format!("kept {round}"));
        cluster.restart(old);
        cluster.one(format!("all {round}").as_bytes(), cluster.server_count(), true);
        assert_eq!(cluster.applied_by(&format!("lost {round} 0")), 0, "only one server had it");
    }
}

/// Servers crash at any moment, and keep all, some or none of their writes since the last sync.
///
/// A wrong server replies before its write is synced, and so breaks its promise after the crash.
fn torn_writes_2c(cluster: &mut Cluster) {
    for _ in steps(0..20) {
        for server in cluster.servers() {
            for _ in steps(0..3) {
                let _ = cluster.start(server, &cluster.draw_command());
            }
        }
        cluster.sleep_ms(cluster.draw(12));
        let victims = [cluster.draw_server(), cluster.draw_server()];
        for victim in victims {
            if cluster.is_running(victim) {
                cluster.crash_keeping(victim, draw_unsynced(cluster));
            }
        }
        cluster.sleep_ms(cluster.draw(400));
        for victim in victims {
            if !cluster.is_running(victim) {
                cluster.restart(victim);
            }
        }
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// A sync fails, so the writes before it are not durable and the server must not promise them.
///
/// Figure 2, persistent state: "Updated on stable storage before responding to RPCs". The server
/// may stop, or sync again. It crashes soon, and comes back with what was durable. A wrong server
/// ignores the error and replies.
fn failed_sync_2c(cluster: &mut Cluster) {
    for round in steps(0..8) {
        cluster.agree(&format!("shared {round}"));
        let leader = cluster.wait_for_leader();
        let victim = if round % 2 == 0 { leader } else { cluster.after(leader, 1) };
        cluster.persister(victim).fail_next_sync();
        for _ in steps(0..3) {
            for server in cluster.servers() {
                let _ = cluster.start(server, &cluster.draw_command());
            }
            cluster.sleep_ms(cluster.draw(300));
        }
        cluster.crash(victim);
        cluster.sleep_ms(cluster.draw(300));
        cluster.restart(victim);
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// Snapshots arrive late and twice, while the log and the service move on.
///
/// A wrong server lets a late snapshot move its service or its log backwards.
fn late_snapshots_2d(cluster: &mut Cluster) {
    let method = "RaftRpc.install_snapshot";
    let network = cluster.network();
    let late = Fault::reorder(Leg::Request, Duration::ZERO, Duration::from_millis(700));
    let late = network.add_rule("late", Arc::new(late.method(method).per_mille(600)));
    let again = Fault::repeat(Duration::from_millis(50), LATE * 2).method(method).per_mille(700);
    let again = network.add_rule("again", Arc::new(again));
    let append = Fault::repeat(Duration::ZERO, LATE).method("RaftRpc.append_entries");
    let append = network.add_rule("append", Arc::new(append.per_mille(200)));
    for _ in steps(0..5) {
        let leader = cluster.wait_for_leader();
        let behind = cluster.after(leader, 1);
        match cluster.draw(2) {
            0 => cluster.isolate(behind),
            _ => cluster.crash(behind),
        }
        many(cluster, leader, 25);
        if cluster.is_running(behind) {
            cluster.connect(behind);
        } else {
            cluster.restart(behind);
        }
        many(cluster, leader, 12);
        cluster.sleep_ms(cluster.draw(500));
    }
    for rule in [late, again, append] {
        network.remove_rule(rule);
    }
    cluster.one(b"end", cluster.server_count(), true);
}

/// A former leader gets a snapshot that replaces entries which only it has.
///
/// Figure 13, step 7. A wrong server keeps entries that conflict with the snapshot.
///
/// ```text
/// old    1 … 9  lost lost …        [snapshot up to 19] …
/// rest   1 … 9  kept kept …        the entries from 10 on are gone
/// ```
fn snapshot_over_conflict_2d(cluster: &mut Cluster) {
    for round in steps(0..3) {
        let old = cluster.wait_for_leader();
        many(cluster, old, 5);
        cluster.isolate(old);
        // More than the others will have, so that their snapshot ends inside the old leader's log.
        for number in steps(0..60) {
            let _ = cluster.start(old, format!("lost {round} {number}").as_bytes());
        }
        cluster.agree(&format!("kept {round}"));
        let new = cluster.wait_for_leader();
        many(cluster, new, 25);
        cluster.heal();
        cluster.one(format!("all {round}").as_bytes(), cluster.server_count(), true);
        assert_eq!(cluster.applied_by(&format!("lost {round} 0")), 0, "only one server had it");
    }
}

/// Draws how much of the unsynced writes a crash keeps: mostly a random part.
fn draw_unsynced(cluster: &Cluster) -> Unsynced {
    match cluster.draw(4) {
        0 => Unsynced::LoseAll,
        1 => Unsynced::KeepAll,
        _ => Unsynced::Draw,
    }
}

/// Starts `count` commands at `leader`, and waits until one more is committed.
fn many(cluster: &Cluster, leader: ServerId, count: u32) {
    for _ in steps(0..count) {
        let _ = cluster.start(leader, &cluster.draw_command());
    }
    cluster.one(&cluster.draw_command(), crate::api::quorum_size(cluster.server_count()), true);
}
