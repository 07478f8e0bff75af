//! Data that belongs to one run and that all its tasks can find.

use std::any::Any;
use std::sync::Arc;

use super::context;

/// Sets the current run's value of type `T`; replaces an earlier one.
///
/// # Panics
/// Outside a run.
pub fn set_local<T: Any + Send + Sync>(value: Arc<T>) {
    let earlier = context::with_shared(|shared| shared.set(value))
        .expect("data of a run is set inside runtime::run");
    drop(earlier);
}

/// The current run's value of type `T`, if one was set. Not a scheduling point.
pub fn local<T: Any + Send + Sync>() -> Option<Arc<T>> {
    context::with_shared(|shared| shared.get())?
}
