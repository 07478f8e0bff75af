//! Many clients at once.

use std::time::Duration;

use bytes::Bytes;
use raftlab::api::ServerId;
use raftlab::lab::{Boot, DESIGNS, Design, Instance};
use raftlab::labrpc::Network;
use raftlab::persister::Persister;
use raftlab::runtime::{self, RunConfig, Schedule, channel, thread};

/// More clients than any design handles in one batch.
const CLIENTS: usize = 1000;

/// Counts the commands that a cluster of one server accepts when all clients send at once.
fn taken(design: &Design) -> usize {
    let (make, network) = (design.make, Network::new());
    let (apply_sender, apply_ch) = channel::bounded(0);
    let (servers, me, persister) = (1, ServerId(0), Persister::new());
    let boot = Boot { servers, me, network: &network, persister, apply_ch: apply_sender };
    let Instance { consensus, .. } = make(boot).unwrap();
    thread::spawn("service", move || apply_ch.iter().for_each(drop));
    while !consensus.get_state().is_leader {
        thread::sleep(Duration::from_millis(10));
    }
    let client = |number: usize| {
        let consensus = consensus.clone();
        let start = move || consensus.start(Bytes::from(number.to_string())).is_ok();
        thread::spawn(format!("client-{number}"), start)
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    let taken = clients.into_iter().map(thread::JoinHandle::join).filter(|taken| *taken).count();
    consensus.kill();
    taken
}

#[test]
fn a_leader_takes_the_commands_of_a_thousand_clients_at_once() {
    for design in DESIGNS {
        let config = RunConfig { schedule: Schedule::Fifo, ..RunConfig::default() };
        let (name, design) = (design.name, *design);
        let outcome = runtime::run(&config, move || taken(&design));
        assert_eq!(outcome.result, Ok(CLIENTS), "design {name}");
    }
}
