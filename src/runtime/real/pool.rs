//! An elastic pool of OS threads for short tasks; it has no upper bound, since a task may block.
//!
//! ```text
//! go ── pops the thread that became idle last ──► its slot ──► job, job, …
//!                                                   ▲ spins a little, then parks, then ends
//! ```
//!
//! A thread that is idle spins for [`SPIN`] before it parks: calls over the network often follow
//! each other at once, and waking a parked thread costs more than a whole call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use super::account::Account;
use super::park::spin_until;
use super::{RealTask, abandon_thread, run_as};
use crate::runtime::base::aborts;
use crate::runtime::base::instant::{ns_of, wall_ns};

/// The code that a task runs.
pub(super) type Closure = Box<dyn FnOnce() + Send>;

/// A closure for the pool, and the task that runs it.
pub(super) type Job = (RealTask, Closure);

/// Maximum time that a thread waits for a job before it ends.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// The slot through which a thread of the pool gets its next job.
struct Slot {
    job: parking_lot::Mutex<Option<Job>>,
    state: AtomicU32,
    thread: Thread,
}

/// The thread spins, or is about to check the slot.
const EMPTY: u32 = 0;
/// A job is in the slot.
const FULL: u32 = 1;
/// The thread sleeps until it is unparked.
const PARKED: u32 = 2;

fn idle() -> &'static parking_lot::Mutex<Vec<Arc<Slot>>> {
    static IDLE: OnceLock<parking_lot::Mutex<Vec<Arc<Slot>>>> = OnceLock::new();
    IDLE.get_or_init(Default::default)
}

/// Runs `job` on the thread that became idle last, or on a new one if none is idle.
///
/// # Errors
/// If the operating system does not start a thread.
pub(super) fn go(job: Job) -> std::io::Result<()> {
    let slot = idle().lock().pop();
    match slot {
        Some(slot) => {
            slot.hand_over(job);
            Ok(())
        }
        None => std::thread::Builder::new()
            .name("pool".to_string())
            .spawn(move || worker(job))
            .map(drop),
    }
}

fn worker(first: Job) {
    aborts::abandon_instead_of_abort(abandon_thread);
    let slot = Arc::new(Slot {
        job: parking_lot::Mutex::default(),
        state: AtomicU32::new(EMPTY),
        thread: std::thread::current(),
    });
    let mut account = Account::default();
    let mut next = Some(first);
    while let Some((task, job)) = next {
        account.open(&task.run);
        run_as(task, job, |_| account.settle_if_due());
        idle().lock().push(slot.clone());
        next = slot.wait(&mut account);
    }
}

impl Slot {
    /// Gives the thread its next job. The caller has already taken the slot off the idle list.
    fn hand_over(&self, job: Job) {
        *self.job.lock() = Some(job);
        if self.state.swap(FULL, Ordering::AcqRel) == PARKED {
            self.thread.unpark();
        }
    }

    /// Waits for a job. `None`: no job came, and none will: the slot is off the list of idle ones.
    fn wait(self: &Arc<Slot>, account: &mut Account) -> Option<Job> {
        let is_full = || self.state.load(Ordering::Acquire) == FULL;
        if !spin_until(is_full) {
            account.settle();
            let parks =
                self.state.compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire);
            if parks.is_ok() && !self.park_until(is_full) {
                return None;
            }
        }
        self.state.store(EMPTY, Ordering::Release);
        self.job.lock().take()
    }

    /// Sleeps until a job is there. `false`: no job came for [`IDLE_MAX`], and none will come.
    fn park_until(self: &Arc<Slot>, is_full: impl Fn() -> bool) -> bool {
        let give_up_ns = wall_ns() + ns_of(IDLE_MAX);
        let mut leaving = false;
        while !is_full() {
            let now_ns = wall_ns();
            if leaving {
                // Another thread has taken this slot off the list: a job is about to come.
                std::thread::park();
            } else if now_ns < give_up_ns {
                std::thread::park_timeout(Duration::from_nanos(give_up_ns - now_ns));
            } else {
                let mut idle = idle().lock();
                let listed = idle.len();
                idle.retain(|other| !Arc::ptr_eq(other, self));
                if idle.len() < listed {
                    return false;
                }
                leaving = true;
            }
        }
        true
    }
}
