//! The run and the task that the calling OS thread is in; calls go to the clock of that run.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::base::here::Here;
use super::base::instant::{Instant, wall_now, wall_ns};
use super::base::kept::Choice;
use super::base::outcome::Failure;
use super::base::shared::Shared;
use super::{real, sim};

/// Whether the caller is a task of a run.
pub fn in_run() -> bool {
    sim::current().is_some() || real::in_task()
}

/// The current run's seed; 0 outside a run.
pub fn seed() -> u64 {
    with_shared(|shared| shared.seed).unwrap_or(0)
}

/// Whether the current run keeps a record.
pub fn record_is_on() -> bool {
    with_shared(|shared| shared.record).unwrap_or(false)
}

/// Gives the run's next choice of this kind its number. Returns whether the run keeps it; if not,
/// the caller must do the calm thing in its place. See [`Kept`](super::Kept).
///
/// Always true on the real clock and outside a run.
pub fn keeps(choice: Choice) -> bool {
    sim::current().is_none_or(|sim| sim.keeps(choice))
}

/// The current task's name, as given to `thread::spawn`; the OS thread's name outside a run.
pub fn task_name() -> String {
    if let Some(sim) = sim::current() {
        return sim.task_name().to_string();
    }
    real::with_task(|task| task.name.to_string())
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
    Some(sim::current()?.tasks_started())
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
        None => real::with_task(|task| f(&task.run.shared)),
    }
}

pub(super) fn label() -> Option<u32> {
    match sim::current() {
        Some(sim) => sim.label(),
        None => real::with_task(|task| task.label).flatten(),
    }
}

pub(super) fn set_label(label: Option<u32>) -> Option<u32> {
    match sim::current() {
        Some(sim) => sim.set_label(label),
        None => real::set_label(label),
    }
}

/// The current task, and the moment.
pub(super) fn here() -> Here {
    Here { task: task_name(), label: label(), at: since_start() }
}

/// The present moment on the current clock; a scheduling point on the virtual one.
#[track_caller]
pub(super) fn now() -> Instant {
    match sim::current() {
        Some(sim) => {
            sim.point(sim::Event::Now, Location::caller());
            Instant::from_ns(sim.now_ns())
        }
        None => wall_now(),
    }
}

/// The present moment, without a scheduling point.
pub(super) fn quiet_now() -> Instant {
    match sim::current() {
        Some(sim) => Instant::from_ns(sim.now_ns()),
        None => wall_now(),
    }
}

/// Time since the run began (outside a run: since the process first read the clock).
///
/// Reading it is not a scheduling point and costs no virtual time: for the record, the network and
/// observers.
pub fn since_start() -> Duration {
    match sim::current() {
        Some(sim) => Duration::from_nanos(sim.now_ns()),
        None => real::with_task(|task| task.run.elapsed())
            .unwrap_or_else(|| Duration::from_nanos(wall_ns())),
    }
}

/// Records a failure of the current run and unwinds the task; outside a run, panics.
pub(super) fn fail(failure: Failure) -> ! {
    if let Some(sim) = sim::current() {
        sim.fail(failure)
    }
    match real::with_task(|task| task.run.clone()) {
        Some(run) => run.fail(failure),
        None => panic!("{failure}"),
    }
}
