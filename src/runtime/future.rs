//! Futures on either clock: an executor for one future, in the task that calls it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::context;
use super::time::Instant;

/// Wake-ups that the future being polled has asked for.
pub(super) type Timers = Vec<(Instant, Waker)>;

/// Runs `future` to its end in the current task, which waits while the future does.
///
/// Nests: a future may call code that calls `block_on` again. Wakers may be kept, cloned, sent to
/// other tasks of the run and called late or twice.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = context::parker();
    let waker = parker.waker();
    let mut cx = Context::from_waker(&waker);
    let mut timers = Timers::new();
    loop {
        // The list is borrowed only for this poll, so that tasks and levels do not mix.
        let outer = swap_timers(std::mem::take(&mut timers));
        let polled = future.as_mut().poll(&mut cx);
        timers = swap_timers(outer);
        if let Poll::Ready(output) = polled {
            parker.leave();
            return output;
        }
        let deadline = timers.iter().map(|(at, _)| *at).min();
        parker.park(deadline);
        wake_due(&mut timers);
    }
}

/// Asks the innermost `block_on` of this task to wake `waker` at `deadline`.
pub(super) fn wake_at(deadline: Instant, waker: &Waker) {
    context::with_timers(|timers| timers.push((deadline, waker.clone())));
}

fn swap_timers(timers: Timers) -> Timers {
    context::with_timers(|current| std::mem::replace(current, timers))
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
