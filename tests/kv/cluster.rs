//! Three servers of the key/value service on Raft, over the simulated network, without the lab.

use std::sync::{Arc, Weak};
use std::time::Duration;

use raftlab::api::kv_rpc::{ClientId, KvRpc};
use raftlab::api::raft_rpc::RaftRpc;
use raftlab::api::{Consensus, Reads, RsmConfig, ServerId};
use raftlab::kv::{Clerk, KvPeer, KvServer};
use raftlab::labrpc::{Host, Network, Service};
use raftlab::persister::{Persister, Stored, Unsynced};
use raftlab::raft::Raft;
use raftlab::runtime::{self, Clock, RunConfig, channel, thread};

pub(crate) const SERVERS: u32 = 3;

/// Long enough for an election, and for every message to reach every server.
pub(crate) const LONG: Duration = Duration::from_secs(3);

/// Both ways to read.
pub(crate) const BOTH: [Reads; 2] = [Reads::ThroughLog, Reads::ReadIndex];

pub(crate) struct Cluster {
    pub network: Arc<Network>,
    config: RsmConfig,
    pub slots: Vec<Slot>,
}

/// One server in its current life.
pub(crate) struct Slot {
    pub persister: Persister,
    pub raft: Raft,
    pub server: KvServer,
}

impl Cluster {
    pub(crate) fn new(config: RsmConfig) -> Cluster {
        let network = Arc::new(Network::new());
        let boot = |me| boot(&network, me, Persister::new(), config);
        let slots = (0..SERVERS).map(boot).collect();
        let cluster = Cluster { network, config, slots };
        (0..SERVERS).for_each(|me| cluster.connect(me, true));
        cluster
    }

    /// A cluster with no bound on its raft state.
    pub(crate) fn reading(reads: Reads) -> Cluster {
        Cluster::new(RsmConfig { reads, raft_state_max: None })
    }

    /// Makes a clerk that reaches all servers; `number` must be unique.
    pub(crate) fn clerk(&self, number: u32) -> Clerk {
        Clerk::new(ClientId(number.into()), (0..SERVERS).map(|to| self.peer(number, to)).collect())
    }

    /// Connects client `number` to one server.
    pub(crate) fn peer(&self, number: u32, to: u32) -> KvPeer {
        let (from, to) = (Host::Client(number), host(to));
        let end = self.network.end(from, to);
        self.network.enable(from, to, true);
        end.into()
    }

    /// Opens or cuts the links between `me` and the other servers. Clients always reach it.
    pub(crate) fn connect(&self, me: u32, on: bool) {
        for other in (0..SERVERS).filter(|&other| other != me) {
            self.network.enable(host(me), host(other), on);
            self.network.enable(host(other), host(me), on);
        }
    }

    /// Returns the one leader, after giving an election time to end.
    pub(crate) fn leader(&self) -> u32 {
        thread::sleep(LONG);
        let leads = |me: &u32| self.slots[*me as usize].raft.get_state().is_leader;
        let leaders: Vec<u32> = (0..SERVERS).filter(leads).collect();
        assert_eq!(leaders.len(), 1, "not exactly one leader: {leaders:?}");
        leaders[0]
    }

    /// Crashes server `me`, in the lab's order.
    pub(crate) fn crash(&mut self, me: u32) {
        let slot = &mut self.slots[me as usize];
        self.network.delete_server(host(me));
        slot.persister = slot.persister.crash(Unsynced::LoseAll);
        slot.server.kill();
    }

    pub(crate) fn restart(&mut self, me: u32) {
        let persister = self.slots[me as usize].persister.clone();
        self.slots[me as usize] = boot(&self.network, me, persister, self.config);
        self.connect(me, true);
    }

    pub(crate) fn crash_and_restart_all(&mut self) {
        (0..SERVERS).for_each(|me| self.crash(me));
        (0..SERVERS).for_each(|me| self.restart(me));
    }

    /// Ends all servers.
    pub(crate) fn shutdown(self) {
        self.slots.iter().for_each(|slot| slot.server.kill());
    }
}

fn boot(network: &Network, me: u32, persister: Persister, config: RsmConfig) -> Slot {
    let (sender, apply_ch) = channel::bounded(0);
    let peers = (0..SERVERS).map(|to| network.end(host(me), host(to)).into()).collect();
    let stored = persister.clone();
    let (raft, server) = thread::under_test(me, move || {
        let raft = Raft::make(peers, ServerId(me), stored.clone(), sender).unwrap();
        let consensus: Arc<dyn Consensus> = Arc::new(raft.clone());
        let server =
            KvServer::start(consensus, apply_ch, Stored::read(stored).unwrap(), config).unwrap();
        (raft, server)
    });
    let services = vec![Service::new(raft.clone().serve()), Service::new(server.clone().serve())];
    network.add_server(host(me), services);
    Slot { persister, raft, server }
}

pub(crate) fn host(server: u32) -> Host {
    Host::Server(ServerId(server))
}

pub(crate) fn other_than(server: u32) -> u32 {
    (server + 1) % SERVERS
}

/// Runs `main` once in real time, and in virtual time as [`in_virtual_time`] does.
pub(crate) fn on_both_clocks(seed_count: u64, main: impl Fn() + Clone + Send + 'static) {
    run(&RunConfig { clock: Clock::Real, ..RunConfig::default() }, main.clone());
    in_virtual_time(seed_count, main);
}

/// Runs `main` with seeds `1..=seed_count`, or as many as `RAFTLAB_RUNS` says. No run may leave
/// tasks.
pub(crate) fn in_virtual_time(seed_count: u64, main: impl Fn() + Clone + Send + 'static) {
    let asked = std::env::var("RAFTLAB_RUNS").ok().map(|runs| runs.parse().unwrap());
    for seed in 1..=asked.unwrap_or(seed_count) {
        run(&RunConfig { seed, ..RunConfig::default() }, main.clone());
    }
}

fn run(config: &RunConfig, main: impl Fn() + Send + 'static) {
    let outcome = runtime::run(config, main);
    let (clock, seed) = (config.clock, config.seed);
    outcome.result.unwrap_or_else(|failure| panic!("{clock} clock, seed {seed}: {failure}"));
    assert_eq!(outcome.tasks_left, 0, "tasks were left on the {clock} clock, seed {seed}");
}

/// Whether the value behind `weak` still exists.
pub(crate) fn lives<T: ?Sized>(weak: &Weak<T>) -> bool {
    weak.strong_count() > 0
}
