//! Keeps the process alive when a panic in a destructor would abort it.
//!
//! std calls `abort` when a panic leaves a destructor while another panic unwinds, and when a panic
//! leaves the destructor of a `thread_local!`. It holds none of its locks at that moment. So a
//! handler for SIGABRT that never returns keeps the process alive, without that one thread.

#![allow(unsafe_code, reason = "a signal handler")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use super::signal::Front;

/// Installed while a thread may be about to abort.
static FRONT: Front = Front::new(libc::SIGABRT, 0, on_abort);

thread_local! {
    /// The function that the thread calls instead of aborting.
    static INSTEAD: Cell<Option<fn() -> !>> = const { Cell::new(None) };
}

/// Whether [`instead_of_abort`] has an effect.
pub(in crate::runtime) const OUTLIVES_ABORTS: bool = true;

/// If the calling thread aborts from now on, it calls `instead` and never returns.
pub(in crate::runtime) fn instead_of_abort(instead: fn() -> !) {
    if INSTEAD.replace(Some(instead)).is_none() {
        FRONT.enter();
    }
}

/// Ends the effect of [`instead_of_abort`] on the calling thread: it aborts again.
pub(in crate::runtime) fn abort_after_all() {
    if INSTEAD.take().is_some() {
        FRONT.leave();
    }
}

/// Lets the calling thread, which is in a handler, really abort.
pub(super) fn abort_in_earnest() {
    INSTEAD.set(None);
}

extern "C" fn on_abort(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    match INSTEAD.take() {
        // The thread itself called `abort`, so this is no more restricted than any other call.
        Some(instead) => {
            FRONT.leave();
            instead()
        }
        None => FRONT.pass_on(info, context),
    }
}
