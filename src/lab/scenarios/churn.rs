//! Part 2C: clients start commands while servers crash, are cut off, and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;

use crate::api::Index;
use crate::lab::{Cluster, Scenario, steps};
use crate::runtime::rand::stream;
use crate::runtime::{Choice, keeps, thread};

pub(super) const SCENARIOS: &[Scenario] = &[
    // Servers crash and are cut off in twenty rounds; a command that a client saw committed stays.
    //
    // Three clients start commands all the time. A wrong server loses a committed entry: it forgets
    // its log or its vote in a crash, or votes for a candidate that lacks the entry.
    Scenario::new("reliable_churn_2c", churn)
        .servers(5)
        .title("churn")
        .catches("a committed command that is lost while servers crash and restart"),
    // Servers crash and are cut off in twenty rounds, and a fifth of all calls is lost.
    //
    // As in `reliable_churn_2c`, a wrong server loses a command that a client saw committed.
    Scenario::new("unreliable_churn_2c", churn)
        .servers(5)
        .unreliable()
        .title("unreliable churn")
        .catches("a committed command that is lost while servers restart and messages are lost"),
];

fn churn(cluster: &mut Cluster) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = steps(0..3)
        .map(|me| {
            let (cluster, stop) = (cluster.clone(), stop.clone());
            thread::spawn(format!("client{me}"), move || client(&cluster, me, &stop))
        })
        .collect();

    for _ in steps(0..20) {
        disturb(cluster);
        // Long enough for faults to do harm, too short for the cluster to settle.
        cluster.sleep_ms(700);
    }

    cluster.sleep_ms(1000);
    cluster.network().set_reliable(true);
    for server in cluster.servers() {
        if !cluster.is_running(server) {
            cluster.boot(server);
        }
        cluster.connect(server);
    }
    stop.store(true, Ordering::Relaxed);
    let seen: Vec<Vec<u8>> = clients.into_iter().flat_map(|client| client.join()).collect();
    cluster.sleep_ms(1000);
    check_all_are_committed(cluster, &seen);
}

/// One round: may cut off a server, may bring one back, may crash one.
fn disturb(cluster: &Cluster) {
    if cluster.draw(1000) < 200 {
        cluster.disconnect(cluster.draw_server());
    }
    if cluster.draw(1000) < 500 {
        let server = cluster.draw_server();
        if !cluster.is_running(server) {
            cluster.boot(server);
        }
        cluster.connect(server);
    }
    if cluster.draw(1000) < 200 {
        let server = cluster.draw_server();
        if cluster.is_running(server) {
            cluster.crash(server);
        }
    }
}

/// Starts command after command; returns those that it saw committed at the index they were given.
fn client(cluster: &Cluster, me: u64, stop: &AtomicBool) -> Vec<Vec<u8>> {
    let mut chance = stream(&format!("client{me}"));
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if !keeps(Choice::Step) {
            cluster.sleep_ms(100);
            continue;
        }
        let command = chance.random::<u64>().to_string().into_bytes();
        let started = cluster.servers().filter_map(|it| cluster.start(it, &command).ok()).last();
        match started {
            Some(started) if is_seen(cluster, started.index, &command) => seen.push(command),
            Some(_) => {}
            None => cluster.sleep_ms(79 + me * 17),
        }
    }
    seen
}

/// Whether `command` is committed at `index` within 380 ms; the leader may be gone.
fn is_seen(cluster: &Cluster, index: Index, command: &[u8]) -> bool {
    for pause_ms in [10, 20, 50, 100, 200] {
        if let (1.., Some(committed)) = cluster.n_committed(index) {
            return committed == command;
        }
        cluster.sleep_ms(pause_ms);
    }
    false
}

/// Fails unless every server has the whole log, with all of `seen` in it.
fn check_all_are_committed(cluster: &Cluster, seen: &[Vec<u8>]) {
    let last = cluster.one(&cluster.draw_command(), cluster.server_count(), true);
    let mut committed: Vec<_> = (1..=last.0)
        .filter_map(|index| cluster.wait(Index(index), cluster.server_count(), None))
        .collect();
    committed.sort();
    for command in seen {
        let found = committed.binary_search_by(|it| it[..].cmp(command)).is_ok();
        let command = String::from_utf8_lossy(command);
        assert!(found, "a client saw {command} committed, but it is lost");
    }
}
