//! Names the task whose stack overflows.
//!
//! A coroutine's stack ends in a guard page. Touching that page would end the process silently, so
//! a handler for SIGSEGV prints the name of the task. All other faults are passed on to the host's
//! handler.

#![allow(unsafe_code, reason = "a signal handler")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use super::DescribeOverflow;
use super::signal::{self, Front};

/// Installed while at least one simulation is running.
static FRONT: Front = Front::new(libc::SIGSEGV, libc::SA_ONSTACK, on_fault);

thread_local! {
    /// Knows the stacks of the tasks that the thread runs.
    static DESCRIBE: Cell<Option<DescribeOverflow>> = const { Cell::new(None) };
}

/// Names tasks of the calling thread that overflow their stacks, until [`leave`].
pub(super) fn enter(describe: DescribeOverflow) {
    DESCRIBE.set(Some(describe));
    FRONT.enter();
}

pub(super) fn leave() {
    FRONT.leave();
    DESCRIBE.set(None);
}

extern "C" fn on_fault(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if !signal::was_sent(info) {
        // SAFETY: the kernel passes a valid siginfo, and a fault has an address.
        let address = unsafe { (*info).si_addr() }.addr();
        let mut text = FixedText::default();
        if DESCRIBE.get().is_some_and(|describe| describe(address, &mut text)) {
            say_and_abort(&text);
        }
    }
    FRONT.pass_on(info, context);
}

fn say_and_abort(text: &FixedText) -> ! {
    super::abort::abort_in_earnest();
    // SAFETY: writes from a live buffer; write and abort may be called in a handler.
    unsafe {
        libc::write(2, text.bytes.as_ptr().cast(), text.len);
        libc::abort()
    }
}

/// Text without heap memory, for a handler.
struct FixedText {
    bytes: [u8; 512],
    len: usize,
}

impl Default for FixedText {
    fn default() -> FixedText {
        FixedText { bytes: [0; 512], len: 0 }
    }
}

impl std::fmt::Write for FixedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.len() - self.len;
        let taken = text.len().min(room);
        self.bytes[self.len..self.len + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.len += taken;
        Ok(())
    }
}
