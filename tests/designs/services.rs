//! A server's contract with the service above it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use raftlab::api::{Index, ServerId, Started, Term};
use raftlab::lab::{DESIGNS, Design};
use raftlab::labrpc::{Call, Leg, Rule, Verdict};
use raftlab::runtime::channel::RecvTimeoutError;
use raftlab::runtime::rand::Chance;
use raftlab::runtime::{self, Clock, RunConfig, thread};

use super::cluster::{Cluster, LONG, SERVERS, other_than};
use super::witness::watch;

/// Runs `story` on a cluster of each design, all in parallel: on the real clock, they mostly wait.
fn on(clock: Clock, story: fn(Cluster)) {
    let run = |design: &'static Design| {
        let config = RunConfig { clock, ..RunConfig::default() };
        let outcome = runtime::run(&config, move || story(Cluster::new(*design)));
        let name = design.name;
        outcome.result.unwrap_or_else(|failure| panic!("{name}, {clock} clock: {failure}"));
        assert_eq!(outcome.tasks_left, 0, "{name} leaves tasks on the {clock} clock");
    };
    std::thread::scope(|scope| {
        for design in DESIGNS {
            scope.spawn(move || run(design));
        }
    });
}

#[test]
fn a_leader_is_elected_and_its_commands_reach_every_service_in_order() {
    for clock in [Clock::Virtual, Clock::Real] {
        on(clock, |cluster| {
            let leader = cluster.leader();
            let term = cluster.servers[leader as usize].get_state().term;
            for (index, command) in (1..).zip(["a", "b", "c"]) {
                let started = cluster.start(leader, command);
                assert_eq!(started, Ok(Started { term, index: Index(index) }));
            }
            thread::sleep(LONG);
            for server in 0..SERVERS {
                assert_eq!(cluster.applied(server), ["a", "b", "c"], "S{server}");
            }
            cluster.shutdown();
        });
    }
}

#[test]
fn an_empty_command_is_a_command() {
    on(Clock::Virtual, |cluster| {
        let leader = cluster.leader();
        cluster.start(leader, "").unwrap();
        let started = cluster.start(leader, "a").unwrap();
        assert_eq!(started.index, Index(2));
        thread::sleep(LONG);
        for server in 0..SERVERS {
            assert_eq!(cluster.applied(server), ["", "a"], "S{server}");
        }
        cluster.shutdown();
    });
}

/// Loses every reply.
struct NoReplies;

impl Rule for NoReplies {
    fn judge(&self, _: &Call<'_>, leg: Leg, _: usize, _: &mut Chance) -> Verdict {
        match leg {
            Leg::Request => Verdict::Pass,
            Leg::Reply => Verdict::Drop,
        }
    }
}

#[test]
fn what_befalls_replies_befalls_what_followers_say() {
    on(Clock::Virtual, |cluster| {
        let leader = cluster.leader();
        cluster.network.add_rule("no replies", Arc::new(NoReplies));
        cluster.start(leader, "a").unwrap();
        thread::sleep(LONG);
        for server in 0..SERVERS {
            assert!(
                cluster.applied(server).is_empty(),
                "S{server} applied a command though every reply was lost"
            );
        }
        cluster.shutdown();
    });
}

#[test]
fn a_follower_refuses_a_command_and_names_the_leader() {
    on(Clock::Virtual, |cluster| {
        let leader = cluster.leader();
        let refused = cluster.start(other_than(leader), "a").unwrap_err();
        assert_eq!(refused.leader_hint, Some(ServerId(leader)));
        cluster.shutdown();
    });
}

#[test]
fn a_restarted_server_gives_its_service_everything_again() {
    on(Clock::Virtual, |mut cluster| {
        let leader = cluster.leader();
        cluster.start(leader, "a").unwrap();
        thread::sleep(LONG);
        for server in 0..SERVERS {
            cluster.crash(server);
        }
        for server in 0..SERVERS {
            cluster.restart(server);
        }
        let leader = cluster.leader();
        let started = cluster.start(leader, "b").unwrap();
        assert_eq!(started.index, Index(2), "the log survived");
        thread::sleep(LONG);
        for server in 0..SERVERS {
            assert_eq!(cluster.applied(server), ["a", "b"], "S{server}");
        }
        cluster.shutdown();
    });
}

#[test]
fn a_server_that_lags_behind_a_snapshot_is_given_it_and_goes_on() {
    on(Clock::Virtual, |mut cluster| {
        let leader = cluster.leader();
        let lags = other_than(leader);
        cluster.connect(lags, false);
        cluster.start(leader, "a").unwrap();
        cluster.start(leader, "snapshot").unwrap();
        thread::sleep(LONG);
        cluster.connect(lags, true);
        let leader = cluster.leader();
        cluster.start(leader, "b").unwrap();
        thread::sleep(LONG);
        assert_eq!(cluster.applied(lags), ["@2", "b"]);

        // The server has saved the snapshot that it installed: its next life starts from there.
        cluster.crash(lags);
        cluster.restart(lags);
        let leader = cluster.leader();
        cluster.start(leader, "c").unwrap();
        thread::sleep(LONG);
        assert_eq!(cluster.applied(lags), ["b", "c"]);
        cluster.shutdown();
    });
}

#[test]
fn a_killed_instance_ends_though_no_service_reads_and_no_peer_answers() {
    for clock in [Clock::Virtual, Clock::Real] {
        on(clock, |mut cluster| {
            cluster.network.set_long_delays(true);
            let leader = cluster.leader();
            let me = other_than(leader);
            let slot = me as usize;

            // A follower gets a new life and one command to apply, but its service never reads.
            cluster.crash(me);
            let witness = watch(&cluster.persisters[slot]);
            let (server, apply_ch) = cluster.boot(me);
            cluster.servers[slot] = server.clone();
            cluster.connect(me, true);
            cluster.start(leader, "a").unwrap();
            thread::sleep(LONG);

            // It is cut off, starts elections, and waits for replies that take seconds.
            cluster.connect(me, false);
            thread::sleep(LONG);
            assert!(server.get_state().term > Term(1), "it did not stand for election");

            server.kill();
            server.kill();
            assert!(!server.get_state().is_leader, "a killed instance still leads");
            server.start(Bytes::new()).unwrap_err();
            thread::sleep(Duration::from_millis(300));
            let received = apply_ch.recv_timeout(Duration::ZERO);
            assert_eq!(
                received,
                Err(RecvTimeoutError::Disconnected),
                "the applier is still running"
            );

            // Its tasks have dropped it, so its storage is dropped together with the last handle.
            cluster.crash(me);
            cluster.servers.remove(slot);
            drop(server);
            assert!(witness.upgrade().is_none(), "a task keeps the instance alive");
            cluster.shutdown();
        });
    }
}
