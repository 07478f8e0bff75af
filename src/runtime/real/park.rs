//! How a task on an OS thread waits for a waker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::{OVER_CHECK, unwind_if_over};
use crate::runtime::context;
use crate::runtime::time::Instant;

/// One per OS thread: a token that wakers leave and `park` takes.
pub(in crate::runtime) struct Parker {
    thread: Thread,
    token: AtomicBool,
}

impl Default for Parker {
    fn default() -> Parker {
        Parker { thread: std::thread::current(), token: AtomicBool::new(false) }
    }
}

impl Parker {
    pub(in crate::runtime) fn waker(self: &Arc<Parker>) -> Waker {
        Waker::from(self.clone())
    }

    /// Waits for the token, for `deadline`, or for the end of the run.
    pub(in crate::runtime) fn park(&self, deadline: Option<Instant>) {
        while !self.token.swap(false, Ordering::Acquire) {
            unwind_if_over();
            let span = match deadline {
                None => OVER_CHECK,
                Some(deadline) => {
                    let now_ns = context::quiet_now_ns();
                    if now_ns >= deadline.as_ns() {
                        return;
                    }
                    OVER_CHECK.min(Duration::from_nanos(deadline.as_ns() - now_ns))
                }
            };
            std::thread::park_timeout(span);
        }
    }

    /// Called when a `block_on` is done: an outer one on this thread may have been woken
    /// meanwhile, so it is made to look again.
    pub(in crate::runtime) fn leave(&self) {
        self.token.store(true, Ordering::Release);
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Parker>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Parker>) {
        if !self.token.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}
