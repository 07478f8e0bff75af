//! Data that belongs to one run and that all its tasks can find.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::context;

/// The data that every run has, on either clock: its seed, its record switch, its values by type.
pub(super) struct Shared {
    pub(super) seed: u64,
    pub(super) record: bool,
    values: parking_lot::Mutex<Values>,
}

/// The data of a run, by type.
type Values = BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Shared {
    pub(super) fn new(seed: u64, record: bool) -> Shared {
        Shared { seed, record, values: parking_lot::Mutex::default() }
    }

    /// Removes and returns all values, for the caller to drop: destructors may look for values.
    pub(super) fn take_values(&self) -> Values {
        std::mem::take(&mut *self.values.lock())
    }
}

/// Sets the current run's value of type `T`; replaces an earlier one.
///
/// # Panics
/// Outside a run.
pub fn set_local<T: Any + Send + Sync>(value: Arc<T>) {
    // The earlier value is dropped when the lock is free: its destructor may call this function.
    let earlier =
        context::with_shared(|shared| shared.values.lock().insert(TypeId::of::<T>(), value))
            .expect("data of a run is set inside runtime::run");
    drop(earlier);
}

/// The current run's value of type `T`, if one was set. Not a scheduling point.
pub fn local<T: Any + Send + Sync>() -> Option<Arc<T>> {
    let value =
        context::with_shared(|shared| shared.values.lock().get(&TypeId::of::<T>()).cloned());
    value.flatten()?.downcast().ok()
}
