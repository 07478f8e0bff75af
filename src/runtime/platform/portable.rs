//! The platform contract for unknown systems: std alone.
//!
//! Only the watching thread's checks then find a run that has halted, see
//! `sim/watch.rs`.

use std::time::Duration;

use super::{Describe, DescribeOverflow, Halted};

/// A simulation's OS thread, as another thread sees it.
pub(in crate::runtime) struct Watched;

impl Watched {
    /// Watches the calling thread.
    pub(in crate::runtime) fn this_thread(_describe: Describe) -> Watched {
        Watched
    }

    /// CPU time that the thread has used.
    #[allow(clippy::unused_self, reason = "the contract's, which other systems can keep")]
    pub(in crate::runtime) fn cpu(&self) -> Option<Duration> {
        None
    }

    /// Which task has control of the thread.
    #[allow(clippy::unused_self, reason = "the contract's, which other systems can keep")]
    pub(in crate::runtime) fn ask(&self) -> Option<Halted> {
        None
    }
}

/// Names tasks that overflow their stacks, until the value is dropped. Here it names none.
pub(in crate::runtime) fn name_overflows(_describe: DescribeOverflow) -> impl Drop {
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {}
    }
    Nothing
}

/// Whether [`instead_of_abort`] has an effect.
pub(in crate::runtime) const OUTLIVES_ABORTS: bool = false;

/// Calls `instead` if the calling thread aborts. Here this is not possible.
pub(in crate::runtime) fn instead_of_abort(_instead: fn() -> !) {}

/// Ends the effect of [`instead_of_abort`] on the calling thread.
pub(in crate::runtime) fn abort_after_all() {}

/// CPU time that the calling OS thread has used, in nanoseconds.
#[cfg(not(all(target_vendor = "apple", not(raftlab_portable))))]
pub(super) fn cpu_ns() -> Option<u64> {
    None
}
