//! Servers as the cluster sees them: each has storage, which survives crashes, and an instance,
//! which starts from the storage and ends in a crash.
//!
//! A [`ServerKind`] chooses the storage and the instance. There are two kinds:
//!
//! | Kind | Storage | Instance |
//! | --- | --- | --- |
//! | [`OnConsensus`] | a [`Persister`] | a consensus module of the design, and a service |
//! | of part `store` | a `Disk` | a server that keeps log and data in one database |

use std::any::Any;
use std::sync::{Arc, Weak};

use super::Cluster;
use crate::api::ServerId;
use crate::lab::service::{ServiceContext, ServiceInstance};
use crate::lab::{Boot, Instance, observe};
use crate::persister::{PersistError, Persister, Stored, Unsynced};
use crate::runtime::{self, FailureKind, channel, thread};

/// A server's storage in one of its lives.
pub(in crate::lab) trait Storage: Any + Send + Sync {
    /// Crashes the storage, and returns what is left of it for the next life.
    fn crash(&self, unsynced: Unsynced) -> Box<dyn Storage>;

    /// A reference that tells whether anything still holds the storage of this life.
    fn downgrade(&self) -> Weak<dyn Send + Sync>;
}

impl Storage for Persister {
    fn crash(&self, unsynced: Unsynced) -> Box<dyn Storage> {
        Box::new(Persister::crash(self, unsynced))
    }

    fn downgrade(&self) -> Weak<dyn Send + Sync> {
        Persister::downgrade(self)
    }
}

/// The kind of all servers of a cluster: which storage they have, and how they start from it.
///
/// The cluster holds its kind of servers, so the kind must not hold the cluster.
pub(in crate::lab) trait ServerKind: Send + Sync {
    /// The empty storage of a server that has never run.
    fn new_storage(&self) -> Box<dyn Storage>;

    /// Starts a life of `server` from [its storage](Cluster::storage), or fails the run.
    fn start(&self, cluster: &Cluster, server: ServerId) -> Life;
}

/// A server in one of its lives.
pub(in crate::lab) struct Life {
    /// The instance; for a server without a separate consensus module, the server itself.
    pub(in crate::lab) instance: Instance,
    /// The service that runs on the instance.
    pub(in crate::lab) service: Box<dyn ServiceInstance>,
    /// The observers' view of the life.
    pub(in crate::lab) observed: Option<Arc<observe::Life>>,
}

/// Servers of the design under test; this function starts their service.
pub(super) struct OnConsensus<F>(pub(super) F);

impl<F> ServerKind for OnConsensus<F>
where
    F: Fn(ServiceContext) -> Box<dyn ServiceInstance> + Send + Sync,
{
    fn new_storage(&self) -> Box<dyn Storage> {
        Box::new(Persister::new())
    }

    fn start(&self, cluster: &Cluster, server: ServerId) -> Life {
        let persister = cluster.persister(server);
        let persisted = persister.load().unwrap_or_else(|error| cannot_boot(server, &error));
        // The record sees a write before the observers do, so it has the write that breaks a rule.
        cluster.tell_start(server, &persisted, &persister);
        let observed = cluster.observers().map(|observers| {
            let life = observers.boot(server, &persisted, cluster.network().counters().calls);
            persister.watch(life.clone());
            life
        });
        let (apply_sender, apply_ch) = channel::bounded(0);
        let boot = Boot {
            servers: cluster.server_count(),
            me: server,
            network: cluster.network(),
            persister: persister.clone(),
            apply_ch: apply_sender,
        };
        let design = cluster.design();
        let Instance { consensus, mut services } =
            thread::under_test(server.0, || (design.make)(boot))
                .unwrap_or_else(|error| cannot_boot(server, &error));
        let (tally, life) = (cluster.tally().clone(), observed.clone());
        let service = (self.0)(ServiceContext {
            server,
            consensus: consensus.clone(),
            // The hook sees each message before the service does.
            apply_ch: apply_ch
                .inspect(move |message| tally.applied(server, message, life.as_deref())),
            stored: Stored { snapshot: (design.snapshot)(&persisted), persister },
        });
        services.extend(thread::under_test(server.0, || service.services()));
        Life { instance: Instance { consensus, services }, service, observed }
    }
}

/// Ends the run because the server cannot start from its storage.
fn cannot_boot(server: ServerId, error: &PersistError) -> ! {
    let message = format!("{server} could not start from its storage: {error}");
    runtime::fail(FailureKind::Assertion, "boot", message)
}
