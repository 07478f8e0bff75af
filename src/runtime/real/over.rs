//! How a task on an OS thread notices that its run is over.
//!
//! The end of a run wakes only sleeping tasks. Every other task checks whether the run is over
//! after each wait, and also where it did not have to wait. If the run is over, the task is
//! unwound, unless it only has destructors left to run.

use std::time::Duration;

use super::task::{RealTask, with_task};
use crate::runtime::base::instant::{ns_of, wall_ns};
use crate::runtime::base::panics;

/// Longest wait of a task before it checks again whether its run is over.
pub(super) const OVER_CHECK: Duration = Duration::from_millis(500);

/// Longest wait of a task that only has destructors left to run.
const LEAVING_CHECK: Duration = Duration::from_millis(20);

/// A task whose destructors wait more than `WAITS_MAX` times or `LEAVE_MAX` long is given up.
const WAITS_MAX: u32 = 10_000;
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// From here on the current task is not unwound: it ends by itself, or is given up.
pub(super) fn leave() {
    with_task(|task| task.leaving.set(true));
}

/// Maximum time that the current task may wait before it checks whether its run is over.
pub(in crate::runtime) fn wait_max() -> Duration {
    let leaves =
        |task: &RealTask| task.run.is_over() && (task.leaving.get() || std::thread::panicking());
    match with_task(leaves) {
        Some(true) => LEAVING_CHECK,
        _ => OVER_CHECK,
    }
}

/// Unwinds the current task if its run is over. To be called wherever a task has just waited.
///
/// Returns `true` if the run is over and the task only has destructors left to run: the wait ends
/// at once.
pub(in crate::runtime) fn unwind_if_over() -> bool {
    if !with_task(|task| task.run.is_over()).unwrap_or(false) {
        return false;
    }
    if !std::thread::panicking() && !with_task(|task| task.leaving.get()).unwrap_or(false) {
        panics::unwind_task();
    }
    let is_too_much = |task: &RealTask| {
        let now_ns = wall_ns();
        let (waits, since_ns) = task.waits_at_end.get().unwrap_or((0, now_ns));
        task.waits_at_end.set(Some((waits + 1, since_ns)));
        waits > WAITS_MAX || now_ns - since_ns > ns_of(LEAVE_MAX)
    };
    if with_task(is_too_much) == Some(true)
        && let Some(run) = with_task(|task| task.run.clone())
    {
        run.abandon_task();
    }
    true
}

/// Unwinds the current task if its run is over, unless it only has destructors left to run.
///
/// To be called wherever a task did not have to wait.
pub(in crate::runtime) fn unwind_unless_leaving() {
    let over = |task: &RealTask| task.run.is_over() && !task.leaving.get();
    if with_task(over) == Some(true) && !std::thread::panicking() {
        panics::unwind_task();
    }
}

/// Ends the current task if its run is over, even if it is already leaving.
pub(in crate::runtime) fn end_task_if_over() {
    let Some(run) = with_task(|task| task.run.clone()) else { return };
    match (run.is_over(), std::thread::panicking()) {
        (false, _) => {}
        (true, true) => run.abandon_task(),
        (true, false) => panics::unwind_task(),
    }
}
