//! The real clock: OS threads in wall time, tied together as one run.
//!
//! Files: [`task`] (what an OS thread knows of its task), [`pool`] (threads for short tasks),
//! [`account`] (their CPU time), [`park`] (wakers), [`chan`] (channels), [`over`] (how a task
//! notices that its run is over).

mod account;
mod chan;
mod over;
mod park;
mod pool;
mod task;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::base::aborts;
use super::base::here::Here;
use super::base::instant::{ns_of, wall_ns};
use super::base::kept::Choices;
use super::base::outcome::{Failure, FailureKind, Outcome, RunConfig, SchedulerNotes};
use super::base::panics::{self, Over};
use super::base::shared::Shared;
use super::platform::thread_cpu_ns;

use over::{OVER_CHECK, leave};
use task::{RealTask, as_task};

pub(super) use chan::{recv, send, try_recv, try_send};
pub(super) use over::{end_task_if_over, unwind_if_over, unwind_unless_leaving, wait_max};
pub(super) use park::Parker;
pub(super) use task::{in_task, parker, set_label, with_notes, with_task, with_wake_ups};

/// Maximum time that the remaining tasks may take to end after the run is over.
const LEFT_OVER_MAX: Duration = Duration::from_secs(20);

/// Maximum number of tasks that a run may still start after it is over.
const SPAWNED_AT_END_MAX: u32 = 10_000;

/// The state that the tasks of one run on the real clock share.
pub(super) struct RealRun {
    pub(super) shared: Shared,
    started_ns: u64,
    over: AtomicBool,
    cpu_ns: AtomicU64,
    tasks_max: u32,
    state: parking_lot::Mutex<State>,
    /// Signalled when the run is over: sleepers wait on it.
    over_signal: parking_lot::Condvar,
    /// Signalled when a task ends.
    task_ended: parking_lot::Condvar,
}

#[derive(Default)]
struct State {
    failure: Option<Failure>,
    /// Number of tasks that may still end.
    tasks: u32,
    /// Number of tasks that never end: their threads are parked for good or their closures leaked.
    lost: u32,
    /// Number of tasks started since the run ended.
    spawned_at_end: u32,
}

/// Runs `main` on a fresh OS thread; returns when all tasks of the run have ended.
pub(super) fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    let run = Arc::new(RealRun::new(config));
    let answer = Arc::new(parking_lot::Mutex::new(None));
    let slot = answer.clone();
    let job = move || {
        let value = main();
        *slot.lock() = Some(value);
        with_task(|task| task.run.end());
    };
    if let Err(error) = run.start("main".into(), None, Box::new(job)) {
        run.record_failure(run.no_thread(&error));
    }
    run.wait_until_over(config.elapsed_max);
    let stuck = run.wait_for_tasks(0);
    let elapsed = run.elapsed();
    let failure = run.state.lock().failure.take();
    let value = answer.lock().take();
    let (result, unused) = match (failure, value) {
        (None, Some(value)) => (Ok(value), None),
        (Some(failure), unused) => (Err(failure), unused),
        (None, None) => (
            Err(run.failure_now(
                FailureKind::Deadlock,
                "main_never_ended",
                format!("main still had not ended {LEFT_OVER_MAX:?} after the run was over"),
            )),
            None,
        ),
    };
    let tasks_left = run.clean_up(unused, stuck);
    Outcome {
        result,
        hash: 0,
        elapsed,
        cpu: Duration::from_nanos(run.cpu_ns.load(Ordering::Relaxed)),
        points: 0,
        switches: 0,
        tasks_left,
        thread_left: tasks_left > 0,
        notes: SchedulerNotes::default(),
        choices: Choices::default(),
    }
}

impl RealRun {
    fn new(config: &RunConfig) -> RealRun {
        RealRun {
            shared: Shared::new(config.seed, config.record),
            started_ns: wall_ns(),
            over: AtomicBool::new(false),
            cpu_ns: AtomicU64::new(0),
            tasks_max: config.tasks_max.max(1),
            state: parking_lot::Mutex::default(),
            over_signal: parking_lot::Condvar::new(),
            task_ended: parking_lot::Condvar::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Starts an OS thread as a task of this run.
    pub(super) fn spawn(
        self: &Arc<RealRun>,
        name: Arc<str>,
        label: Option<u32>,
        job: pool::Closure,
    ) {
        if let Err(error) = self.start(name, label, job) {
            self.fail(self.no_thread(&error));
        }
    }

    /// Starts a task as [`RealRun::spawn`] does, but returns an error instead of failing the run.
    fn start(
        self: &Arc<RealRun>,
        name: Arc<str>,
        label: Option<u32>,
        job: pool::Closure,
    ) -> std::io::Result<()> {
        let Some(task) = self.enter(name.clone(), label) else {
            std::mem::forget(job);
            return Ok(());
        };
        let spawned = std::thread::Builder::new().name(text_of(&name)).spawn(move || {
            aborts::abandon_instead_of_abort(abandon_thread);
            let started_ns = thread_cpu_ns();
            run_as(task, job, |run| {
                run.used_cpu(thread_cpu_ns().saturating_sub(started_ns));
            });
        });
        spawned.map(drop).inspect_err(|_| self.leave())
    }

    /// Runs `job` on a thread of the elastic pool as a task of this run.
    pub(super) fn go(self: &Arc<RealRun>, name: Arc<str>, label: Option<u32>, job: pool::Closure) {
        let Some(task) = self.enter(name, label) else { return std::mem::forget(job) };
        if let Err(error) = pool::go((task, job)) {
            self.leave();
            self.fail(self.no_thread(&error));
        }
    }

    /// Counts one more task. `None`: the run is over and has started too many tasks since its end.
    fn enter(self: &Arc<RealRun>, name: Arc<str>, label: Option<u32>) -> Option<RealTask> {
        let mut state = self.state.lock();
        if self.is_over() {
            state.spawned_at_end += 1;
            if state.spawned_at_end > SPAWNED_AT_END_MAX {
                state.lost += 1;
                return None;
            }
        } else if state.tasks >= self.tasks_max {
            drop(state);
            self.fail_too_many_tasks(&name, label);
        }
        state.tasks += 1;
        Some(RealTask::new(self.clone(), name, label))
    }

    fn fail_too_many_tasks(&self, name: &str, label: Option<u32>) -> ! {
        let by = label.map(|label| format!(" by S{label}")).unwrap_or_default();
        let message = format!(
            "{} tasks live at once, which is the limit; the next one, {name}, was started{by}",
            self.tasks_max
        );
        self.fail(self.failure_now(FailureKind::Limit, "tasks_max", message))
    }

    fn no_thread(&self, error: &std::io::Error) -> Failure {
        let message = format!("the operating system gives no thread for another task: {error}");
        self.failure_now(FailureKind::Limit, "threads", message)
    }

    fn leave(&self) {
        self.state.lock().tasks -= 1;
        self.task_ended.notify_all();
    }

    fn used_cpu(&self, cpu_ns: u64) {
        self.cpu_ns.fetch_add(cpu_ns, Ordering::Relaxed);
    }

    /// Declares the run over, without a failure.
    fn end(&self) {
        let _state = self.state.lock();
        self.over.store(true, Ordering::Relaxed);
        self.over_signal.notify_all();
    }

    /// Declares the run over because of `failure`; only a run's first failure counts.
    pub(super) fn record_failure(&self, failure: Failure) {
        let mut state = self.state.lock();
        if !self.is_over() {
            state.failure = Some(failure);
            self.over.store(true, Ordering::Relaxed);
            self.over_signal.notify_all();
        }
    }

    /// Declares the run over because of `failure` and unwinds the current task.
    pub(super) fn fail(&self, failure: Failure) -> ! {
        self.record_failure(failure);
        if std::thread::panicking() {
            self.abandon_task();
        }
        panics::unwind_task()
    }

    /// Ends the run as failed in place of an abort of the process. Parks the OS thread for good.
    fn abandon_thread(&self, failure: Failure) -> ! {
        {
            let mut state = self.state.lock();
            state.failure.get_or_insert(failure);
        }
        self.end();
        self.abandon_task()
    }

    /// Parks the current OS thread for good, and counts its task as left.
    fn abandon_task(&self) -> ! {
        let mut state = self.state.lock();
        state.tasks -= 1;
        state.lost += 1;
        drop(state);
        self.task_ended.notify_all();
        aborts::park_for_good()
    }

    /// Sleeps for `span`, or until the run is over.
    pub(super) fn sleep(&self, span: Duration) {
        let deadline_ns = wall_ns().saturating_add(ns_of(span));
        let mut state = self.state.lock();
        while !self.is_over() {
            let now_ns = wall_ns();
            if now_ns >= deadline_ns {
                return;
            }
            let left = Duration::from_nanos(deadline_ns - now_ns);
            self.over_signal.wait_for(&mut state, left);
        }
    }

    fn wait_until_over(&self, elapsed_max: Duration) {
        self.sleep(elapsed_max);
        if !self.is_over() {
            let message = format!("the run took more than {elapsed_max:?} of wall time");
            self.record_failure(self.failure_now(FailureKind::Limit, "elapsed_max", message));
        }
    }

    /// Waits until at most `stuck` tasks are left, but no longer than [`LEFT_OVER_MAX`]. Returns
    /// the number of tasks left.
    fn wait_for_tasks(&self, stuck: u32) -> u32 {
        let give_up_ns = wall_ns() + ns_of(LEFT_OVER_MAX);
        let mut state = self.state.lock();
        while state.tasks > stuck && wall_ns() < give_up_ns {
            self.task_ended.wait_for(&mut state, OVER_CHECK);
        }
        state.tasks
    }

    /// Drops the values that the run still has, in a task: their destructors may lock and wait.
    /// Returns the number of tasks left.
    fn clean_up<T: Send + 'static>(self: &Arc<RealRun>, unused: Option<T>, stuck: u32) -> u32 {
        let values = self.shared.take_values();
        if unused.is_some() || !values.is_empty() {
            // If the system gives no thread, `start` drops the values here, outside of the run.
            let _ = self.start("cleanup".into(), None, Box::new(move || drop((unused, values))));
        }
        self.wait_for_tasks(stuck);
        // Values that those destructors set are leaked: no run is left to drop them in.
        std::mem::forget(self.shared.take_values());
        let state = self.state.lock();
        state.tasks + state.lost
    }

    fn failure_now(&self, kind: FailureKind, name: &str, message: String) -> Failure {
        let here = Here { task: "main".to_string(), label: None, at: self.elapsed() };
        here.failure(kind, name, message)
    }

    /// Time since the run began.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(wall_ns().saturating_sub(self.started_ns))
    }
}

/// Ends the run of this OS thread as failed. The thread calls this function in place of an abort.
fn abandon_thread() -> ! {
    if let Some(run) = with_task(|task| task.run.clone()) {
        let reason = aborts::take_reason();
        run.abandon_thread(reason.unwrap_or_else(|| panics::failure_by_abort(here(&run))));
    }
    aborts::park_for_good()
}

/// The current task, which is one of `run`, and the moment.
fn here(run: &RealRun) -> Here {
    let (task, label) = with_task(|task| (task.name.to_string(), task.label)).unwrap_or_default();
    Here { task, label, at: run.elapsed() }
}

/// Runs `job` as `task` and turns a panic into the run's failure.
///
/// `account` credits the CPU time, before the task counts as ended.
fn run_as(task: RealTask, job: pool::Closure, account: impl FnOnce(&RealRun)) {
    let run = task.run.clone();
    // The thread may have run other tasks before.
    with_notes(|notes| *notes = panics::Notes::new());
    as_task(task, || {
        let caught = catch_unwind(AssertUnwindSafe(|| match run.is_over() {
            // The run was over before the task began: its closure is only dropped.
            true => {
                leave();
                drop(job);
            }
            false => job(),
        }));
        if let Err(payload) = &caught
            && !(payload.is::<Over>() && run.is_over())
        {
            run.record_failure(with_notes(|notes| {
                panics::failure_of(&**payload, notes, here(&run))
            }));
        }
        leave();
        panics::drop_quietly((caught, with_wake_ups(std::mem::take)));
    });
    account(&run);
    run.leave();
}

/// The name for an OS thread, which must not contain a zero byte.
fn text_of(name: &str) -> String {
    name.replace('\0', "?")
}
