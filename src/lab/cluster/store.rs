//! The methods of a cluster for part `store`, whose servers the cluster does not make itself.

use std::sync::Arc;

use super::{Cluster, Tally};
use crate::lab::observe::Observers;

impl Cluster {
    /// Registers `stop`, to be called when the scenario is over. `stop` must not hold this cluster,
    /// since the cluster holds `stop`.
    pub(in crate::lab) fn at_end(&self, stop: impl FnOnce() + Send + 'static) {
        self.inner.at_end.with(|all| all.push(Box::new(stop)));
    }

    /// Makes a function that runs `act` if the cluster still exists, and that does not keep it
    /// alive.
    pub(in crate::lab) fn later(
        &self,
        act: impl FnOnce(&Cluster) + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let inner = Arc::downgrade(&self.inner);
        move || {
            if let Some(inner) = inner.upgrade() {
                act(&Cluster { inner });
            }
        }
    }

    /// The observers of the run, if it has any.
    pub(in crate::lab) fn observers(&self) -> Option<&Arc<Observers>> {
        self.inner.observers.as_ref()
    }

    /// The results of the run.
    pub(in crate::lab) fn tally(&self) -> &Arc<Tally> {
        &self.inner.tally
    }
}
