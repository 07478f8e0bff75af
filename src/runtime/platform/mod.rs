//! Code for one operating system: CPU time, and signal handlers that look at a thread.
//!
//! Apart from the guard, the rest of `runtime` names neither `libc` nor `std::os`. It uses this
//! contract:
//!
//! | | Linux | other systems |
//! | --- | --- | --- |
//! | [`thread_cpu_ns`]: CPU time of the calling thread | known | known on Apple's, else 0 |
//! | [`Watched::cpu`]: CPU time of another thread | known | `None` |
//! | [`Watched::ask`]: which task spins there, and where | a signal asks it | `None` |
//! | [`name_overflows`]: which task overflowed its stack | a handler says it | the process ends |
//! | [`instead_of_abort`]: a thread does something else | a handler does it | it aborts |
//! | `keep_freed`: freed memory stays with the process | with glibc | as it was |
//!
//! The code here knows no simulation. A simulation hands in the functions that describe its tasks.
//!
//! No part of this contract may change the course of a run. A build with `--cfg raftlab_portable`
//! uses the fallback for unknown systems on Linux, so that the fallback is compiled and tested
//! where it is not needed.
//!
//! Files: `linux` and `portable` fulfil the contract; `signal` puts a handler of ours in front of
//! the host program's; `fault`, `question` and `abort` are the three such handlers. `memory` tells
//! the allocator what to keep.

use std::fmt::Write;
use std::time::Duration;

#[cfg(all(target_os = "linux", not(raftlab_portable)))]
mod abort;
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
mod fault;
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
mod linux;
#[cfg(feature = "cli")]
mod memory;
#[cfg(not(all(target_os = "linux", not(raftlab_portable))))]
mod portable;
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
mod question;
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
mod signal;
#[cfg(all(any(target_os = "linux", target_vendor = "apple"), not(raftlab_portable)))]
mod unix;

#[cfg(all(target_os = "linux", not(raftlab_portable)))]
pub(super) use abort::{OUTLIVES_ABORTS, abort_after_all, instead_of_abort};
#[cfg(all(target_os = "linux", not(raftlab_portable)))]
pub(super) use linux::{Watched, name_overflows};
#[cfg(not(all(any(target_os = "linux", target_vendor = "apple"), not(raftlab_portable))))]
use portable::cpu_ns;
#[cfg(not(all(target_os = "linux", not(raftlab_portable))))]
pub(super) use portable::{
    OUTLIVES_ABORTS, Watched, abort_after_all, instead_of_abort, name_overflows,
};
#[cfg(all(any(target_os = "linux", target_vendor = "apple"), not(raftlab_portable)))]
use unix::cpu_ns;

#[cfg(feature = "cli")]
pub(super) use memory::keep_freed;

/// Which task has control of a simulation's OS thread, and where.
#[derive(Debug, Clone)]
pub(super) struct Halted {
    pub(super) task: String,
    /// The innermost line of the task's own code.
    pub(super) place: String,
    /// Virtual time since the run began.
    pub(super) at: Duration,
}

/// Describes the task that has control of the calling OS thread. Called in a signal handler.
pub(super) type Describe = fn() -> Option<Halted>;

/// Writes what to say of a fault at this address of memory. Called in a signal handler.
///
/// Returns false if the fault is not the overflow of a task's stack.
pub(super) type DescribeOverflow = fn(usize, &mut dyn Write) -> bool;

/// CPU time that the calling OS thread has used, in nanoseconds; 0 where the system does not tell.
pub(super) fn thread_cpu_ns() -> u64 {
    cpu_ns().unwrap_or(0)
}
