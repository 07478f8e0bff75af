//! Shows the observers what a server with a database stores and applies in one life.

use std::sync::Arc;

use bytes::Bytes;

use crate::api::{ApplyMsg, Index, Position, ServerId};
use crate::lab::Cluster;
use crate::lab::apply_order::{Breach, next_applied};
use crate::lab::cluster::Tally;
use crate::lab::observe::{Life, Observers};
use crate::persister::{Persisted, Watch, Write};
use crate::runtime::sync::Quiet;
use crate::store::StoreWatch;

/// Tells the observers what a server finds, writes and applies. The server's disk holds it.
pub(super) struct Onlooker {
    server: ServerId,
    /// Number of calls that the network had counted before this life.
    calls: u64,
    observers: Option<Arc<Observers>>,
    tally: Arc<Tally>,
    /// The life that the observers see, from the moment when the server knows what it has stored.
    life: Quiet<Option<Arc<Life>>>,
    /// The last entry whose effect is in the data.
    last_applied: Quiet<Index>,
}

impl Onlooker {
    /// Watches the life of `server` that begins now.
    pub(super) fn new(server: ServerId, cluster: &Cluster) -> Arc<Onlooker> {
        let calls = cluster.network().counters().calls;
        let (observers, tally) = (cluster.observers().cloned(), cluster.tally().clone());
        let (life, last_applied) = (Quiet::default(), Quiet::default());
        Arc::new(Onlooker { server, calls, observers, tally, life, last_applied })
    }

    /// The observers' view of the life; `None` without observers, and until the server has opened
    /// its database.
    pub(super) fn life(&self) -> Option<Arc<Life>> {
        self.life.with(|life| life.clone())
    }

    /// Fails unless `message` has the next entry after the data, or a snapshot with more entries.
    ///
    /// Clients cannot tell that an entry is applied twice: their sessions hide it.
    fn check_order(&self, message: &ApplyMsg) {
        let server = self.server;
        let checked = self.last_applied.with(|last| {
            let before = std::mem::replace(last, next_applied(server, *last, message)?);
            if *last == before {
                let message = format!("{server} installed a snapshot up to {last} once more");
                return Err(Breach { name: "snapshot_again", message });
            }
            Ok(())
        });
        if let Err(breach) = checked {
            breach.fail(server);
        }
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
        // In other parts a life applies its log from the snapshot on; this server continues after
        // the last entry that it has applied.
        if let Some(life) = self.life().filter(|_| applied.index > persisted.last_included.index) {
            life.applied(&ApplyMsg::Snapshot { last_included: applied, data: Bytes::new() });
        }
        self.last_applied.with(|last| *last = applied.index);
    }

    fn applied(&self, message: &ApplyMsg) {
        self.check_order(message);
        self.tally.applied(self.server, message, self.life().as_deref());
    }
}
