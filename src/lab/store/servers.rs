//! Servers with a database, as a kind of servers of a cluster.

use std::sync::{Arc, Weak};

use bytes::Bytes;

use super::watch::Onlooker;
use crate::api::{Consensus, Index, Leadership, NotLeader, ServerId, Started};
use crate::driver::Peer;
use crate::lab::cluster::{Life, ServerKind, Storage};
use crate::lab::service::ServiceInstance;
use crate::lab::{Cluster, Instance};
use crate::labrpc::Host;
use crate::persister::Unsynced;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind, thread};
use crate::store::{ChunkEnd, Disk, StoreConfig, StorePeer, StoreServer};

/// The servers of a cluster in part `store`; a clone refers to the same servers.
///
/// The cluster crashes and restarts them like all others. Here is what only these servers have.
#[derive(Clone)]
pub struct Stores {
    cluster: Cluster,
    running: Running,
}

/// The servers that are up: one slot per server, empty while the server is down.
type Running = Arc<Quiet<Vec<Option<StoreServer>>>>;

/// The kind of servers with a database. It does not hold the cluster, since the cluster holds it.
struct WithDatabase {
    config: StoreConfig,
    running: Running,
}

impl Storage for Disk {
    fn crash(&self, unsynced: Unsynced) -> Box<dyn Storage> {
        Box::new(Disk::crash(self, unsynced))
    }

    fn downgrade(&self) -> Weak<dyn Send + Sync> {
        Disk::downgrade(self)
    }
}

impl ServerKind for WithDatabase {
    fn new_storage(&self) -> Box<dyn Storage> {
        Box::new(Disk::new())
    }

    fn start(&self, cluster: &Cluster, server: ServerId) -> Life {
        let disk: Disk = cluster.storage(server);
        let onlooker = Onlooker::new(server, cluster);
        disk.watch(onlooker.clone());
        let from = Host::Server(server);
        let peer = |to| StorePeer {
            messages: Peer::from(cluster.network().end(from, Host::Server(to))),
            chunks: ChunkEnd::from(cluster.network().end(from, Host::Server(to))),
        };
        let peers = cluster.servers().map(peer).collect();
        let started =
            thread::under_test(server.0, || StoreServer::start(peers, server, &disk, self.config));
        let started = started.unwrap_or_else(|error| {
            let message = format!("{server} could not start from its disk: {error}");
            runtime::fail(FailureKind::Assertion, "boot", message)
        });
        self.running.with(|running| running[server.slot()] = Some(started.clone()));
        Life {
            service: Box::new(Up { slot: server.slot(), running: self.running.clone() }),
            observed: onlooker.life(),
            instance: Instance {
                services: started.services(),
                consensus: Arc::new(Whole(started)),
            },
        }
    }
}

/// A server with its own service: it has a term and can lead, but takes commands from clerks only.
struct Whole(StoreServer);

impl Consensus for Whole {
    fn start(&self, _command: Bytes) -> Result<Started, NotLeader> {
        Err(NotLeader { term: self.get_state().term, leader_hint: None })
    }

    fn get_state(&self) -> Leadership {
        self.0.get_state()
    }

    fn snapshot(&self, _index: Index, _data: Bytes) {}

    fn kill(&self) {
        self.0.kill();
    }
}

/// The entry in [`Running`] of a server that is up.
struct Up {
    slot: usize,
    running: Running,
}

impl ServiceInstance for Up {
    fn end(&self) {
        drop(self.running.with(|running| running[self.slot].take()));
    }
}

impl Cluster {
    /// Boots the servers of part `store`, and connects them.
    pub fn serve_store(&self, config: StoreConfig) -> Stores {
        let servers = self.server_count();
        let running: Running = Arc::new(Quiet::new(vec![None; servers]));
        let kind = WithDatabase { config, running: running.clone() };
        self.start_servers(Arc::new(kind), servers);
        Stores { cluster: self.clone(), running }
    }
}

impl Stores {
    /// The cluster of these servers.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Makes the power of `server` fail after `operations` more writes and syncs of its disk.
    ///
    /// The server is cut off at that very moment, so that nothing that its tasks still do reaches
    /// another host. Crash it next.
    pub fn fail_power_after(&self, server: ServerId, operations: u64) {
        let cut_off = self.cluster.later(move |cluster| cluster.cut_off(server));
        self.disk(server).fail_power_after(operations, Unsynced::Draw, cut_off);
    }

    /// The servers whose power has failed.
    pub fn without_power(&self) -> Vec<ServerId> {
        let failed = |server: &ServerId| self.disk(*server).power_has_failed();
        self.cluster.servers().filter(failed).collect()
    }

    fn disk(&self, server: ServerId) -> Disk {
        self.cluster.storage(server)
    }

    /// The last index that `server` has applied; `None` while it is down.
    pub fn applied(&self, server: ServerId) -> Option<Index> {
        self.running(server).map(|running| running.applied())
    }

    /// Number of entries that `server` has applied and still keeps; `None` while it is down.
    pub fn kept(&self, server: ServerId) -> Option<u64> {
        let running = self.running(server)?;
        Some(running.applied().0.saturating_sub(running.truncated().index.0))
    }

    /// The last index that `server` has trimmed from its log; `None` while it is down.
    pub fn truncated(&self, server: ServerId) -> Option<Index> {
        self.running(server).map(|running| running.truncated().index)
    }

    /// Number of snapshots that replaced the data of `server` in this life.
    pub fn snapshots_installed(&self, server: ServerId) -> u64 {
        self.running(server).map_or(0, |running| running.usage().snapshots_installed)
    }

    /// The value of `key` in the server's own database, without a call; `None` if there is none.
    pub fn look(&self, server: ServerId, key: &str) -> Option<String> {
        self.running(server)?.look(key)
    }

    /// The server object of `server`, while it is up.
    pub(in crate::lab) fn running(&self, server: ServerId) -> Option<StoreServer> {
        self.running.with(|running| running[server.slot()].clone())
    }
}
