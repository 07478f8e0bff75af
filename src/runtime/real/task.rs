//! A task on the real clock, and what its OS thread keeps for it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{Parker, RealRun};
use crate::runtime::base::panics::Notes;
use crate::runtime::base::wake_ups::WakeUps;

/// A task of a run on the real clock, as its OS thread keeps it.
pub(in crate::runtime) struct RealTask {
    pub(in crate::runtime) run: Arc<RealRun>,
    pub(in crate::runtime) name: Arc<str>,
    pub(in crate::runtime) label: Option<u32>,
    /// The run is over and the task only runs destructors: nothing unwinds it any more.
    pub(super) leaving: Cell<bool>,
    /// Number of waits since the run ended, and the wall time of the first, in nanoseconds.
    pub(super) waits_at_end: Cell<Option<(u32, u64)>>,
}

thread_local! {
    static CURRENT: RefCell<Option<RealTask>> = const { RefCell::new(None) };
    static PARKER: Cell<Option<Arc<Parker>>> = const { Cell::new(None) };
    static WAKE_UPS: RefCell<WakeUps> = const { RefCell::new(WakeUps::new()) };
    /// The panics on this OS thread.
    static NOTES: RefCell<Notes> = const { RefCell::new(Notes::new()) };
}

impl RealTask {
    pub(super) fn new(run: Arc<RealRun>, name: Arc<str>, label: Option<u32>) -> RealTask {
        RealTask { run, name, label, leaving: Cell::new(false), waits_at_end: Cell::new(None) }
    }
}

/// Whether the calling OS thread is a task of a run on the real clock.
pub(in crate::runtime) fn in_task() -> bool {
    CURRENT.try_with(|current| current.borrow().is_some()).unwrap_or(false)
}

/// Runs `f` on the task that the calling OS thread is; `None` if it is no task.
pub(in crate::runtime) fn with_task<R>(f: impl FnOnce(&RealTask) -> R) -> Option<R> {
    CURRENT.try_with(|current| current.borrow().as_ref().map(f)).ok().flatten()
}

/// Makes the calling OS thread the task `task` while `f` runs.
pub(super) fn as_task<R>(task: RealTask, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<RealTask>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with(|current| *current.borrow_mut() = self.0.take());
        }
    }
    let previous = CURRENT.with(|current| current.borrow_mut().replace(task));
    let _restore = Restore(previous);
    f()
}

/// Sets the label of the current task; returns the earlier one.
pub(in crate::runtime) fn set_label(label: Option<u32>) -> Option<u32> {
    CURRENT.with(|current| {
        current.borrow_mut().as_mut().and_then(|task| std::mem::replace(&mut task.label, label))
    })
}

/// The parker of the calling OS thread, made at first use.
pub(in crate::runtime) fn parker() -> Arc<Parker> {
    PARKER.with(|slot| {
        let parker = slot.take().unwrap_or_default();
        slot.set(Some(parker.clone()));
        parker
    })
}

/// Runs `f` on the wake-ups for the innermost `block_on` of the calling OS thread.
pub(in crate::runtime) fn with_wake_ups<R>(f: impl FnOnce(&mut WakeUps) -> R) -> R {
    WAKE_UPS.with(|wake_ups| f(&mut wake_ups.borrow_mut()))
}

/// Runs `f` on the notes of the latest panics of the calling OS thread.
pub(in crate::runtime) fn with_notes<R>(f: impl FnOnce(&mut Notes) -> R) -> R {
    NOTES.with(|notes| f(&mut notes.borrow_mut()))
}
