//! Crashes and restarts of servers, and cuts of their links.

use super::told::tell_crash;
use super::{Cluster, Life, host};
use crate::api::ServerId;
use crate::lab::Instance;
use crate::persister::Unsynced;
use crate::record;
use crate::runtime::thread;

impl Cluster {
    /// Crashes `server`, which loses all writes that it had not synced.
    pub fn crash(&self, server: ServerId) {
        self.crash_keeping(server, Unsynced::LoseAll);
    }

    /// Crashes `server`; `unsynced` chooses which of the writes after its last sync survive.
    ///
    /// The order is the course's: the server is cut off, its replies in flight are dropped, its
    /// storage is copied, and only then is the old instance told to stop. Its later writes are
    /// lost.
    pub fn crash_keeping(&self, server: ServerId, unsynced: Unsynced) {
        record::step(|| format!("crashes {server}"));
        self.cut_off(server);
        let (service, running) = self.inner.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            slot.storage = slot.storage.take().map(|storage| storage.crash(unsynced));
            (slot.service.take(), slot.running.take())
        });
        tell_crash(server);
        if let Some(service) = service {
            thread::under_test(server.0, || service.end());
        }
        if let Some(consensus) = running {
            thread::under_test(server.0, || consensus.kill());
            self.inner.graves.dig(server);
        }
        self.look_for_killed_servers();
    }

    /// Cuts `server` off from all hosts and from the observers: it keeps running, but nothing that
    /// it does counts.
    pub(in crate::lab) fn cut_off(&self, server: ServerId) {
        self.unlink(server);
        self.inner.network.delete_server(host(server));
        let observed = self.inner.slots.with(|slots| slots[server.slot()].observed.take());
        if let Some(observed) = observed {
            observed.end();
        }
    }

    /// Starts `server` from its storage and connects it. A running server crashes first.
    pub fn restart(&self, server: ServerId) {
        self.boot(server);
        self.link(server);
    }

    /// Replaces `server` by a new machine: it starts with empty storage and is connected.
    pub fn replace(&self, server: ServerId) {
        self.crash(server);
        let storage = self.server_kind().new_storage();
        self.inner.slots.with(|slots| slots[server.slot()].storage = Some(storage));
        self.restart(server);
    }

    /// Starts `server` from its storage, without connecting it. A running server crashes first.
    pub fn boot(&self, server: ServerId) {
        if self.is_running(server) {
            self.crash(server);
        }
        record::step(|| format!("starts {server}"));
        let Life { instance: Instance { consensus, services }, service, observed } =
            self.server_kind().start(self, server);
        self.inner.network.add_server(host(server), services);
        self.inner.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            let storage = slot.storage.as_deref().expect("the server has started from it");
            self.inner.tally.born(&consensus, storage);
            slot.running = Some(consensus);
            slot.service = Some(service);
            slot.observed = observed;
        });
    }

    /// Connects `server` with all servers that are connected.
    pub fn connect(&self, server: ServerId) {
        record::step(|| format!("connects {server}"));
        self.link(server);
    }

    /// Connects `server` without a step in the record.
    pub(in crate::lab) fn link(&self, server: ServerId) {
        self.inner.slots.with(|slots| slots[server.slot()].connected = true);
        for other in self.servers().filter(|other| self.is_connected(*other)) {
            self.set_link(server, other, true);
            self.set_link(other, server, true);
        }
    }

    /// Cuts `server` off from all others. It keeps running.
    pub fn disconnect(&self, server: ServerId) {
        record::step(|| format!("cuts {server} off from all others"));
        self.unlink(server);
    }

    /// Cuts `server` off without a step in the record.
    fn unlink(&self, server: ServerId) {
        self.inner.slots.with(|slots| slots[server.slot()].connected = false);
        for other in self.servers() {
            self.set_link(server, other, false);
            self.set_link(other, server, false);
        }
    }

    /// Opens or cuts the link for calls in one direction, from one server to another.
    pub(super) fn set_link(&self, from: ServerId, to: ServerId, on: bool) {
        self.inner.network.enable(host(from), host(to), on);
        self.tell_link(from, to, on);
    }
}
