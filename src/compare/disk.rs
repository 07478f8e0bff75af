//! How often servers wait for their disks.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::persister::{Watch, Write};

/// Counts the syncs of the servers that it watches.
#[derive(Default)]
pub(super) struct Writes {
    syncs: AtomicU64,
}

impl Writes {
    /// How often these servers made their writes durable.
    pub(super) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Watch for Writes {
    fn wrote(&self, write: &Write<'_>) {
        if *write == Write::Synced {
            self.syncs.fetch_add(1, Ordering::Relaxed);
        }
    }
}
