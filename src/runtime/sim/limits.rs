//! Limits of a run besides time and points: the number of tasks, and the memory of their stacks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::task::{STACK_SIZE, State};
use super::{Place, Sim, current};
use crate::runtime::base::outcome::FailureKind;

/// The message when the operating system refuses a stack.
pub(super) const NO_STACK: &str =
    "the operating system gives no memory for the stack of another task";

/// Writes that the current task has overflowed its stack, if that has led to a fault at `address`.
///
/// Called in a signal handler: it must not allocate memory.
pub(super) fn describe_overflow(address: usize, text: &mut dyn Write) -> bool {
    let Some(sim) = current() else { return false };
    let limit = sim.stack_limit.get();
    if !(limit..limit + STACK_SIZE).contains(&address) {
        return false;
    }
    // The tasks are borrowed only if the fault came from the scheduler itself; then the name is
    // unknown.
    let tasks = sim.tasks.try_borrow();
    let name = tasks.as_ref().map_or("unknown", |tasks| &tasks[sim.current.get().slot()].name);
    let _ = writeln!(
        text,
        "\ntask '{name}' has overflowed its stack of {STACK_SIZE} bytes \
         (seed {}, {:.6} s of virtual time): look for unbounded recursion or large arrays",
        sim.shared.seed,
        Duration::from_nanos(sim.now_ns()).as_secs_f64()
    );
    true
}

impl Sim {
    /// Fails the run: its number of tasks is at the limit, and `place` starts another.
    #[cold]
    pub(super) fn fail_too_many_tasks(&self, place: Place) -> ! {
        let message = format!(
            "{} tasks live at once, which is the limit, and {place} starts another; {}",
            self.limits.tasks,
            self.most_common_origin()
        );
        self.fail(self.failure_now(FailureKind::Limit, "tasks_max", message))
    }

    /// Fails the run: the operating system gives no stack for `job`.
    #[cold]
    pub(super) fn fail_no_stack(&self, job: Box<dyn FnOnce()>) -> ! {
        let (live, origin) = (self.live.get(), self.most_common_origin());
        let message = format!("{NO_STACK}; {live} tasks live; {origin}");
        let failure = self.failure_now(FailureKind::Limit, "stacks", message);
        // Dropping the job could start tasks, too.
        std::mem::forget(job);
        self.fail(failure)
    }

    /// `N of them were started by S2 at PLACE`, for the place that has started most live tasks.
    fn most_common_origin(&self) -> String {
        let mut counts = BTreeMap::<_, (u32, Place)>::new();
        let tasks = self.tasks.borrow();
        for task in tasks.iter().filter(|task| !matches!(task.state, State::Free)) {
            let origin = task.origin;
            let key = (task.label, origin.file(), origin.line(), origin.column());
            counts.entry(key).or_insert((0, origin)).0 += 1;
        }
        let most = counts.iter().max_by_key(|(_, (count, _))| *count);
        most.map_or_else(String::new, |((label, ..), (count, origin))| {
            let by = label.map(|label| format!(" by S{label}")).unwrap_or_default();
            format!("{count} of them were started{by} at {origin}")
        })
    }
}
