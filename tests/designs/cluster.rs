//! Three servers of one design over the simulated network, without the lab's cluster.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Consensus, NotLeader, ServerId, Started};
use raftlab::lab::{Boot, Design, Instance};
use raftlab::labrpc::{Host, Network};
use raftlab::persister::{Persister, Unsynced};
use raftlab::runtime::channel::{self, Receiver};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::thread;

pub(crate) const SERVERS: u32 = 3;

/// Long enough for an election, and for every message to reach every server.
pub(crate) const LONG: Duration = Duration::from_secs(3);

pub(crate) struct Cluster {
    design: Design,
    pub network: Network,
    pub persisters: Vec<Persister>,
    pub servers: Vec<Arc<dyn Consensus>>,
    /// What each server's service received in this life: commands, and snapshots as `@index`.
    applied: Vec<Arc<Quiet<Vec<String>>>>,
}

impl Cluster {
    pub(crate) fn new(design: Design) -> Cluster {
        let mut cluster = Cluster {
            design,
            network: Network::new(),
            persisters: (0..SERVERS).map(|_| Persister::new()).collect(),
            servers: Vec::new(),
            applied: (0..SERVERS).map(|_| Arc::default()).collect(),
        };
        for me in 0..SERVERS {
            let (server, apply_ch) = cluster.boot(me);
            cluster.serve(me, &server, apply_ch);
            cluster.servers.push(server);
            cluster.connect(me, true);
        }
        cluster
    }

    /// Starts a new life of server `me`, whose service does not read yet.
    pub(crate) fn boot(&self, me: u32) -> (Arc<dyn Consensus>, Receiver<ApplyMsg>) {
        let (sender, apply_ch) = channel::bounded(0);
        let boot = Boot {
            servers: SERVERS as usize,
            me: ServerId(me),
            network: &self.network,
            persister: self.persisters[me as usize].clone(),
            apply_ch: sender,
        };
        let made = thread::under_test(me, || (self.design.make)(boot));
        let Instance { consensus, services } = made.unwrap();
        self.network.add_server(Host::Server(ServerId(me)), services);
        (consensus, apply_ch)
    }

    /// Starts the service of server `me`.
    fn serve(&self, me: u32, server: &Arc<dyn Consensus>, apply_ch: Receiver<ApplyMsg>) {
        let (server, applied) = (server.clone(), self.applied[me as usize].clone());
        thread::spawn(format!("service-{me}"), move || {
            for message in apply_ch.iter() {
                match message {
                    ApplyMsg::Command { index, command, .. } => {
                        let command = String::from_utf8(command.to_vec()).unwrap();
                        // A snapshot is taken where the command is received, as services do.
                        if command == "snapshot" {
                            server.snapshot(index, Bytes::from_static(b"state"));
                        }
                        applied.with(|applied| applied.push(command));
                    }
                    ApplyMsg::Snapshot { last_included, data } => {
                        assert_eq!(
                            data,
                            Bytes::from_static(b"state"),
                            "the snapshot is not the one that was saved"
                        );
                        applied.with(|applied| applied.push(format!("@{}", last_included.index)));
                    }
                }
            }
        });
    }

    pub(crate) fn connect(&self, me: u32, on: bool) {
        for other in (0..SERVERS).filter(|&other| other != me) {
            let (one, two) = (Host::Server(ServerId(me)), Host::Server(ServerId(other)));
            self.network.enable(one, two, on);
            self.network.enable(two, one, on);
        }
    }

    pub(crate) fn crash(&mut self, me: u32) {
        let slot = me as usize;
        self.network.delete_server(Host::Server(ServerId(me)));
        self.persisters[slot] = self.persisters[slot].crash(Unsynced::LoseAll);
        self.servers[slot].kill();
        self.applied[slot].with(Vec::clear);
    }

    pub(crate) fn restart(&mut self, me: u32) {
        let (server, apply_ch) = self.boot(me);
        self.serve(me, &server, apply_ch);
        self.servers[me as usize] = server;
        self.connect(me, true);
    }

    /// Returns the one leader, after giving an election time to end.
    pub(crate) fn leader(&self) -> u32 {
        thread::sleep(LONG);
        let leads = |server: &u32| self.servers[*server as usize].get_state().is_leader;
        let leaders: Vec<u32> = (0..SERVERS).filter(leads).collect();
        assert_eq!(leaders.len(), 1, "not exactly one leader: {leaders:?}");
        leaders[0]
    }

    pub(crate) fn start(&self, leader: u32, command: &'static str) -> Result<Started, NotLeader> {
        self.servers[leader as usize].start(Bytes::from_static(command.as_bytes()))
    }

    pub(crate) fn applied(&self, server: u32) -> Vec<String> {
        self.applied[server as usize].with(|applied| applied.clone())
    }

    pub(crate) fn shutdown(self) {
        self.servers.iter().for_each(|server| server.kill());
    }
}

pub(crate) fn other_than(leader: u32) -> u32 {
    (leader + 1) % SERVERS
}
