//! The report of a deadlock: which task waits for what, and which task holds it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::panic::Location;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::schedule::{Wait, WaitKind};
use super::task::{State, Task, TaskId};
use super::{Place, Sim};

/// The holder of a lock, and where the lock was taken. Part of every `Mutex`; unused on the real
/// clock.
#[derive(Debug)]
pub(in crate::runtime) struct Holder {
    /// Simulation (high half) and task (low half); 0: no task of a simulation.
    who: AtomicU64,
    place: AtomicPtr<Location<'static>>,
    /// When the lock was taken, in virtual time.
    since_ns: AtomicU64,
}

impl Holder {
    pub(in crate::runtime) const fn none() -> Holder {
        Holder {
            who: AtomicU64::new(0),
            place: AtomicPtr::new(std::ptr::null_mut()),
            since_ns: AtomicU64::new(0),
        }
    }

    /// Records that the current task of `sim` has the lock.
    #[inline]
    pub(in crate::runtime) fn set(&self, sim: &Sim, place: Place) {
        let who = u64::from(sim.id) << 32 | u64::from(sim.current.get().0);
        self.who.store(who, Ordering::Relaxed);
        self.place.store(std::ptr::from_ref(place).cast_mut(), Ordering::Relaxed);
        self.since_ns.store(sim.now_ns(), Ordering::Relaxed);
    }

    /// When the present holder took the lock, in nanoseconds since the run began.
    pub(in crate::runtime) fn since_ns(&self) -> u64 {
        self.since_ns.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in crate::runtime) fn clear(&self) {
        self.who.store(0, Ordering::Relaxed);
    }

    /// Where the lock was taken last.
    #[inline]
    #[allow(unsafe_code, reason = "reads back a reference that was stored as a pointer")]
    pub(in crate::runtime) fn place(&self) -> Option<Place> {
        // SAFETY: only `set` stores here, and it stores a `&'static Location`.
        unsafe { self.place.load(Ordering::Relaxed).as_ref() }
    }

    /// The task of `sim` that has the lock.
    fn task(&self, sim: &Sim) -> Option<TaskId> {
        let who = self.who.load(Ordering::Relaxed);
        (who >> 32 == u64::from(sim.id))
            .then(|| TaskId(u32::try_from(who & 0xffff_ffff).expect("masked to 32 bits")))
    }
}

/// The wait of a task that was given up: no wake-up ends it.
pub(super) fn abandoned() -> Wait {
    Wait { kind: WaitKind::Park, address: 0, place: Location::caller(), since_ns: 0 }
}

impl Sim {
    /// Fails the run if waiting for `holder`'s lock closes a cycle of tasks that wait for locks.
    #[allow(unsafe_code, reason = "follows pointers to locks that blocked tasks refer to")]
    pub(in crate::runtime) fn refuse_lock_cycle(&self, holder: &Holder, place: Place) {
        let me = self.current.get();
        let Some(mut owner) = holder.task(self) else {
            let message = format!("the lock wanted at {place} is held outside of this run");
            self.fail_deadlock("foreign_lock", &message, holder, place);
        };
        let mut chain = vec![owner];
        while owner != me {
            let next = {
                let tasks = self.tasks.borrow();
                match &tasks[owner.slot()].state {
                    State::Blocked(Wait { kind: WaitKind::Lock(holder), .. }) => {
                        // SAFETY: a task that is blocked on a lock borrows it from its own stack,
                        // so the lock is alive as long as the task is blocked.
                        unsafe { &**holder }.task(self)
                    }
                    _ => return,
                }
            };
            match next {
                Some(next) if !chain.contains(&next) || next == me => owner = next,
                _ => return,
            }
            chain.push(owner);
        }
        let tasks = self.tasks.borrow();
        let names: Vec<String> = chain.iter().map(|id| tasks[id.slot()].shown_name()).collect();
        drop(tasks);
        let message = format!(
            "tasks wait for each other's locks: {} → {}; the first wants a lock at {place}",
            self.task_name(),
            names.join(" → ")
        );
        self.fail_deadlock("lock_cycle", &message, holder, place);
    }

    /// Lists the live tasks: what each does or waits for, where, and which task holds a lock that
    /// it waits for. Tasks of one name that do the same share a line.
    pub(super) fn describe_tasks(&self) -> String {
        self.describe_some(|_| true)
    }

    /// As [`Sim::describe_tasks`], for the tasks that carry `label`.
    pub(in crate::runtime) fn describe_labelled(&self, label: u32) -> String {
        self.describe_some(|task| task.label == Some(label))
    }

    /// As [`Sim::describe_tasks`], for each label that a live task carries.
    pub(super) fn describe_by_label(&self) -> Vec<(u32, String)> {
        let labels: BTreeSet<u32> =
            self.tasks.borrow().iter().filter_map(|task| task.label).collect();
        labels.into_iter().map(|label| (label, self.describe_labelled(label))).collect()
    }

    /// As [`Sim::describe_tasks`], for the tasks that were started with `label` among the run's
    /// first `before` tasks.
    pub(in crate::runtime) fn describe_older(&self, label: u32, before: u64) -> String {
        self.describe_some(|task| task.started_for == Some(label) && task.number < before)
    }

    fn describe_some(&self, wanted: impl Fn(&Task) -> bool) -> String {
        let tasks = self.tasks.borrow();
        let mut lines: Vec<Line> = Vec::new();
        for task in tasks.iter().filter(|task| wanted(task)) {
            let Some(line) = self.line_of(task, &tasks) else { continue };
            match lines.iter_mut().find(|other| other.joins(&line)) {
                Some(other) => other.add(&line),
                None => lines.push(line),
            }
        }
        lines.iter().fold(String::new(), |mut text, line| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {line}");
            text
        })
    }

    /// Describes what `task` does; `None` if the slot has no task.
    #[allow(unsafe_code, reason = "follows a pointer to a lock that a blocked task refers to")]
    fn line_of(&self, task: &Task, tasks: &[Task]) -> Option<Line> {
        let (what, since_ns, more) = match &task.state {
            State::Free => return None,
            State::Ready => ("is ready".to_string(), None, String::new()),
            State::Running => ("runs".to_string(), None, String::new()),
            State::Blocked(wait) => {
                let more = match wait.kind {
                    WaitKind::Lock(holder) => {
                        // SAFETY: as in `refuse_lock_cycle`.
                        let holder = unsafe { &*holder };
                        format!("; it is {}", self.describe_holder(holder, tasks))
                    }
                    _ => String::new(),
                };
                (format!("{} at {}", verb(wait.kind), wait.place), Some(wait.since_ns), more)
            }
        };
        Some(Line { name: task.shown_name(), count: 1, what, since_ns, more })
    }

    /// `held since PLACE by TASK, which WAITS at PLACE`.
    pub(super) fn describe_holder(&self, holder: &Holder, tasks: &[Task]) -> String {
        let place = holder.place().map(ToString::to_string).unwrap_or_default();
        let Some(owner) = holder.task(self) else { return "no longer held".to_string() };
        let task = &tasks[owner.slot()];
        let mut text = format!("held since {place} by {}", task.shown_name());
        if let State::Blocked(wait) = &task.state {
            let _ = write!(text, ", which {} at {}", verb(wait.kind), wait.place);
        }
        text
    }
}

/// Tasks of one name that do the same.
struct Line {
    name: String,
    count: u32,
    what: String,
    /// When the first of these tasks began to wait, in virtual time.
    since_ns: Option<u64>,
    more: String,
}

impl Line {
    fn joins(&self, other: &Line) -> bool {
        (&self.name, &self.what, &self.more) == (&other.name, &other.what, &other.more)
    }

    fn add(&mut self, other: &Line) {
        self.count += other.count;
        self.since_ns = self.since_ns.min(other.since_ns);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.count > 1 {
            write!(f, " x{}", self.count)?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(since_ns) = self.since_ns {
            let first = if self.count > 1 { "the first since" } else { "since" };
            write!(f, ", {first} {:.6} s", seconds(since_ns))?;
        }
        f.write_str(&self.more)
    }
}

fn seconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64()
}

pub(super) fn verb(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Lock(_) => "waits for a lock",
        WaitKind::Condvar => "waits for a condition",
        WaitKind::Send => "waits to send",
        WaitKind::Recv => "waits to receive",
        WaitKind::Sleep => "sleeps",
        WaitKind::Park => "waits for a future",
        WaitKind::Stall => "is stalled by the schedule",
    }
}

thread_local! {
    static BACKTRACES: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// What [`callers_line`] returns if no line is known.
pub(super) const NO_LINE: &str = "unknown";

/// The innermost line of the current task that belongs neither to std nor to the runtime.
pub(super) fn callers_line() -> String {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    // The thread's own stack follows the task's, whose outermost function has this name.
    let task = trace.split("stack_init_trampoline").next().unwrap_or_default();
    let foreign = ["/rustc/", "runtime/sim/", "src/runtime/", ".cargo/registry", "libc"];
    let mut lines = task.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    let line = lines.find(|line| !foreign.iter().any(|part| line.contains(part)));
    line.unwrap_or(NO_LINE).trim_start_matches("./").to_string()
}

impl Sim {
    /// The backtraces of all tasks, as a debugger would show threads.
    pub(in crate::runtime) fn backtraces(&self) -> String {
        let me = self.current.get();
        self.note_backtrace();
        self.dumping.set(true);
        let slots = self.tasks.borrow().len();
        for slot in 0..slots {
            let id = TaskId(u32::try_from(slot).expect("slots fit 32 bits"));
            let suspended = self.tasks.borrow_mut()[slot].coroutine.take();
            let Some(mut coroutine) = suspended else { continue };
            if coroutine.started() {
                self.current.set(id);
                // The task notes its backtrace and suspends again, and does nothing else.
                coroutine.resume(());
            }
            self.tasks.borrow_mut()[slot].coroutine = Some(coroutine);
        }
        self.current.set(me);
        self.dumping.set(false);
        BACKTRACES.with(|text| std::mem::take(&mut *text.borrow_mut()))
    }

    pub(super) fn note_backtrace(&self) {
        let trace = std::backtrace::Backtrace::force_capture();
        let name = self.task_name();
        BACKTRACES.with(|text| {
            let _ = writeln!(text.borrow_mut(), "task {name}:\n{trace}");
        });
    }
}
