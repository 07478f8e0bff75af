//! Outlives the end of the process that a panic in a destructor brings.
//!
//! A panic that leaves a destructor while another panic unwinds ends the process, and so does one
//! that leaves the destructor of a `thread_local!`: std calls `abort`, where it holds no lock. A
//! handler for SIGABRT that never returns keeps the process alive, without that one thread.

#![allow(unsafe_code, reason = "a signal handler")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use super::signal::Front;

/// In place while a thread may be about to abort.
static FRONT: Front = Front::new(libc::SIGABRT, 0, on_abort);

thread_local! {
    /// What the thread does in place of aborting.
    static INSTEAD: Cell<Option<fn() -> !>> = const { Cell::new(None) };
}

/// The calling thread may be about to abort: then it does `instead`, and never returns. False where
/// the system cannot do this.
pub(in crate::runtime) fn instead_of_abort(instead: fn() -> !) -> bool {
    if INSTEAD.replace(Some(instead)).is_none() {
        FRONT.enter();
    }
    true
}

/// The calling thread is not about to abort any more.
pub(in crate::runtime) fn abort_after_all() {
    if INSTEAD.take().is_some() {
        FRONT.leave();
    }
}

/// The calling thread, which is in a handler, is about to abort in earnest.
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
