//! What a cluster has for servers that are not its own.

use std::sync::Arc;

use super::{Cluster, Tally};
use crate::lab::observe::Observers;

impl Cluster {
    /// Has `stop` called when the scenario is over. What that holds may not hold this cluster.
    pub(in crate::lab) fn at_end(&self, stop: impl FnOnce() + Send + 'static) {
        self.inner.at_end.with(|all| all.push(Box::new(stop)));
    }

    /// Something to do later, if the cluster is still there. It does not keep it there.
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

    /// Who looks on, if anybody does.
    pub(in crate::lab) fn observers(&self) -> Option<&Arc<Observers>> {
        self.inner.observers.as_ref()
    }

    /// What the run leaves behind.
    pub(in crate::lab) fn tally(&self) -> &Arc<Tally> {
        &self.inner.tally
    }
}
