//! Futures on either clock: an executor that runs one future in the calling task.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::base::instant::Instant;
use super::base::wake_ups::WakeUps;
use super::{context, real, sim};

/// Runs `future` to its end in the current task, which waits while the future waits.
///
/// Calls may nest: a future may call code that calls `block_on` again. Wakers may be kept, cloned,
/// sent to other tasks of the run and called late or twice.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = Parker::of_current_task();
    let waker = parker.waker();
    let mut cx = Context::from_waker(&waker);
    let mut wake_ups = WakeUps::new();
    let mut level = Level { parker: &parker, was_woken: false };
    loop {
        let polled = {
            // The list is lent only for this poll: tasks and nested calls must not share a list.
            let _lent = Lent::new(&mut wake_ups);
            future.as_mut().poll(&mut cx)
        };
        if let Poll::Ready(output) = polled {
            return output;
        }
        let deadline = wake_ups.soonest();
        level.was_woken |= parker.park(deadline);
        if deadline.is_some() {
            wake_ups.wake_due(context::quiet_now());
        }
    }
}

/// Asks the innermost `block_on` of this task to wake `waker` at `deadline`.
pub(super) fn wake_at(deadline: Instant, waker: &Waker) {
    let waker = waker.clone();
    with_wake_ups(|wake_ups| wake_ups.add(deadline, waker));
}

/// Runs `f` on the wake-ups for the innermost `block_on` of the current task.
fn with_wake_ups<R>(f: impl FnOnce(&mut WakeUps) -> R) -> R {
    match sim::current() {
        Some(sim) => sim.with_wake_ups(f),
        None => real::with_wake_ups(f),
    }
}

/// Replaces the task's list of wake-ups by another one, until it is dropped, also by unwinding.
struct Lent<'a>(&'a mut WakeUps);

impl Lent<'_> {
    fn new(wake_ups: &mut WakeUps) -> Lent<'_> {
        with_wake_ups(|current| std::mem::swap(current, wake_ups));
        Lent(wake_ups)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        with_wake_ups(|current| std::mem::swap(current, self.0));
    }
}

/// One of a task's nested `block_on` calls, which all have the same waker.
///
/// If a wake-up came during the call, the outer `block_on` polls again however this call ends: the
/// wake-up may have been for the outer future.
struct Level<'a> {
    parker: &'a Parker,
    was_woken: bool,
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        if self.was_woken {
            self.parker.leave();
        }
    }
}

/// How the current task waits for a waker.
enum Parker {
    Real(Arc<real::Parker>),
    Sim(&'static sim::Sim),
}

impl Parker {
    fn of_current_task() -> Parker {
        match sim::current() {
            Some(sim) => Parker::Sim(sim),
            None => Parker::Real(real::parker()),
        }
    }

    fn waker(&self) -> Waker {
        match self {
            Parker::Real(parker) => parker.waker(),
            Parker::Sim(sim) => sim::SimParker::waker(sim),
        }
    }

    /// Waits for a wake-up or for `deadline`. Returns whether a wake-up came since the last `park`.
    #[track_caller]
    fn park(&self, deadline: Option<Instant>) -> bool {
        match self {
            Parker::Real(parker) => parker.park(deadline),
            Parker::Sim(sim) => sim::SimParker::park(sim, deadline),
        }
    }

    /// Makes an outer `block_on` of the task poll again: the inner call may have used its wake-up.
    fn leave(&self) {
        match self {
            Parker::Real(parker) => parker.leave(),
            Parker::Sim(sim) => sim::SimParker::leave(sim),
        }
    }
}
