//! Whether anybody still has an instance's storage.

use std::sync::{Arc, Weak};

use raftlab::persister::{Persister, Watch, Write};

/// Sees nothing; while it lives, so does a handle to the persister that it watches.
pub struct Witness;

impl Watch for Witness {
    fn wrote(&self, _: &Write<'_>) {}
}

/// Lives as long as `persister` does in anybody's hands.
pub fn watch(persister: &Persister) -> Weak<Witness> {
    let witness = Arc::new(Witness);
    persister.watch(witness.clone());
    Arc::downgrade(&witness)
}
