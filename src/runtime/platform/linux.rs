//! The platform contract on Linux.

#![allow(unsafe_code, reason = "calls into libc about another thread")]

use std::time::Duration;

use super::{Describe, DescribeOverflow, Halted, fault, question};

/// A simulation's OS thread, as another thread sees it. Its user must hold the join handle.
pub(in crate::runtime) struct Watched {
    thread: libc::pthread_t,
    /// Identifies the thread in its own handler.
    mark: usize,
}

// SAFETY: any thread may use a thread's id for as long as the join handle is held. It is a pointer
// under musl.
unsafe impl Send for Watched {}
// SAFETY: as above; nothing in it changes.
unsafe impl Sync for Watched {}

impl Watched {
    /// The calling thread, which answers with `describe`.
    pub(in crate::runtime) fn this_thread(describe: Describe) -> Watched {
        // SAFETY: a call without arguments that cannot fail.
        Watched { thread: unsafe { libc::pthread_self() }, mark: question::answer_with(describe) }
    }

    /// CPU time that the thread has used.
    pub(in crate::runtime) fn cpu(&self) -> Option<Duration> {
        let mut clock: libc::clockid_t = 0;
        let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the caller holds the thread's join handle, so the id is valid; both calls write
        // to locals.
        let known = unsafe {
            libc::pthread_getcpuclockid(self.thread, &raw mut clock) == 0
                && libc::clock_gettime(clock, &raw mut spec) == 0
        };
        let seconds = u64::try_from(spec.tv_sec).ok().filter(|_| known)?;
        Some(Duration::new(seconds, u32::try_from(spec.tv_nsec).ok()?))
    }

    /// Which task has control of the thread; `None` if the thread does not answer.
    pub(in crate::runtime) fn ask(&self) -> Option<Halted> {
        question::ask(self.thread, self.mark)
    }
}

/// Names tasks of the calling thread that overflow their stacks, until the value is dropped.
pub(in crate::runtime) fn name_overflows(describe: DescribeOverflow) -> impl Drop {
    fault::enter(describe);
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            fault::leave();
        }
    }
    Leave
}
