//! Keeps the process alive when a run's OS thread is about to abort: only that thread is lost.

use std::cell::RefCell;

use super::outcome::Failure;
use crate::runtime::platform;

thread_local! {
    /// Why the calling OS thread is about to abort.
    static REASON: RefCell<Option<Failure>> = const { RefCell::new(None) };
    static ARMED: Armed = const { Armed };
}

/// Marks an OS thread that calls a function of its clock where it would otherwise abort.
struct Armed;

impl Drop for Armed {
    fn drop(&mut self) {
        platform::abort_after_all();
    }
}

/// From here on the calling OS thread calls `abandon_thread` where it would abort the process.
///
/// Call this before the thread uses any other `thread_local!`, so that the mark is dropped last.
pub(in crate::runtime) fn abandon_instead_of_abort(abandon_thread: fn() -> !) {
    ARMED.with(|_| ());
    platform::instead_of_abort(abandon_thread);
}

/// Records why the calling OS thread is about to abort.
///
/// Returns the failure if the system cannot keep the process alive.
pub(in crate::runtime) fn prepare(failure: Failure) -> Result<(), Failure> {
    if !platform::OUTLIVES_ABORTS {
        return Err(failure);
    }
    REASON.with(|reason| *reason.borrow_mut() = Some(failure));
    Ok(())
}

/// Takes the failure that [`prepare`] has recorded. `None`: code of the thread called `abort`.
pub(in crate::runtime) fn take_reason() -> Option<Failure> {
    REASON.try_with(|reason| reason.borrow_mut().take()).ok().flatten()
}

/// Parks the calling OS thread for good; the process continues without it.
pub(in crate::runtime) fn park_for_good() -> ! {
    loop {
        std::thread::park();
    }
}
