//! How a task on an OS thread waits for a waker.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::{unwind_if_over, unwind_unless_leaving, wait_max};
use crate::runtime::base::instant::{Instant, ns_of, wall_now, wall_ns};

/// Maximum time that a thread spins for an event before it parks.
///
/// A call over the network and back takes 2 µs while both threads are awake; parking and waking
/// costs 2 to 20 µs each time. An event that takes longer than this is not such a call.
pub(super) const SPIN: Duration = Duration::from_micros(5);

/// Time that a thread spins before it starts to yield the CPU between two checks.
///
/// The thread that it waits for may have been woken on the same CPU, and needs that CPU to run.
const ALONE_NS: u64 = 1_000;

/// The token of one OS thread: wakers set it, and `park` waits for it and takes it.
pub(in crate::runtime) struct Parker {
    thread: Thread,
    state: AtomicU32,
}

const EMPTY: u32 = 0;
const TOKEN: u32 = 1;
/// The thread sleeps until it is unparked.
const PARKED: u32 = 2;

impl Default for Parker {
    fn default() -> Parker {
        Parker { thread: std::thread::current(), state: AtomicU32::new(EMPTY) }
    }
}

impl Parker {
    pub(in crate::runtime) fn waker(self: &Arc<Parker>) -> Waker {
        Waker::from(self.clone())
    }

    /// Waits for the token, for `deadline`, or for the end of the run. Returns whether it took the
    /// token.
    pub(in crate::runtime) fn park(&self, deadline: Option<Instant>) -> bool {
        if spin_until(|| self.state.load(Ordering::Relaxed) == TOKEN) && self.take() {
            unwind_unless_leaving();
            return true;
        }
        while !self.take() {
            // A task that only has destructors left to run waits only once more.
            let leaving = unwind_if_over();
            let span = match deadline {
                None => wait_max(),
                Some(deadline) => {
                    let left = deadline - wall_now();
                    if left.is_zero() {
                        return false;
                    }
                    wait_max().min(left)
                }
            };
            let parks =
                self.state.compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire);
            if parks.is_ok() {
                std::thread::park_timeout(span);
                let woken =
                    self.state.compare_exchange(PARKED, EMPTY, Ordering::AcqRel, Ordering::Acquire);
                debug_assert!(woken != Err(EMPTY), "another thread took a parker's token");
            }
            if leaving {
                return self.take();
            }
        }
        true
    }

    /// Takes the token if it is there.
    fn take(&self) -> bool {
        let token = self.state.compare_exchange(TOKEN, EMPTY, Ordering::Acquire, Ordering::Relaxed);
        token.is_ok()
    }

    /// Makes an outer `block_on` on this thread poll again when an inner one is done: a wake-up
    /// meanwhile may have been for the outer one.
    pub(in crate::runtime) fn leave(&self) {
        self.state.store(TOKEN, Ordering::Release);
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Parker>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Parker>) {
        if self.state.swap(TOKEN, Ordering::AcqRel) == PARKED {
            self.thread.unpark();
        }
    }
}

/// Spins until `done` is true, for [`SPIN`] at most. Returns whether it became true.
///
/// On a machine with one CPU it checks only once: no other thread runs meanwhile.
pub(super) fn spin_until(done: impl Fn() -> bool) -> bool {
    static CPUS: OnceLock<usize> = OnceLock::new();
    let cpus = CPUS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    if *cpus == 1 {
        return done();
    }
    let start_ns = wall_ns();
    let span_ns = ns_of(SPIN);
    loop {
        for _ in 0..16 {
            if done() {
                return true;
            }
            std::hint::spin_loop();
        }
        let spent_ns = wall_ns().saturating_sub(start_ns);
        if spent_ns > span_ns {
            return false;
        }
        if spent_ns > ALONE_NS {
            std::thread::yield_now();
        }
    }
}
