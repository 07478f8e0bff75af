//! The data that every run has, on either clock.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value that belongs to a run.
type Value = Arc<dyn Any + Send + Sync>;

/// A run's seed, whether it keeps a record, and the values that its tasks have set, by type.
pub(in crate::runtime) struct Shared {
    pub(in crate::runtime) seed: u64,
    pub(in crate::runtime) record: bool,
    values: parking_lot::Mutex<BTreeMap<TypeId, Value>>,
}

impl Shared {
    pub(in crate::runtime) fn new(seed: u64, record: bool) -> Shared {
        Shared { seed, record, values: parking_lot::Mutex::default() }
    }

    /// Sets the value of type `T`; returns the earlier one.
    ///
    /// The caller drops the earlier value when the lock is free: destructors may look for values.
    pub(in crate::runtime) fn set<T: Any + Send + Sync>(&self, value: Arc<T>) -> Option<Value> {
        self.values.lock().insert(TypeId::of::<T>(), value)
    }

    /// Returns the value of type `T`, if one was set.
    pub(in crate::runtime) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = self.values.lock().get(&TypeId::of::<T>()).cloned();
        value?.downcast().ok()
    }

    /// Removes and returns all values, for the caller to drop: destructors may look for values.
    pub(in crate::runtime) fn take_values(&self) -> BTreeMap<TypeId, Value> {
        std::mem::take(&mut *self.values.lock())
    }
}
