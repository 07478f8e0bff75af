//! How a run ends: every task that is left is unwound, from its own blocking point, in turn.
//!
//! Dropping a suspended coroutine would not do: destructors may lock. So ending is cooperative.
//! Each task is resumed once more, finds that the run is over, and unwinds. A lock that a
//! destructor needs is still waited for; every other wait of an unwinding task returns at once.

use super::task::State;
use super::{Holder, Sim};
use crate::runtime::outcome::{Failure, FailureKind};
use crate::runtime::panics;

/// A task that swallows the unwinding, or waits in a destructor, this often is given up.
const TOLD_MAX: u32 = 64;

impl Sim {
    /// Ends the run as failed, from the scheduler or from the current task.
    pub(super) fn end_with_new(&self, kind: FailureKind, name: &str, message: String) {
        self.end_with(Failure {
            kind,
            name: name.to_string(),
            message,
            task: self.task_name().to_string(),
            label: self.label(),
            place: String::new(),
            at: std::time::Duration::from_nanos(self.now_ns.get()),
        });
    }

    /// Ends the run; `failure` counts if it is the first.
    pub(in crate::runtime) fn end_with(&self, failure: Failure) {
        if !self.ending.get() {
            *self.failure.borrow_mut() = Some(failure);
            self.end();
        }
    }

    /// Ends the run: from here on, every task that gets control unwinds.
    pub(super) fn end(&self) {
        self.ending.set(true);
        self.waits.borrow_mut().clear();
        self.timers.borrow_mut().clear();
        let mut tasks = self.tasks.borrow_mut();
        for task in tasks.iter_mut() {
            if matches!(task.state, State::Blocked(_)) {
                task.state = State::Ready;
                task.timed_out = true;
                task.wait_seq = task.wait_seq.wrapping_add(1);
            }
        }
        let mut ready = self.ready.borrow_mut();
        ready.clear();
        for (slot, task) in tasks.iter().enumerate() {
            if matches!(task.state, State::Ready) {
                ready.push_back(super::TaskId(u32::try_from(slot).expect("slots fit 32 bits")));
            }
        }
    }

    /// Whether the current task's stack is being unwound.
    ///
    /// `thread::panicking` alone will not do: it is true for every task of the OS thread while
    /// one of them, suspended in a destructor, is unwinding.
    #[inline]
    pub(in crate::runtime) fn is_unwinding(&self) -> bool {
        std::thread::panicking() && self.with_current(|task| task.unwinding)
    }

    /// Notes that the current task has begun to panic. Called by the panic hook.
    ///
    /// Whether it was unwinding already: a panic in a destructor then, which ends the process.
    pub(in crate::runtime) fn note_panic(&self) -> bool {
        self.with_current(|task| std::mem::replace(&mut task.unwinding, true))
    }

    /// Unwinds the current task if the run is over. Called wherever control comes back.
    pub(super) fn unwind_if_over(&self) {
        if !self.ending.get() || self.is_unwinding() {
            return;
        }
        if self.with_current(|task| task.foreign_frames) {
            self.abandon_task();
        }
        self.count_telling();
        self.with_current(|task| task.unwinding = true);
        panics::unwind_task();
    }

    /// Stands in for any wait but a lock's while the task unwinds: others run, then it goes on.
    pub(super) fn wait_while_unwinding(&self) {
        self.count_telling();
        if !self.ending.get() {
            return;
        }
        self.yield_to_any();
    }

    /// Gives up a task that will not end: it keeps its stack for good and is counted.
    fn count_telling(&self) {
        let told = self.with_current(|task| {
            task.told += 1;
            task.told
        });
        if told > TOLD_MAX {
            self.abandon_task();
        }
    }

    /// Never gives the current task control again; its stack is leaked and counted.
    pub(super) fn abandon_task(&self) -> ! {
        self.with_current(|task| task.state = State::Blocked(super::report::abandoned()));
        loop {
            let next = self.pick();
            self.next.set(next);
            self.suspend();
        }
    }

    /// Sleeps for a caller whose frames cannot be unwound.
    #[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
    pub(super) fn block_in_foreign_frames(&self, deadline_ns: u64) {
        // As if it unwound, it is not told of the end; then it is given up instead.
        self.with_current(|task| task.foreign_frames = true);
        let place = std::panic::Location::caller();
        self.block(super::WaitKind::Sleep, 0, place, Some(deadline_ns));
        self.with_current(|task| task.foreign_frames = false);
    }

    /// Ends the run as failed and unwinds the current task.
    pub(in crate::runtime) fn fail(&self, failure: Failure) -> ! {
        self.end_with(failure);
        self.with_current(|task| task.unwinding = true);
        panics::unwind_task()
    }

    /// Fails the run from a point where the current task waits for a lock too long, or for ever.
    pub(in crate::runtime) fn fail_deadlock(&self, name: &str, message: &str, lock: &Holder) -> ! {
        let held = self.describe_holder(lock, &self.tasks.borrow());
        let message = format!("{message}; it is {held}\n{}", self.describe_tasks());
        self.end_with_new(FailureKind::Deadlock, name, message);
        self.with_current(|task| task.unwinding = true);
        panics::unwind_task()
    }

    /// Forgets the stacks of tasks that never ended: their frames may be referred to.
    pub(super) fn forget_leftovers(&self) -> u32 {
        let mut left = 0;
        for task in self.tasks.borrow_mut().iter_mut() {
            if let Some(coroutine) = task.coroutine.take() {
                std::mem::forget(coroutine);
                left += 1;
            }
        }
        left
    }
}
