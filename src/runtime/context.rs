//! The run and the task that the calling OS thread is in; calls go to the clock of that run.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use super::future::Timers;
use super::local::Shared;
use super::outcome::Failure;
use super::real::{self, RealRun};
use super::time::Instant;
use super::{panics, sim};
use panics::{Note, Notes};

/// A task of a run on the real clock, as its OS thread keeps it.
pub(super) struct RealTask {
    pub(super) run: Arc<RealRun>,
    pub(super) name: Arc<str>,
    pub(super) label: Option<u32>,
    /// The run is over and the task only runs destructors: nothing unwinds it any more.
    pub(super) leaving: Cell<bool>,
    /// Number of waits since the run ended, and the wall time of the first, in nanoseconds.
    pub(super) told: Cell<Option<(u32, u64)>>,
}

impl RealTask {
    pub(super) fn new(run: Arc<RealRun>, name: Arc<str>, label: Option<u32>) -> RealTask {
        RealTask { run, name, label, leaving: Cell::new(false), told: Cell::new(None) }
    }
}

thread_local! {
    static REAL: RefCell<Option<RealTask>> = const { RefCell::new(None) };
    static PARKER: Cell<Option<Arc<real::Parker>>> = const { Cell::new(None) };
    static TIMERS: RefCell<Timers> = const { RefCell::new(Vec::new()) };
}

/// Whether the caller is a task of a run.
pub fn in_run() -> bool {
    sim::current().is_some() || REAL.try_with(|real| real.borrow().is_some()).unwrap_or(false)
}

/// The current run's seed; 0 outside a run.
pub fn seed() -> u64 {
    with_shared(|shared| shared.seed).unwrap_or(0)
}

/// Whether the current run keeps a record.
pub fn record_is_on() -> bool {
    with_shared(|shared| shared.record).unwrap_or(false)
}

/// The current task's name, as given to `thread::spawn`; the OS thread's name outside a run.
pub fn task_name() -> String {
    if let Some(sim) = sim::current() {
        return sim.task_name().to_string();
    }
    with_real(|task| task.name.to_string())
        .unwrap_or_else(|| std::thread::current().name().unwrap_or("unnamed").to_string())
}

/// Time from the run's start to the end of the last stall of a task with the label `label`.
///
/// `None` if there was no stall yet.
///
/// For an observer that must not blame a server for being stalled.
pub fn last_stall(label: u32) -> Option<Duration> {
    sim::current()?.last_stall_ns(label).map(Duration::from_nanos)
}

/// The names of the tasks that have the label `label` now. `None` on the real clock, which keeps no
/// list.
pub fn tasks_labelled(label: u32) -> Option<Vec<Arc<str>>> {
    Some(sim::current()?.tasks_labelled(label))
}

/// Describes what each task with the label `label` does now; tasks that do the same share a line.
/// `None` on the real clock.
pub fn describe_tasks(label: u32) -> Option<String> {
    Some(sim::current()?.describe_labelled(label))
}

/// Number of tasks that the current run has started so far. `None` on the real clock, which keeps
/// no count.
pub fn tasks_started() -> Option<u64> {
    Some(sim::current()?.started.get())
}

/// Describes, as [`describe_tasks`] does, the tasks that were started with the label `label` among
/// the run's first `before` tasks. Empty if all of them have ended.
///
/// A task that has the label only for a while does not count.
pub fn describe_older_tasks(label: u32, before: u64) -> Option<String> {
    Some(sim::current()?.describe_older(label, before))
}

/// The backtraces of all tasks of the current simulation; of the caller alone on the real clock.
pub fn backtraces() -> String {
    match sim::current() {
        Some(sim) => sim.backtraces(),
        None => std::backtrace::Backtrace::force_capture().to_string(),
    }
}

/// Runs `f` on the data that the current run's tasks share; `None` outside a run.
pub(super) fn with_shared<R>(f: impl FnOnce(&Shared) -> R) -> Option<R> {
    match sim::current() {
        Some(sim) => Some(f(&sim.shared)),
        None => with_real(|task| f(&task.run.shared)),
    }
}

pub(super) fn with_real<R>(f: impl FnOnce(&RealTask) -> R) -> Option<R> {
    REAL.try_with(|real| real.borrow().as_ref().map(f)).ok().flatten()
}

/// Makes the OS thread a task of a real run while `f` runs.
pub(super) fn as_real_task<R>(task: RealTask, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<RealTask>);
    impl Drop for Restore {
        fn drop(&mut self) {
            REAL.with(|real| *real.borrow_mut() = self.0.take());
        }
    }
    let previous = REAL.with(|real| real.borrow_mut().replace(task));
    let _restore = Restore(previous);
    f()
}

pub(super) fn label() -> Option<u32> {
    match sim::current() {
        Some(sim) => sim.label(),
        None => with_real(|task| task.label).flatten(),
    }
}

pub(super) fn set_label(label: Option<u32>) -> Option<u32> {
    if let Some(sim) = sim::current() {
        return sim.set_label(label);
    }
    REAL.with(|real| {
        real.borrow_mut().as_mut().and_then(|task| std::mem::replace(&mut task.label, label))
    })
}

pub(super) fn with_timers<R>(f: impl FnOnce(&mut Timers) -> R) -> R {
    match sim::current() {
        Some(sim) => sim.with_timers(f),
        None => TIMERS.with(|timers| f(&mut timers.borrow_mut())),
    }
}

/// How the current task waits for a waker.
pub(super) enum Parker {
    /// On an OS thread.
    Real(Arc<real::Parker>),
    /// In a simulation.
    Sim(&'static sim::Sim),
}

/// The current task's parker; on an OS thread it is made at first use.
pub(super) fn parker() -> Parker {
    match sim::current() {
        Some(sim) => Parker::Sim(sim),
        None => PARKER.with(|slot| {
            let parker = slot.take().unwrap_or_default();
            slot.set(Some(parker.clone()));
            Parker::Real(parker)
        }),
    }
}

impl Parker {
    pub(super) fn waker(&self) -> Waker {
        match self {
            Parker::Real(parker) => parker.waker(),
            Parker::Sim(sim) => sim::SimParker::waker(sim),
        }
    }

    /// Waits for a wake-up or for `deadline`. Returns whether a wake-up came since the last `park`.
    #[track_caller]
    pub(super) fn park(&self, deadline: Option<Instant>) -> bool {
        match self {
            Parker::Real(parker) => parker.park(deadline),
            Parker::Sim(sim) => sim::SimParker::park(sim, deadline),
        }
    }

    /// Makes an outer `block_on` of the task poll again: the inner call may have used its wake-up.
    pub(super) fn leave(&self) {
        match self {
            Parker::Real(parker) => parker.leave(),
            Parker::Sim(sim) => sim::SimParker::leave(sim),
        }
    }
}

/// The present moment on the current clock; a scheduling point on the virtual one.
#[track_caller]
pub(super) fn now_ns() -> u64 {
    match sim::current() {
        Some(sim) => {
            sim.point(sim::Event::Now, Location::caller());
            sim.now_ns()
        }
        None => wall_ns(),
    }
}

/// The present moment, without a scheduling point.
pub(super) fn quiet_now_ns() -> u64 {
    match sim::current() {
        Some(sim) => sim.now_ns(),
        None => wall_ns(),
    }
}

pub(super) fn since_start_ns() -> u64 {
    match sim::current() {
        Some(sim) => sim.now_ns(),
        None => {
            let started_ns = with_real(|task| task.run.started_ns()).unwrap_or(0);
            wall_ns().saturating_sub(started_ns)
        }
    }
}

/// Wall time since the first call of this function in the process.
pub(super) fn wall_ns() -> u64 {
    static EPOCH: OnceLock<std::time::Instant> = OnceLock::new();
    let epoch = EPOCH.get_or_init(std::time::Instant::now);
    u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Records a failure of the current run and unwinds the task; outside a run, panics.
pub(super) fn fail(failure: Failure) -> ! {
    if let Some(sim) = sim::current() {
        sim.fail(failure)
    }
    match with_real(|task| task.run.clone()) {
        Some(run) => run.fail(failure),
        None => panic!("{failure}"),
    }
}

/// Ends the current task if its run is over, because the result it waits for will not come.
pub(super) fn end_task_if_over() {
    match sim::current() {
        Some(sim) => sim.end_task_if_over(),
        None => real::end_task_if_over(),
    }
}

/// Records that the current task has begun to panic.
pub(super) fn note_panic(note: impl FnOnce() -> Note) {
    match sim::current() {
        Some(sim) => sim.note_panic(note),
        None => {
            let note = note();
            panics::with_notes(|notes| notes.add(note));
        }
    }
}

/// Takes the note of the current task's latest panic.
pub(super) fn take_note() -> Note {
    match sim::current() {
        Some(sim) => sim.take_note(),
        None => panics::with_notes(Notes::take_latest),
    }
}

/// Ends the current run as failed and never returns: the OS thread is parked for good.
pub(super) fn lose_thread(failure: Failure) -> ! {
    if let Some(sim) = sim::current() {
        sim.lose_thread(failure)
    }
    if let Some(run) = with_real(|task| task.run.clone()) {
        run.lose_thread(failure);
    }
    loop {
        std::thread::park();
    }
}
