//! A crate with a server under test, like a student's crate.
//!
//! It prints a hash for each scenario, schedule and seed. The test builds it twice, the second time
//! with many blank lines in the server's source, and compares the two outputs.

#![allow(dead_code, unused_imports)]

use std::sync::Arc;

use api::raft_rpc::RaftRpc;
use raft::{Peer, Raft};
pub use raftlab::{api, labrpc, note, persister, record, runtime};

mod raft;

use api::ServerId;
use labrpc::{Host, Service};
use raftlab::lab::{Boot, Design, Instance, SCENARIOS, run_scenario};
use runtime::{RunConfig, Schedule};

raftlab::guard!();

fn make(boot: Boot<'_>) -> Result<Instance, persister::PersistError> {
    let end_to = |slot| {
        let to = Host::Server(ServerId::from_slot(slot));
        Peer::from(boot.network.end(Host::Server(boot.me), to))
    };
    let peers = (0..boot.servers).map(end_to).collect();
    let raft = Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}

fn main() {
    let design = Design::raft_rpc("copy", make).strict();
    let names = ["reelection_2a", "rejoin_2b", "persist1_2c", "snapshot_install_2d"];
    for scenario in SCENARIOS.iter().filter(|scenario| names.contains(&scenario.name)) {
        for schedule in [Schedule::Fifo, Schedule::Random, Schedule::Hostile] {
            for seed in 1..=10 {
                let config = RunConfig { seed, schedule, ..RunConfig::default() };
                let report = run_scenario(scenario, &design, &config);
                println!("{} {schedule} {seed} {:016x} {}", scenario.name, report.hash, report.ok);
                if let Some(failure) = report.failure {
                    println!("{failure}");
                }
            }
        }
    }
}
