//! How often servers write, and wait for their disk.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::persister::{Watch, Write};

/// Counts the writes of the servers that it watches.
#[derive(Default)]
pub(super) struct Writes {
    syncs: AtomicU64,
}

impl Writes {
    /// How often they made what they had written durable.
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
