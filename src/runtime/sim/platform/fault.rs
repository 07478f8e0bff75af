//! Names the task whose stack overflows.
//!
//! A coroutine's stack ends in a guard page. Touching that page would end the process silently, so
//! a handler for SIGSEGV prints the name of the task. All other faults are passed on to the host's
//! handler.

#![allow(unsafe_code, reason = "a signal handler")]

use std::ffi::{c_int, c_void};
use std::fmt::Write as _;
use std::time::Duration;

use super::signal::{self, Front};
use crate::runtime::sim::task::STACK_SIZE;
use crate::runtime::sim::{Sim, current};

/// Installed while at least one simulation is running.
pub(super) static FRONT: Front = Front::new(libc::SIGSEGV, libc::SA_ONSTACK, on_fault);

extern "C" fn on_fault(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if !signal::was_sent(info) {
        // SAFETY: the kernel passes a valid siginfo, and a fault has an address.
        let address = unsafe { (*info).si_addr() }.addr();
        if let Some(sim) = current().filter(|sim| is_in_stack(sim, address)) {
            say_and_abort(sim);
        }
    }
    FRONT.pass_on(info, context);
}

fn is_in_stack(sim: &Sim, address: usize) -> bool {
    let limit = sim.stack_limit.get();
    limit <= address && address < limit + STACK_SIZE
}

fn say_and_abort(sim: &Sim) -> ! {
    let mut text = FixedText::default();
    // The tasks are borrowed only if the fault came from the scheduler itself; then the name is
    // unknown.
    let tasks = sim.tasks.try_borrow();
    let name = tasks.as_ref().map_or("unknown", |tasks| &tasks[sim.current.get().slot()].name);
    let _ = writeln!(
        text,
        "\ntask '{name}' has overflowed its stack of {STACK_SIZE} bytes \
         (seed {}, {:.6} s of virtual time): look for unbounded recursion or large arrays",
        sim.shared.seed,
        Duration::from_nanos(sim.now_ns()).as_secs_f64()
    );
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
