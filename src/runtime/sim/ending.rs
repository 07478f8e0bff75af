//! How a run ends: every remaining task is unwound, from its own blocking point, in turn.
//!
//! Dropping a suspended coroutine would not work, since its destructors may wait for a lock. So
//! ending is cooperative. Each task is resumed once more, finds that the run is over, and unwinds.
//! Meanwhile its destructors still wait for locks; every other wait returns at once.
//!
//! ```text
//! end ──► each task, resumed:
//!           has not begun      its closure is dropped
//!           already unwinding  continues: unwinding it again would end the process
//!           any other          is unwound
//!         a task that does not end is given up: its stack is leaked, and it is counted
//! ```
//!
//! Before the end, unwinding is nothing special: a destructor may wait, and a panic may be caught.

use std::time::Duration;

use super::task::State;
use super::{END_OF_TIME_NS, Holder, Place, Sim};
use crate::runtime::base::aborts;
use crate::runtime::base::here::Here;
use crate::runtime::base::outcome::{Failure, FailureKind};
use crate::runtime::base::panics::{self, Note};

/// A task is given up when the weights of its actions after the end add up to more than this.
const WEIGHT_MAX: u32 = 10_000;

/// When the weights of all tasks together exceed this, each task is given up at its next action.
const WEIGHT_IN_ALL_MAX: u64 = 20_000_000;

/// The weight of an unwinding, which a task survives only by a `catch_unwind`.
const WEIGHT_UNWIND: u32 = 150;

/// The weight of a wait that returned at once.
const WEIGHT_WAIT: u32 = 1;

/// The weight of a long turn without a wait.
const WEIGHT_TURN: u32 = 100;

/// Gives the outcome of a run to the run's caller.
pub(super) type HandOver = Box<dyn FnOnce(&Sim)>;

impl Sim {
    /// Ends the run as failed, from the scheduler or from the current task.
    pub(super) fn end_with_new(&self, kind: FailureKind, name: &str, message: String) {
        self.end_with(self.failure_now(kind, name, message));
    }

    /// Makes a failure that happens now, in the current task.
    pub(super) fn failure_now(&self, kind: FailureKind, name: &str, message: String) -> Failure {
        self.here().failure(kind, name, message)
    }

    /// The current task, and the moment.
    pub(super) fn here(&self) -> Here {
        Here {
            task: self.task_name().to_string(),
            label: self.label(),
            at: Duration::from_nanos(self.now_ns.get()),
        }
    }

    /// Ends the run; `failure` counts if it is the run's first.
    pub(in crate::runtime) fn end_with(&self, failure: Failure) {
        if !self.ending.get() {
            *self.failure.borrow_mut() = Some(failure);
            if self.shared.record {
                self.notes.borrow_mut().tasks = self.describe_by_label();
            }
            self.end();
        }
    }

    /// From now on, a task that panics just ends.
    pub(in crate::runtime) fn decide(&self) {
        self.decided.set(true);
    }

    /// Ends the run: from now on, every task that gets control is unwound.
    pub(super) fn end(&self) {
        if self.ending.replace(true) {
            return;
        }
        self.ended_ns.set(self.now_ns.get());
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

    /// Whether the current task's stack may be in the middle of unwinding.
    ///
    /// `thread::panicking` is true for every task of the OS thread while one of them, suspended in
    /// a destructor, is unwinding. While no task is suspended like that, `panicking` is exact.
    /// Otherwise we know only whether the current task was unwinding when it was last suspended,
    /// and whether it has begun to panic since. We do not see whether it caught the panic. So the
    /// answer "no" is certain, unless the task used `resume_unwind`.
    #[inline]
    pub(in crate::runtime) fn may_be_unwinding(&self) -> bool {
        std::thread::panicking()
            && (self.unwinding_suspended.get() == 0 || self.with_current(|task| task.may_unwind))
    }

    /// Records that the current task has begun to panic. The panic hook calls this, perhaps while
    /// the table of tasks is borrowed.
    pub(in crate::runtime) fn note_panic(&self, note: impl FnOnce() -> Note) {
        // Making the message may run the task's own code.
        self.in_hook.set(true);
        let note = note();
        self.in_hook.set(false);
        if let Ok(mut tasks) = self.tasks.try_borrow_mut() {
            let task = &mut tasks[self.current.get().slot()];
            task.may_unwind = true;
            task.panics.add(note);
        }
    }

    /// Whether the run is over and the current task only has destructors left to run.
    #[inline]
    pub(in crate::runtime) fn is_leaving(&self) -> bool {
        self.ending.get() && (self.with_current(|task| task.leaving) || self.may_be_unwinding())
    }

    /// From now on the current task is not unwound: it ends by itself, or is given up.
    pub(super) fn leave(&self) {
        self.with_current(|task| task.leaving = true);
    }

    /// Unwinds the current task if the run is over. Called wherever the task gets control again.
    pub(in crate::runtime) fn unwind_if_over(&self) {
        if self.ending.get() && !self.is_leaving() {
            self.unwind();
        }
    }

    /// Ends the current task if the run is over, even if it is already leaving.
    pub(in crate::runtime) fn end_task_if_over(&self) {
        if self.ending.get() {
            self.unwind();
        }
    }

    /// Unwinds the current task, or gives it up if it cannot be unwound.
    fn unwind(&self) -> ! {
        if self.with_current(|task| task.foreign_frames) || self.may_be_unwinding() {
            self.abandon_task();
        }
        self.add_weight(WEIGHT_UNWIND);
        self.with_current(|task| task.may_unwind = true);
        panics::unwind_task()
    }

    /// A scheduling point of a run that is over: unwinds the task, or lets it end by itself.
    #[cold]
    pub(super) fn point_at_end(&self) {
        self.unwind_if_over();
        if self.turn_is_long() {
            self.add_weight(WEIGHT_TURN);
            self.yield_to_any();
        }
    }

    /// Replaces every wait of a leaving task, except for a lock: other tasks run, then it
    /// continues.
    ///
    /// The clock moves as if the wait had lasted until its deadline, since the caller may read it.
    pub(super) fn wait_while_leaving(&self, deadline_ns: Option<u64>) {
        self.add_weight(WEIGHT_WAIT);
        if let Some(deadline_ns) = deadline_ns {
            self.now_ns.set(deadline_ns.min(END_OF_TIME_NS).max(self.now_ns.get()));
        }
        self.yield_to_any();
    }

    /// Counts a wait for a lock: the only kind of wait that does not return at once after the end.
    pub(super) fn count_wait(&self) {
        self.add_weight(WEIGHT_WAIT);
    }

    /// Adds `weight` to the current task's total, and gives up a task that does not end.
    fn add_weight(&self, weight: u32) {
        let of_task = self.with_current(|task| {
            task.weight_at_end += weight;
            task.weight_at_end
        });
        self.beat_at_end();
        let in_all = self.weight_at_end.get() + u64::from(weight);
        self.weight_at_end.set(in_all);
        if of_task > WEIGHT_MAX || in_all > WEIGHT_IN_ALL_MAX {
            self.abandon_task();
        }
    }

    /// Never gives the current task control again. Leaks its stack; the task counts as left.
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
        // If the run ends during the wait, this task is given up and not unwound.
        self.with_current(|task| task.foreign_frames = true);
        let place = std::panic::Location::caller();
        self.block(super::WaitKind::Sleep, 0, place, Some(deadline_ns));
        self.with_current(|task| task.foreign_frames = false);
    }

    /// Ends the run as failed and unwinds the current task.
    pub(in crate::runtime) fn fail(&self, failure: Failure) -> ! {
        self.end_with(failure);
        self.unwind()
    }

    /// Fails the run because the current task waits for a lock too long, or would wait for ever.
    /// `place` is that of the wait.
    pub(in crate::runtime) fn fail_deadlock(
        &self,
        name: &str,
        message: &str,
        lock: &Holder,
        place: Place,
    ) -> ! {
        let held = self.describe_holder(lock, &self.tasks.borrow());
        let message = format!("{message}; it is {held}\n{}", self.describe_tasks());
        let failure = self.failure_now(FailureKind::Deadlock, name, message);
        self.fail(Failure { place: place.to_string(), ..failure })
    }

    /// Takes the note of the current task's latest panic.
    pub(in crate::runtime) fn take_note(&self) -> Note {
        match self.tasks.try_borrow_mut() {
            Ok(mut tasks) => tasks[self.current.get().slot()].panics.take_latest(),
            Err(_) => Note::default(),
        }
    }

    /// Ends the run in place of an abort of the process. The frames on the stack cannot be unwound.
    ///
    /// The run's caller gets the outcome; this OS thread is parked for good.
    pub(super) fn abandon_thread(&self) -> ! {
        let reason = aborts::take_reason();
        let failure = reason.unwrap_or_else(|| panics::failure_by_abort(self.here()));
        if !self.ending.replace(true) {
            self.ended_ns.set(self.now_ns.get());
        }
        if let Ok(mut first) = self.failure.try_borrow_mut() {
            first.get_or_insert(failure);
        }
        super::forget_current();
        if let Some(hand_over) = self.hand_over.take() {
            hand_over(self);
        }
        aborts::park_for_good()
    }

    /// Number of tasks that have not ended.
    pub(super) fn tasks_left(&self) -> u32 {
        self.live.get() + self.forgotten.get()
    }
}
