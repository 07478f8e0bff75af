//! Futures on either clock: an executor that runs one future in the calling task.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::context;
use super::time::Instant;

/// Wake-ups that the polled future has asked for: deadlines, and the wakers to call then.
pub(super) type Timers = Vec<(Instant, Waker)>;

/// Runs `future` to its end in the current task, which waits while the future waits.
///
/// Calls may nest: a future may call code that calls `block_on` again. Wakers may be kept, cloned,
/// sent to other tasks of the run and called late or twice.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = context::parker();
    let waker = parker.waker();
    let mut cx = Context::from_waker(&waker);
    let mut timers = Timers::new();
    let mut level = Level { parker: &parker, was_woken: false };
    loop {
        let polled = {
            // The list is lent only for this poll: tasks and nested calls must not share a list.
            let _lent = Lent::new(&mut timers);
            future.as_mut().poll(&mut cx)
        };
        if let Poll::Ready(output) = polled {
            return output;
        }
        let deadline = timers.iter().map(|(at, _)| *at).min();
        level.was_woken |= parker.park(deadline);
        wake_due(&mut timers);
    }
}

/// Asks the innermost `block_on` of this task to wake `waker` at `deadline`.
pub(super) fn wake_at(deadline: Instant, waker: &Waker) {
    let waker = waker.clone();
    context::with_timers(|timers| timers.push((deadline, waker)));
}

/// Replaces the task's list of wake-ups by another one, until it is dropped, also by unwinding.
struct Lent<'a>(&'a mut Timers);

impl Lent<'_> {
    fn new(timers: &mut Timers) -> Lent<'_> {
        context::with_timers(|current| std::mem::swap(current, timers));
        Lent(timers)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        context::with_timers(|current| std::mem::swap(current, self.0));
    }
}

/// One of a task's nested `block_on` calls, which all have the same waker.
///
/// If a wake-up came during the call, the outer `block_on` polls again however this call ends: the
/// wake-up may have been for the outer future.
struct Level<'a> {
    parker: &'a context::Parker,
    was_woken: bool,
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        if self.was_woken {
            self.parker.leave();
        }
    }
}

fn wake_due(timers: &mut Timers) {
    if timers.is_empty() {
        return;
    }
    let now = context::quiet_now_ns();
    timers.retain(|(at, waker)| {
        let due = at.as_ns() <= now;
        if due {
            waker.wake_by_ref();
        }
        !due
    });
}
