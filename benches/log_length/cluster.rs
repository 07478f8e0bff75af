//! A cluster that starts from logs of any length and agrees as fast as it can.

use std::time::Duration;

use bytes::Bytes;
use raftlab::api::raft_rpc::RaftRpc;
use raftlab::api::{ApplyMsg, Consensus, Index, ServerId};
use raftlab::labrpc::{self, Host, Network, Service};
use raftlab::persister::Persister;
use raftlab::raft::Raft;
use raftlab::runtime::channel::{self, Receiver, Sender};
use raftlab::runtime::thread;

/// Maximum wait for an applied entry: longer than any election.
const PATIENCE: Duration = Duration::from_secs(60);

/// Servers on a reliable network, each with a service that only reports the indices it applied.
pub(crate) struct Cluster {
    servers: Vec<Raft>,
    /// Each applied index, with the server that applied it.
    applied: Receiver<(ServerId, Index)>,
    leader: ServerId,
    _network: Network,
}

impl Cluster {
    /// Starts `server_count` servers, and commits their whole logs. `storage` makes the storage of
    /// one server.
    pub(crate) fn new(server_count: u32, storage: impl Fn() -> Persister) -> Cluster {
        labrpc::context();
        let network = Network::new();
        let (sender, applied) = channel::unbounded();
        let start = |me| server(&network, server_count, ServerId(me), storage(), sender.clone());
        let servers = (0..server_count).map(start).collect();
        let mut cluster = Cluster { servers, applied, leader: ServerId(0), _network: network };
        cluster.agree(1);
        cluster
    }

    /// Starts `count` commands and waits until the leader has applied the last of them.
    ///
    /// If the leader is deposed meanwhile, starts all commands again at another server.
    pub(crate) fn agree(&mut self, count: u64) {
        while !self.try_agree(count) {
            thread::sleep(Duration::from_millis(1));
            self.leader = ServerId((self.leader.0 + 1) % self.server_count());
        }
    }

    fn try_agree(&self, count: u64) -> bool {
        let mut last = None;
        for _ in 0..count {
            let command = Bytes::from_static(b"sixteen bytes ok");
            match self.servers[self.leader.slot()].start(command) {
                Ok(started) => last = Some(started.index),
                Err(_) => return false,
            }
        }
        let end = last.map(|index| (self.leader, index));
        loop {
            match self.applied.recv_timeout(PATIENCE) {
                Ok(applied) if Some(applied) == end => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    fn server_count(&self) -> u32 {
        u32::try_from(self.servers.len()).expect("it was a u32 once")
    }

    /// Kills all servers.
    pub(crate) fn kill(&self) {
        self.servers.iter().for_each(Consensus::kill);
    }
}

/// Starts one server and its service.
fn server(
    network: &Network,
    server_count: u32,
    me: ServerId,
    persister: Persister,
    applied: Sender<(ServerId, Index)>,
) -> Raft {
    let host = |server| Host::Server(ServerId(server));
    let peers = (0..server_count)
        .map(|peer| {
            let end = network.end(host(me.0), host(peer));
            network.enable(host(me.0), host(peer), true);
            end.into()
        })
        .collect();
    let (apply_sender, apply_ch) = channel::bounded(0);
    let raft = Raft::make(peers, me, persister, apply_sender).expect("the storage is sound");
    network.add_server(host(me.0), vec![Service::new(raft.clone().serve())]);
    thread::spawn(format!("service{}", me.0), move || {
        for message in apply_ch.iter() {
            if let ApplyMsg::Command { index, .. } = message
                && applied.send((me, index)).is_err()
            {
                return;
            }
        }
    });
    raft
}
