//! What one life of a server shows to the observers.

use std::sync::Arc;

use bytes::Bytes;

use crate::api::{ApplyMsg, Position, ServerId};
use crate::lab::cluster::{Presence, Tally};
use crate::lab::observe::{Life, Observers};
use crate::persister::{Persisted, Watch, Write};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;
use crate::store::StoreWatch;

/// Passes on what a server finds, writes and applies. Its disk holds it.
pub(super) struct Onlooker {
    pub(super) server: ServerId,
    /// How many calls the network had counted before this life.
    pub(super) calls: u64,
    pub(super) observers: Option<Arc<Observers>>,
    pub(super) tally: Arc<Tally>,
    /// The life that the observers see, from the moment in which the server knows what it stored.
    life: Quiet<Option<Arc<Life>>>,
    /// While it is there, the server is not all gone.
    _presence: Arc<Presence>,
}

impl Onlooker {
    pub(super) fn new(
        server: ServerId,
        calls: u64,
        observers: Option<Arc<Observers>>,
        tally: Arc<Tally>,
    ) -> Arc<Onlooker> {
        let (life, presence) = (Quiet::new(None), tally.leaves_traces(None));
        Arc::new(Onlooker { server, calls, observers, tally, life, _presence: presence })
    }

    /// The life is over; what comes later from it is ignored.
    pub(super) fn end(&self) {
        if let Some(life) = self.life() {
            life.end();
        }
    }

    fn life(&self) -> Option<Arc<Life>> {
        self.life.with(|life| life.clone())
    }
}

impl Watch for Onlooker {
    fn wrote(&self, write: &Write<'_>) {
        if let Some(life) = self.life() {
            life.wrote(write);
        }
    }
}

impl StoreWatch for Onlooker {
    fn found(&self, persisted: &Persisted, applied: Position) {
        let boots = |observers: &Arc<Observers>| observers.boot(self.server, persisted, self.calls);
        let life = self.observers.as_ref().map(boots);
        self.life.with(|slot| *slot = life);
        // Elsewhere a life applies its log from the snapshot on; here it goes on where it was.
        if applied.index > persisted.last_included.index {
            self.applied(&ApplyMsg::Snapshot { last_included: applied, data: Bytes::new() });
        }
    }

    fn applied(&self, message: &ApplyMsg) {
        self.tally.applied(message);
        if let Some(life) = self.life() {
            // Marked, so that a report says whose message it was.
            thread::with_label(Some(self.server.0), || life.applied(message));
        }
    }
}
