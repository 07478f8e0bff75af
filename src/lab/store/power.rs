//! Servers with a database that crash and come back.

use std::sync::Arc;

use super::watch::Onlooker;
use crate::api::{Index, Leadership, ServerId};
use crate::driver::Peer;
use crate::lab::Cluster;
use crate::labrpc::Host;
use crate::persister::Unsynced;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind, thread};
use crate::store::{ChunkEnd, Disk, StoreConfig, StorePeer, StoreServer};

/// The servers of a cluster in part `store`; a clone refers to the same servers.
#[derive(Clone)]
pub struct Stores {
    cluster: Cluster,
    inner: Arc<Inner>,
}

/// The shared part of [`Stores`]. It must not hold the cluster, because the cluster holds it.
struct Inner {
    config: StoreConfig,
    /// One slot per server.
    slots: Quiet<Vec<Slot>>,
}

/// One server of the cluster, across its lives.
#[derive(Default)]
struct Slot {
    disk: Disk,
    /// `None` while the server is down.
    running: Option<StoreServer>,
    /// The onlooker that watches the server's present life.
    observed: Option<Arc<Onlooker>>,
}

impl Inner {
    /// Ends the life of `server`, whose disk loses what `unsynced` says; returns the server object.
    fn end_life(&self, server: ServerId, unsynced: Unsynced) -> Option<StoreServer> {
        self.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            if let Some(observed) = slot.observed.take() {
                observed.end();
            }
            slot.disk = slot.disk.crash(unsynced);
            slot.running.take()
        })
    }
}

impl Cluster {
    /// Boots the servers of part `store`, and connects them.
    pub fn serve_store(&self, config: StoreConfig) -> Stores {
        let slots = Quiet::new(self.servers().map(|_| Slot::default()).collect());
        let stores = Stores { cluster: self.clone(), inner: Arc::new(Inner { config, slots }) };
        self.at_end({
            let (inner, servers) = (stores.inner.clone(), self.servers());
            move || {
                servers.for_each(|server| kill(server, inner.end_life(server, Unsynced::LoseAll)))
            }
        });
        self.servers().for_each(|server| stores.boot(server));
        self.servers().for_each(|server| self.connect(server));
        stores
    }
}

impl Stores {
    /// The cluster of these servers.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Crashes `server`; `unsynced` says what survives of the writes after its last sync.
    ///
    /// The steps have the order of [`Cluster::crash_keeping`].
    pub fn crash(&self, server: ServerId, unsynced: Unsynced) {
        self.cluster.disconnect(server);
        self.cluster.network().delete_server(Host::Server(server));
        kill(server, self.inner.end_life(server, unsynced));
    }

    /// Makes the power of `server` fail after `operations` more writes and syncs of its disk.
    ///
    /// The server is cut off at that very moment, so that nothing that its tasks still do reaches
    /// another host. Call [`Stores::crash`] next.
    pub fn fail_power_after(&self, server: ServerId, operations: u64) {
        let (disk, observed) = self.inner.slots.with(|slots| {
            let slot = &slots[server.slot()];
            (slot.disk.clone(), slot.observed.clone())
        });
        let cut_off = self.cluster.later(move |cluster| {
            cluster.disconnect(server);
            cluster.network().delete_server(Host::Server(server));
            if let Some(observed) = observed {
                observed.end();
            }
        });
        disk.fail_power_after(operations, Unsynced::Draw, cut_off);
    }

    /// The servers whose power has failed.
    pub fn without_power(&self) -> Vec<ServerId> {
        let failed = |server: &ServerId| {
            self.inner.slots.with(|slots| slots[server.slot()].disk.power_has_failed())
        };
        self.cluster.servers().filter(failed).collect()
    }

    /// Starts `server` from its disk and connects it. A running server crashes first.
    pub fn restart(&self, server: ServerId) {
        self.boot(server);
        self.cluster.connect(server);
    }

    /// Starts `server` from its disk, without connecting it. A running server crashes first.
    pub fn boot(&self, server: ServerId) {
        if self.is_running(server) {
            self.crash(server, Unsynced::LoseAll);
        }
        let cluster = &self.cluster;
        let (observers, tally) = (cluster.observers().cloned(), cluster.tally().clone());
        let calls = cluster.network().counters().calls;
        let onlooker = Onlooker::new(server, calls, observers, tally);
        let disk = self.inner.slots.with(|slots| slots[server.slot()].disk.clone());
        disk.watch(onlooker.clone());
        let from = Host::Server(server);
        let peer = |to| StorePeer {
            messages: Peer::from(cluster.network().end(from, Host::Server(to))),
            chunks: ChunkEnd::from(cluster.network().end(from, Host::Server(to))),
        };
        let peers = cluster.servers().map(peer).collect();
        let config = self.inner.config;
        let started =
            thread::under_test(server.0, || StoreServer::start(peers, server, &disk, config));
        let started = started.unwrap_or_else(|error| {
            let message = format!("{server} could not start from its disk: {error}");
            runtime::fail(FailureKind::Assertion, "boot", message)
        });
        cluster.network().add_server(from, started.services());
        self.inner.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            slot.running = Some(started);
            slot.observed = Some(onlooker);
        });
    }

    /// Connects all servers that are up with each other, whichever links were cut before.
    pub fn heal(&self) {
        let up = |server: &ServerId| self.is_running(*server);
        self.cluster.servers().filter(up).for_each(|server| self.cluster.connect(server));
    }

    /// Whether `server` is up.
    pub fn is_running(&self, server: ServerId) -> bool {
        self.running(server).is_some()
    }

    /// Waits until a connected server leads.
    pub fn wait_for_leader(&self) -> ServerId {
        self.cluster.one_leader_of(|| {
            let connected = |server: &ServerId| self.cluster.is_connected(*server);
            let state = |server| Some((server, self.state_of(server)?));
            self.cluster.servers().filter(connected).filter_map(state).collect()
        })
    }

    /// The term that `server` is in, and whether it leads; `None` while it is down.
    pub fn state_of(&self, server: ServerId) -> Option<Leadership> {
        self.running(server).map(|running| running.get_state())
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
        self.inner.slots.with(|slots| slots[server.slot()].running.clone())
    }
}

fn kill(server: ServerId, running: Option<StoreServer>) {
    if let Some(running) = running {
        thread::under_test(server.0, || running.kill());
    }
}
