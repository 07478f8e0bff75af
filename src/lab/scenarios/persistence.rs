//! Part 2C: what a server has promised survives its crash.

use crate::api::{Index, ServerId};
use crate::lab::{Cluster, Scenario, steps};
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("persist1_2c", persist1_2c)
        .title("basic persistence")
        .catches("a log or term that is lost in a restart"),
    Scenario::new("persist2_2c", persist2_2c)
        .servers(5)
        .title("more persistence")
        .catches("a log or term that is lost while servers crash and restart in turns"),
    Scenario::new("persist3_2c", persist3_2c)
        .title("partitioned leader and one follower crash, leader restarts")
        .catches("a committed entry that is lost when the leader and a follower crash"),
    Scenario::new("figure8_2c", figure8_2c)
        .servers(5)
        .title("Figure 8")
        .catches("an entry of an older term committed by counting replicas"),
    Scenario::new("unreliable_agree_2c", unreliable_agree_2c)
        .servers(5)
        .unreliable()
        .title("unreliable agreement")
        .catches("an agreement that one lost message prevents"),
    Scenario::new("figure8_unreliable_2c", figure8_unreliable_2c)
        .servers(5)
        .unreliable()
        .title("Figure 8 (unreliable)")
        .catches("late and repeated replies that count as new; slow backup over long logs"),
];

/// Servers restart one after another, and still have their logs.
///
/// Figure 2, persistent state. A wrong server forgets its log or its term in a restart. As in the
/// course since 2025, a crashed server is down at once, not merely cut off until its restart.
fn persist1_2c(cluster: &mut Cluster) {
    cluster.one(b"11", 3, true);

    // All three restart, one by one.
    cluster.servers().for_each(|server| cluster.restart(server));
    cluster.one(b"12", 3, true);

    // A leader restarts at once.
    let first = cluster.check_one_leader();
    cluster.restart(first);
    cluster.one(b"13", 3, true);

    // A leader is down and misses a command.
    let second = cluster.check_one_leader();
    cluster.crash(second);
    cluster.one(b"14", 2, true);
    cluster.restart(second);
    // It must catch up before another one crashes, or two of three lack the fourth entry.
    cluster.wait(Index(4), 3, None);

    // A follower is down and misses a command.
    let follower = cluster.after(cluster.check_one_leader(), 1);
    cluster.crash(follower);
    cluster.one(b"15", 2, true);
    cluster.restart(follower);
    cluster.one(b"16", 3, true);
}

/// In each of five rounds all servers crash, two of them before a command, and come back in turns.
///
/// As in the course since 2025, all five go down in every round. A wrong server forgets its log or
/// its term in a restart.
fn persist2_2c(cluster: &mut Cluster) {
    let mut next = 11;
    let mut one = |servers: usize| {
        cluster.one(next.to_string().as_bytes(), servers, true);
        next += 1;
    };
    for _ in steps(0..5) {
        one(5);
        let leader = cluster.check_one_leader();
        let [first, second, third, fourth] = [1, 2, 3, 4].map(|i| cluster.after(leader, i));

        cluster.crash(first);
        cluster.crash(second);
        one(3);

        cluster.crash(leader);
        cluster.crash(third);
        cluster.crash(fourth);

        // These two missed a command, and cannot elect a leader by themselves.
        cluster.restart(first);
        cluster.restart(second);
        cluster.sleep_ms(1000);

        // With a third server, which has the command, they can.
        cluster.restart(third);
        one(3);

        cluster.restart(fourth);
        cluster.restart(leader);
    }
    cluster.one(b"1000", 5, true);
}

/// A leader and a follower crash while the other follower is cut off; no committed entry is lost.
///
/// A wrong server forgets in its crash an entry that it has committed or acknowledged.
fn persist3_2c(cluster: &mut Cluster) {
    cluster.one(b"101", 3, true);

    let leader = cluster.check_one_leader();
    let [first, second] = [1, 2].map(|distance| cluster.after(leader, distance));
    cluster.disconnect(second);
    cluster.one(b"102", 2, true);

    // Both servers with the command go down; the leader returns and joins the one without it.
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
/// Figure 8: an entry of an older term that a majority stores may still be overwritten. A wrong
/// leader commits it by counting copies, so that servers apply different entries at one index.
fn figure8_2c(cluster: &mut Cluster) {
    cluster.one(&cluster.draw_command(), 1, true);

    let mut up = 5;
    for _ in steps(0..1000) {
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

/// Sleeps up to 12 ms, or one time in ten up to half a second, in which an election may fit.
fn sleep_between_steps(cluster: &Cluster) {
    let long = cluster.draw(1000) < 100;
    cluster.sleep_ms(cluster.draw(if long { 500 } else { 13 }));
}

/// Clients start 246 commands, five at a time, on a network that loses a fifth of all calls.
///
/// A wrong server waits for ever after a lost message.
fn unreliable_agree_2c(cluster: &mut Cluster) {
    let mut clients = Vec::new();
    for round in steps(1..50) {
        for client in steps(0..4) {
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

/// Leaders are cut off with entries that only some servers have; messages are lost and late.
///
/// Figure 8 without crashes. From step 200 on, two of three replies are 0.2 to 2.2 s late. A
/// wrong leader takes late and repeated replies for new ones, or backs up too slowly over long
/// logs.
fn figure8_unreliable_2c(cluster: &mut Cluster) {
    let command = || cluster.draw(10_000).to_string().into_bytes();
    cluster.one(&command(), 1, true);

    let (mut up, mut late) = (5, false);
    for step in steps(0..1000) {
        if step >= 200 && !late {
            late = true;
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

    // All servers are connected; messages are still lost and late.
    cluster.servers().for_each(|server| cluster.connect(server));
    cluster.one(&command(), 5, true);
}
