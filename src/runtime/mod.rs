//! Threads, locks, channels, time and random numbers, on one of two clocks.
//!
//! Code of the lab, of `raft` and of `kv` uses these types and no others. The types find the clock
//! at run time, so the same code runs on real threads and in a seeded simulation:
//!
//! ```text
//!                    Clock::Real                       Clock::Virtual
//! thread::spawn      an OS thread                      a coroutine
//! thread::go         a thread of an elastic pool       a coroutine
//! Mutex, Condvar     parking_lot's                     the scheduler's wait lists
//! channel            crossbeam's                       the scheduler's wait lists
//! sleep, Instant     the wall clock                    moves when no task can run
//! rand::stream       a function of (seed, name)        a function of (seed, name)
//! next to run        chosen by the operating system    chosen from the seed
//! ```
//!
//! A run starts with [`run`] and ends when its main function returns, when any of its tasks
//! panics or calls [`fail`], or at a limit. On both clocks, the remaining tasks are then unwound
//! from wherever they block.
//!
//! The virtual clock promises that a run is a function of its seed. Code that bypasses the runtime
//! (the clock of std, a spinning loop, a hash map's order) can break this promise.
//! [`guard!`](crate::guard) catches the most common cases.
//!
//! The parts form stairs, and a test checks that no import runs up:
//!
//! ```text
//! mod.rs                                    starts a run, and fails it
//! audit, stop, thread, time               ┐ the types that code of the lab uses: each call
//! channel, future, local, rand, sync, …   ┘ goes to the clock of the caller's run
//! context                                   which run and which task the caller is in
//! sim  |  real                              the two clocks, which do not know each other
//! base                                      what both need: instants, chance, errors, panics
//! platform                                  code for one operating system
//! ```
//!
//! Read next: [`sync`] and [`thread`] for the shapes, then `sim/mod.rs` for the scheduler.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "runtime is the door to the outside: it wraps the items that the lists forbid"
)]

mod audit;
mod base;
pub mod channel;
mod context;
mod future;
#[doc(hidden)]
pub mod interpose;
mod local;
mod panic_hook;
mod platform;
pub mod rand;
mod real;
mod sim;
mod stop;
pub mod sync;
pub mod thread;
pub mod time;

use std::time::Duration;

pub use audit::{Difference, audit};
pub use base::kept::{Choice, Choices, Kept, NotKept, Numbers};
pub use base::outcome::{
    Clock, Failure, FailureKind, Outcome, RunConfig, Schedule, SchedulerNotes, Stall,
};
pub use base::turns::{NotTurns, Pending, Turn, Turns};
pub use context::{
    backtraces, describe_older_tasks, describe_tasks, in_run, keeps, last_stall, record_is_on,
    seed, task_name, tasks_labelled, tasks_started,
};
pub use future::block_on;
pub use local::{local, set_local};
pub use stop::Stop;

/// Runs `main` and every task that it starts, on the clock and with the seed of `config`.
///
/// The run has its own fresh OS thread, so that nothing cached per thread leaks from one run into
/// the next. A panic or [`fail`] in any of its tasks ends the run. Returns when all its tasks have
/// ended; [`Outcome::tasks_left`] counts the tasks that did not end.
///
/// ```
/// use raftlab::runtime::{self, RunConfig, thread, time::Instant};
/// use std::time::Duration;
///
/// let outcome = runtime::run(&RunConfig::default(), || {
///     let start = Instant::now();
///     thread::sleep(Duration::from_secs(3600));
///     start.elapsed()
/// });
/// assert!(outcome.result.unwrap() >= Duration::from_secs(3600)); // at once: virtual time
/// ```
///
/// # Panics
/// When called from inside a run.
pub fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    assert!(!in_run(), "runtime::run called from inside a run, by task {}", task_name());
    panic_hook::install();
    // The code behind this call is compiled for each type of `main`. In a box, closures with one
    // type of result have one type.
    let main: Box<dyn FnOnce() -> T + Send> = Box::new(main);
    match config.clock {
        Clock::Real => real::run(config, main),
        Clock::Virtual => sim::run(config, main),
    }
}

/// Ends the run as failed, from any of its tasks. The first failure of a run wins.
///
/// Does not return: the calling task is unwound.
///
/// # Panics
/// Outside a run, with the message: there is no run to end.
pub fn fail(kind: FailureKind, name: &'static str, message: String) -> ! {
    context::fail(context::here().failure(kind, name, message))
}

/// Ends the run as failed and blames the server `label`, even if the calling task is not its own.
///
/// For a server that fails to do something. A list of what the server's tasks do now is added to
/// the message.
///
/// Does not return: the calling task is unwound.
///
/// # Panics
/// Outside a run, with the message: there is no run to end.
pub fn fail_for(label: u32, kind: FailureKind, name: &'static str, mut message: String) -> ! {
    if let Some(tasks) = describe_tasks(label) {
        message.push_str("\nits tasks:\n");
        message.push_str(tasks.trim_end());
    }
    let task = String::new();
    let failure = context::here().failure(kind, name, message);
    context::fail(Failure { label: Some(label), task, ..failure })
}

/// CPU time that the calling OS thread has used; zero where the system does not tell.
///
/// For figures only: no run may depend on it.
pub fn cpu_used() -> Duration {
    Duration::from_nanos(platform::thread_cpu_ns())
}

/// Lets the process keep memory that a run has freed, for the next run. For programs that do many
/// runs; a library does not choose this for its users.
#[cfg(feature = "cli")]
pub(crate) fn keep_freed_memory() {
    platform::keep_freed();
}
