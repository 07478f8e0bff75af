//! What a cluster has for servers that are not its own.

use std::sync::Arc;

use super::{Cluster, Tally};
use crate::lab::observe::Observers;

impl Cluster {
    /// Has `stop` called when the scenario is over. What that holds may not hold this cluster.
    pub(in crate::lab) fn at_end(&self, stop: impl FnOnce() + Send + 'static) {
        self.inner.at_end.with(|all| all.push(Box::new(stop)));
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
