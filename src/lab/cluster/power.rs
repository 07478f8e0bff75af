//! Crashes and restarts of servers, and cuts of their links.

use std::sync::Arc;

use super::{Cluster, host};
use crate::api::{ApplyMsg, ServerId};
use crate::lab::application::Seat;
use crate::lab::{Boot, Instance, observe};
use crate::persister::{PersistError, Persister, Stored, Unsynced};
use crate::runtime::{self, FailureKind, channel, thread};

impl Cluster {
    /// Crashes `server`, which loses all writes that it had not synced.
    pub fn crash(&self, server: ServerId) {
        self.crash_keeping(server, Unsynced::LoseAll);
    }

    /// Crashes `server`; `unsynced` chooses the writes after its last sync that survive.
    ///
    /// The order is the course's: the server is cut off, its replies in flight are dropped, its
    /// persister is copied, and only then is the old instance told to stop. Its later writes are
    /// lost.
    pub fn crash_keeping(&self, server: ServerId, unsynced: Unsynced) {
        self.disconnect(server);
        self.inner.network.delete_server(host(server));
        let (above, running) = self.inner.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            if let Some(observed) = slot.observed.take() {
                observed.end();
            }
            slot.persister = slot.persister.crash(unsynced);
            (slot.above.take(), slot.running.take())
        });
        if let Some(above) = above {
            thread::under_test(server.0, || above.end());
        }
        if let Some(consensus) = running {
            thread::under_test(server.0, || consensus.kill());
            self.inner.graves.dig(server);
        }
        self.look_for_killed_servers();
    }

    /// Starts `server` from its storage and connects it. A running server crashes first.
    pub fn restart(&self, server: ServerId) {
        self.boot(server);
        self.connect(server);
    }

    /// Replaces `server` by a new machine: it starts with empty storage and is connected.
    pub fn replace(&self, server: ServerId) {
        self.crash(server);
        self.inner.slots.with(|slots| slots[server.slot()].persister = Persister::new());
        self.restart(server);
    }

    /// Starts `server` from its storage, without connecting it. A running server crashes first.
    pub fn boot(&self, server: ServerId) {
        if self.is_running(server) {
            self.crash(server);
        }
        let persister = self.persister(server);
        let persisted = persister.load().unwrap_or_else(|error| cannot_boot(server, &error));
        let observed = self.inner.observers.as_ref().map(|observers| {
            let life = observers.boot(server, &persisted, self.inner.network.counters().calls);
            persister.watch(life.clone());
            life
        });
        let (apply_sender, apply_ch) = channel::bounded(0);
        let kept = persister.clone();
        let boot = Boot {
            servers: self.server_count(),
            me: server,
            network: &self.inner.network,
            persister,
            apply_ch: apply_sender,
        };
        let Instance { consensus, mut services } =
            thread::under_test(server.0, || (self.inner.design.make)(boot))
                .unwrap_or_else(|error| cannot_boot(server, &error));
        self.inner.tally.born(&consensus, &kept);
        let application = self.inner.application.with(|application| application.clone());
        let above =
            application.expect("a service was chosen before the first boot").begin_life(Seat {
                server,
                consensus: consensus.clone(),
                apply_ch: apply_ch.inspect(self.onlooker(server, observed.clone())),
                stored: Stored {
                    persister: kept,
                    snapshot: (self.inner.design.snapshot)(&persisted),
                },
            });
        services.extend(thread::under_test(server.0, || above.services()));
        self.inner.network.add_server(host(server), services);
        self.inner.slots.with(|slots| {
            let slot = &mut slots[server.slot()];
            slot.running = Some(consensus);
            slot.above = Some(above);
            slot.observed = observed;
        });
    }

    /// A hook that sees each message of `server`'s apply channel before the service does.
    fn onlooker(
        &self,
        server: ServerId,
        observed: Option<Arc<observe::Life>>,
    ) -> impl Fn(&ApplyMsg) + Send + Sync + 'static {
        let tally = self.inner.tally.clone();
        move |message| {
            tally.applied(message);
            if let Some(observed) = &observed {
                // With the server's label, so that a report names the server.
                thread::with_label(Some(server.0), || observed.applied(message));
            }
        }
    }

    /// Connects `server` with all servers that are connected.
    pub fn connect(&self, server: ServerId) {
        self.inner.slots.with(|slots| slots[server.slot()].connected = true);
        for other in self.servers().filter(|other| self.is_connected(*other)) {
            self.set_link(server, other, true);
            self.set_link(other, server, true);
        }
    }

    /// Cuts `server` off from all others. It keeps running.
    pub fn disconnect(&self, server: ServerId) {
        self.inner.slots.with(|slots| slots[server.slot()].connected = false);
        for other in self.servers() {
            self.set_link(server, other, false);
            self.set_link(other, server, false);
        }
    }

    /// Opens or cuts the link for calls in one direction, from one server to another.
    pub(super) fn set_link(&self, from: ServerId, to: ServerId, on: bool) {
        self.inner.network.enable(host(from), host(to), on);
    }
}

/// Ends the run because the server cannot start from its storage.
fn cannot_boot(server: ServerId, error: &PersistError) -> ! {
    let message = format!("{server} could not start from its storage: {error}");
    runtime::fail(FailureKind::Assertion, "boot", message)
}
