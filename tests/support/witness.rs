//! Tells whether any task still has an instance's storage.

use std::sync::{Arc, Weak};

use raftlab::persister::{Persister, Watch, Write};

/// Ignores every write; lives exactly as long as the persister that it watches.
pub(crate) struct Witness;

impl Watch for Witness {
    fn wrote(&self, _: &Write<'_>) {}
}

/// Returns a reference that can be upgraded as long as a handle to `persister` exists.
pub(crate) fn watch(persister: &Persister) -> Weak<Witness> {
    let witness = Arc::new(Witness);
    persister.watch(witness.clone());
    Arc::downgrade(&witness)
}
