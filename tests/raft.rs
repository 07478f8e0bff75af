//! Three servers over the simulated network, without the lab: what `Raft` offers to a service.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Consensus, Index, NotLeader, ServerId, Started, Term};
use raftlab::labrpc::{Host, Network, Service};
use raftlab::persister::{Persister, Unsynced, Watch, Write};
use raftlab::raft::Raft;
use raftlab::raft::rpc::RaftRpc;
use raftlab::runtime::channel::{self, Receiver, RecvTimeoutError};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::{self, Clock, RunConfig, thread};

const SERVERS: u32 = 3;

/// Long enough for an election and for any news to reach everybody.
const LONG: Duration = Duration::from_secs(3);

struct Cluster {
    network: Network,
    persisters: Vec<Persister>,
    rafts: Vec<Raft>,
    /// What each server's service was given, in every life: commands, and snapshots as `@index`.
    applied: Vec<Arc<Quiet<Vec<String>>>>,
}

impl Cluster {
    fn new() -> Cluster {
        let mut cluster = Cluster {
            network: Network::new(),
            persisters: (0..SERVERS).map(|_| Persister::new()).collect(),
            rafts: Vec::new(),
            applied: (0..SERVERS).map(|_| Arc::default()).collect(),
        };
        for me in 0..SERVERS {
            let (raft, apply_ch) = cluster.boot(me);
            cluster.serve(me, &raft, apply_ch);
            cluster.rafts.push(raft);
            cluster.connect(me, true);
        }
        cluster
    }

    /// A new life of server `me`, whose service does not read yet.
    fn boot(&self, me: u32) -> (Raft, Receiver<ApplyMsg>) {
        let (sender, apply_ch) = channel::bounded(0);
        let end = |to| self.network.end(Host::Server(ServerId(me)), Host::Server(ServerId(to)));
        let peers = (0..SERVERS).map(|to| end(to).into()).collect();
        let persister = self.persisters[me as usize].clone();
        let raft = thread::under_test(me, || Raft::make(peers, ServerId(me), persister, sender));
        let raft = raft.unwrap();
        let services = vec![Service::new(raft.clone().serve())];
        self.network.add_server(Host::Server(ServerId(me)), services);
        (raft, apply_ch)
    }

    /// Starts the service of server `me`.
    fn serve(&self, me: u32, raft: &Raft, apply_ch: Receiver<ApplyMsg>) {
        let (raft, applied) = (raft.clone(), self.applied[me as usize].clone());
        thread::spawn(format!("service-{me}"), move || {
            for message in apply_ch.iter() {
                match message {
                    ApplyMsg::Command { index, command, .. } => {
                        let command = String::from_utf8(command.to_vec()).unwrap();
                        // A snapshot is taken where the command is received, as services do.
                        if command == "snapshot" {
                            raft.snapshot(index, Bytes::from_static(b"state"));
                        }
                        applied.with(|applied| applied.push(command));
                    }
                    ApplyMsg::Snapshot { last_included, data } => {
                        assert_eq!(data, Bytes::from_static(b"state"), "not what was saved");
                        applied.with(|applied| applied.push(format!("@{}", last_included.index)));
                    }
                }
            }
        });
    }

    fn connect(&self, me: u32, on: bool) {
        for other in (0..SERVERS).filter(|&other| other != me) {
            let (one, two) = (Host::Server(ServerId(me)), Host::Server(ServerId(other)));
            self.network.enable(one, two, on);
            self.network.enable(two, one, on);
        }
    }

    fn crash(&mut self, me: u32) {
        let slot = me as usize;
        self.network.delete_server(Host::Server(ServerId(me)));
        self.persisters[slot] = self.persisters[slot].crash(Unsynced::LoseAll);
        self.rafts[slot].kill();
        self.applied[slot].with(Vec::clear);
    }

    fn restart(&mut self, me: u32) {
        let (raft, apply_ch) = self.boot(me);
        self.serve(me, &raft, apply_ch);
        self.rafts[me as usize] = raft;
        self.connect(me, true);
    }

    /// The one leader, after an election has had time.
    fn leader(&self) -> u32 {
        thread::sleep(LONG);
        let leads = |server: &u32| self.rafts[*server as usize].get_state().is_leader;
        let leaders: Vec<u32> = (0..SERVERS).filter(leads).collect();
        assert_eq!(leaders.len(), 1, "{leaders:?} lead");
        leaders[0]
    }

    fn start(&self, leader: u32, command: &'static str) -> Result<Started, NotLeader> {
        self.rafts[leader as usize].start(Bytes::from_static(command.as_bytes()))
    }

    fn applied(&self, server: u32) -> Vec<String> {
        self.applied[server as usize].with(|applied| applied.clone())
    }

    fn shutdown(self) {
        self.rafts.iter().for_each(Raft::kill);
    }
}

fn other_than(leader: u32) -> u32 {
    (leader + 1) % SERVERS
}

fn on(clock: Clock, main: impl FnOnce() + Send + 'static) {
    let outcome = runtime::run(&RunConfig { clock, ..RunConfig::default() }, main);
    outcome.result.unwrap_or_else(|failure| panic!("on the {clock} clock: {failure}"));
    assert_eq!(outcome.tasks_left, 0, "tasks were left on the {clock} clock");
}

#[test]
fn a_leader_is_elected_and_its_commands_reach_every_service_in_order() {
    for clock in [Clock::Virtual, Clock::Real] {
        on(clock, || {
            let cluster = Cluster::new();
            let leader = cluster.leader();
            let term = cluster.rafts[leader as usize].get_state().term;
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
fn a_follower_refuses_a_command_and_names_the_leader() {
    on(Clock::Virtual, || {
        let cluster = Cluster::new();
        let leader = cluster.leader();
        let refused = cluster.start(other_than(leader), "a").unwrap_err();
        assert_eq!(refused.leader_hint, Some(ServerId(leader)));
        cluster.shutdown();
    });
}

#[test]
fn a_restarted_server_gives_its_service_everything_again() {
    on(Clock::Virtual, || {
        let mut cluster = Cluster::new();
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
    on(Clock::Virtual, || {
        let mut cluster = Cluster::new();
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

        // What it installed is its own now: its next life starts from there.
        cluster.crash(lags);
        cluster.restart(lags);
        let leader = cluster.leader();
        cluster.start(leader, "c").unwrap();
        thread::sleep(LONG);
        assert_eq!(cluster.applied(lags), ["b", "c"]);
        cluster.shutdown();
    });
}

/// Sees nothing; while it lives, so does a handle to the persister that it watches.
struct Witness;

impl Watch for Witness {
    fn wrote(&self, _: &Write<'_>) {}
}

fn watch(persister: &Persister) -> Weak<Witness> {
    let witness = Arc::new(Witness);
    persister.watch(witness.clone());
    Arc::downgrade(&witness)
}

#[test]
fn a_killed_instance_ends_though_no_service_reads_and_no_peer_answers() {
    for clock in [Clock::Virtual, Clock::Real] {
        on(clock, || {
            let mut cluster = Cluster::new();
            cluster.network.set_long_delays(true);
            let leader = cluster.leader();
            let me = other_than(leader);
            let slot = me as usize;

            // A new life of a follower, whose service never reads. It has one thing to apply.
            cluster.crash(me);
            let witness = watch(&cluster.persisters[slot]);
            let (raft, apply_ch) = cluster.boot(me);
            cluster.rafts[slot] = raft.clone();
            cluster.connect(me, true);
            cluster.start(leader, "a").unwrap();
            thread::sleep(LONG);

            // It is cut off, stands for election, and waits for answers that take seconds.
            cluster.connect(me, false);
            thread::sleep(LONG);
            assert!(raft.get_state().term > Term(1), "it did not stand for election");

            raft.kill();
            raft.kill();
            assert!(!raft.get_state().is_leader, "a killed instance leads nobody");
            raft.start(Bytes::new()).unwrap_err();
            thread::sleep(Duration::from_millis(300));
            let received = apply_ch.recv_timeout(Duration::ZERO);
            assert_eq!(received, Err(RecvTimeoutError::Disconnected), "the applier lives on");

            // Its tasks have let go of it: with the last handle goes its storage.
            cluster.crash(me);
            cluster.rafts.remove(slot);
            drop(raft);
            assert!(witness.upgrade().is_none(), "a task keeps the instance alive");
            cluster.shutdown();
        });
    }
}

/// The text of a file of `src/raft`.
fn source(file: &str) -> String {
    let path = format!("{}/src/raft/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_map_of_rules_names_functions_that_are_there() {
    let chapter = source("mod.rs");
    let rows: Vec<&str> = chapter.lines().filter(|line| line.starts_with("//! |")).collect();
    // Behind the heading and its rule.
    let rules = rows.iter().skip(2);
    assert!(rules.len() >= 14, "Figure 2 has more rules than {}", rules.len());
    for row in rules {
        let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let (file, functions) = names.split_last().unwrap();
        assert!(!functions.is_empty(), "no function: {row}");
        let text = source(file);
        for function in functions {
            assert!(text.contains(&format!("fn {function}(")), "{file} has no {function}: {row}");
        }
    }
}
