//! Part 2C: what was promised survives a crash.

use crate::api::{Index, ServerId};
use crate::lab::Cluster;
use crate::runtime::thread;

/// One after another, servers restart and remember.
///
/// As since 2025: a server that is taken off is down from then on, not merely cut off until it
/// restarts.
pub fn persist1_2c(cluster: &mut Cluster) {
    cluster.one(b"11", 3, true);

    // All three, one by one.
    cluster.servers().for_each(|server| cluster.restart(server));
    cluster.one(b"12", 3, true);

    // A leader, at once.
    let first = cluster.check_one_leader();
    cluster.restart(first);
    cluster.one(b"13", 3, true);

    // A leader, that misses a command.
    let second = cluster.check_one_leader();
    cluster.crash(second);
    cluster.one(b"14", 2, true);
    cluster.restart(second);
    // It has to catch up before another one goes, or two of three lack the fourth entry.
    cluster.wait(Index(4), 3, None);

    // A follower, that misses a command.
    let follower = cluster.after(cluster.check_one_leader(), 1);
    cluster.crash(follower);
    cluster.one(b"15", 2, true);
    cluster.restart(follower);
    cluster.one(b"16", 3, true);
}

/// Five rounds in which servers go down in turns, until only two are left, and come back.
///
/// As since 2025, all five go down in every round.
pub fn persist2_2c(cluster: &mut Cluster) {
    let mut next = 11;
    let mut one = |servers: usize| {
        cluster.one(next.to_string().as_bytes(), servers, true);
        next += 1;
    };
    for _ in 0..5 {
        one(5);
        let leader = cluster.check_one_leader();
        let [first, second, third, fourth] = [1, 2, 3, 4].map(|i| cluster.after(leader, i));

        cluster.crash(first);
        cluster.crash(second);
        one(3);

        cluster.crash(leader);
        cluster.crash(third);
        cluster.crash(fourth);

        // Two that missed a command, and cannot elect a leader by themselves.
        cluster.restart(first);
        cluster.restart(second);
        cluster.sleep_ms(1000);

        // With a third one that has it they can.
        cluster.restart(third);
        one(3);

        cluster.restart(fourth);
        cluster.restart(leader);
    }
    cluster.one(b"1000", 5, true);
}

/// A leader and a follower crash while the other follower is cut off; nothing is lost.
pub fn persist3_2c(cluster: &mut Cluster) {
    cluster.one(b"101", 3, true);

    let leader = cluster.check_one_leader();
    let [first, second] = [1, 2].map(|distance| cluster.after(leader, distance));
    cluster.disconnect(second);
    cluster.one(b"102", 2, true);

    // Both that have the command go down; one of them comes back to the one that lacks it.
    cluster.crash(leader);
    cluster.crash(first);
    cluster.connect(second);
    cluster.restart(leader);
    cluster.one(b"103", 2, true);

    cluster.restart(first);
    cluster.one(b"104", 3, true);
}

/// Leaders crash all the time, often with entries that only some servers have.
///
/// Figure 8: an entry of an older term that a majority stores may still be overwritten, so a
/// leader that commits it by counting copies breaks agreement. The servers' appliers notice.
pub fn figure8_2c(cluster: &mut Cluster) {
    cluster.one(&cluster.draw_command(), 1, true);

    let mut up = 5;
    for _ in 0..1000 {
        let mut leader = None;
        for server in cluster.servers() {
            if cluster.start(server, &cluster.draw_command()).is_ok() {
                leader = Some(server);
            }
        }
        sleep_between_steps(cluster);
        if let Some(leader) = leader {
            cluster.crash(leader);
            up -= 1;
        }
        if up < 3 {
            let server = cluster.draw_server();
            if !cluster.is_running(server) {
                cluster.restart(server);
                up += 1;
            }
        }
    }

    let down: Vec<ServerId> =
        cluster.servers().filter(|server| !cluster.is_running(*server)).collect();
    down.into_iter().for_each(|server| cluster.restart(server));
    cluster.one(&cluster.draw_command(), 5, true);
}

/// Mostly up to 12 ms, less than a round of calls; one time in ten up to half a second, enough
/// for an election.
fn sleep_between_steps(cluster: &Cluster) {
    let long = cluster.draw(1000) < 100;
    cluster.sleep_ms(cluster.draw(if long { 500 } else { 13 }));
}

/// 246 commands, five at a time, on a network that loses a fifth of all calls.
pub fn unreliable_agree_2c(cluster: &mut Cluster) {
    let mut clients = Vec::new();
    for round in 1..50 {
        for client in 0..4 {
            let cluster = cluster.clone();
            clients.push(thread::spawn(format!("client{round}.{client}"), move || {
                cluster.one((100 * round + client).to_string().as_bytes(), 1, true)
            }));
        }
        cluster.one(round.to_string().as_bytes(), 1, true);
    }
    cluster.network().set_reliable(true);
    for client in clients {
        client.join();
    }
    cluster.one(b"100", 5, true);
}

/// Figure 8 without crashes: leaders are cut off, messages are lost, and from the 200th step
/// on two replies of three come up to two seconds late.
pub fn figure8_unreliable_2c(cluster: &mut Cluster) {
    let command = || cluster.draw(10_000).to_string().into_bytes();
    cluster.one(&command(), 1, true);

    let mut up = 5;
    for step in 0..1000 {
        if step == 200 {
            cluster.network().set_long_reordering(true);
        }
        let mut leader = None;
        for server in cluster.servers() {
            if cluster.start(server, &command()).is_ok() && cluster.is_connected(server) {
                leader = Some(server);
            }
        }
        sleep_between_steps(cluster);
        if let Some(leader) = leader
            && cluster.draw(1000) < 500
        {
            cluster.disconnect(leader);
            up -= 1;
        }
        if up < 3 {
            let server = cluster.draw_server();
            if !cluster.is_connected(server) {
                cluster.connect(server);
                up += 1;
            }
        }
    }

    // All are back; messages are still lost and late.
    cluster.servers().for_each(|server| cluster.connect(server));
    cluster.one(&command(), 5, true);
}
