//! The real clock: OS threads in wall time, tied together as one run.

mod account;
mod park;
mod pool;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::context::{self, RealTask};
use super::local::Shared;
use super::outcome::{Failure, FailureKind, Outcome, RunConfig};
use super::panics::{self, Over};

pub(super) use park::Parker;

/// How long tasks that are left over may take to notice that the run is over.
const LEFT_OVER_MAX: Duration = Duration::from_secs(20);

/// How often a task that waits without a deadline looks whether its run is over.
pub(super) const OVER_CHECK: Duration = Duration::from_millis(500);

/// What the tasks of one run on the real clock share.
pub(super) struct RealRun {
    pub(super) shared: Shared,
    started_ns: u64,
    over: AtomicBool,
    cpu_ns: AtomicU64,
    state: parking_lot::Mutex<State>,
    /// Signalled when the run is over: sleepers wait on it.
    over_signal: parking_lot::Condvar,
    /// Signalled when a task ends.
    task_ended: parking_lot::Condvar,
}

struct State {
    failure: Option<Failure>,
    tasks: u32,
}

/// Runs `main` on a fresh OS thread; returns when all tasks of the run have ended.
pub(super) fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    let run = Arc::new(RealRun::new(config));
    let answer = Arc::new(parking_lot::Mutex::new(None));
    let slot = answer.clone();
    run.spawn("main".into(), None, move || {
        let value = main();
        *slot.lock() = Some(value);
        context::with_real(|task| task.run.end());
    });
    run.wait_until_over(config.elapsed_max);
    let tasks_left = run.wait_for_tasks();
    let elapsed = Duration::from_nanos(context::wall_ns().saturating_sub(run.started_ns));
    let failure = run.state.lock().failure.take();
    let value = answer.lock().take();
    let result = match (failure, value) {
        (None, Some(value)) => Ok(value),
        (Some(failure), _) => Err(failure),
        (None, None) => Err(run.failure_now(
            FailureKind::Deadlock,
            "main_never_ended",
            format!("main still had not ended {LEFT_OVER_MAX:?} after the run was over"),
        )),
    };
    Outcome {
        result,
        hash: 0,
        elapsed,
        cpu: Duration::from_nanos(run.cpu_ns.load(Ordering::Relaxed)),
        points: 0,
        switches: 0,
        tasks_left,
    }
}

impl RealRun {
    fn new(config: &RunConfig) -> RealRun {
        RealRun {
            shared: Shared::new(config.seed, config.record),
            started_ns: context::wall_ns(),
            over: AtomicBool::new(false),
            cpu_ns: AtomicU64::new(0),
            state: parking_lot::Mutex::new(State { failure: None, tasks: 0 }),
            over_signal: parking_lot::Condvar::new(),
            task_ended: parking_lot::Condvar::new(),
        }
    }

    pub(super) fn started_ns(&self) -> u64 {
        self.started_ns
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Starts an OS thread as a task of this run.
    pub(super) fn spawn(
        self: &Arc<RealRun>,
        name: Arc<str>,
        label: Option<u32>,
        job: impl FnOnce() + Send + 'static,
    ) {
        let task = self.enter(name.clone(), label);
        std::thread::Builder::new()
            .name(name.to_string())
            .spawn(move || {
                let started_ns = super::thread_cpu_ns();
                run_as(task, job, |run| {
                    run.used_cpu(super::thread_cpu_ns().saturating_sub(started_ns));
                });
            })
            .expect("the operating system gives a thread");
    }

    /// Runs `job` on a thread of the elastic pool as a task of this run.
    pub(super) fn go(
        self: &Arc<RealRun>,
        name: Arc<str>,
        label: Option<u32>,
        job: impl FnOnce() + Send + 'static,
    ) {
        let task = self.enter(name, label);
        pool::go((task, Box::new(job)));
    }

    fn enter(self: &Arc<RealRun>, name: Arc<str>, label: Option<u32>) -> RealTask {
        self.state.lock().tasks += 1;
        RealTask { run: self.clone(), name, label }
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

    /// Declares the run over because of `failure`; only the first one counts.
    pub(super) fn record_failure(&self, failure: Failure) {
        let mut state = self.state.lock();
        if !self.is_over() {
            state.failure = Some(failure);
            self.over.store(true, Ordering::Relaxed);
            self.over_signal.notify_all();
        }
    }

    /// Sleeps for `span`, or until the run is over.
    pub(super) fn sleep(&self, span: Duration) {
        let deadline_ns = context::wall_ns().saturating_add(super::time::ns_of(span));
        let mut state = self.state.lock();
        while !self.is_over() {
            let now_ns = context::wall_ns();
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

    /// Waits for all tasks to end; how many have not within [`LEFT_OVER_MAX`].
    fn wait_for_tasks(&self) -> u32 {
        let give_up_ns = context::wall_ns() + super::time::ns_of(LEFT_OVER_MAX);
        let mut state = self.state.lock();
        while state.tasks > 0 && context::wall_ns() < give_up_ns {
            self.task_ended.wait_for(&mut state, OVER_CHECK);
        }
        state.tasks
    }

    fn failure_now(&self, kind: FailureKind, name: &str, message: String) -> Failure {
        Failure {
            kind,
            name: name.to_string(),
            message,
            task: "main".to_string(),
            label: None,
            place: String::new(),
            at: Duration::from_nanos(context::wall_ns().saturating_sub(self.started_ns)),
        }
    }
}

/// Runs `job` as `task` and turns a panic into the run's failure. `account` credits the CPU time,
/// before the task counts as ended.
fn run_as(task: RealTask, job: impl FnOnce(), account: impl FnOnce(&RealRun)) {
    let run = task.run.clone();
    context::as_real_task(task, || {
        let Err(payload) = catch_unwind(AssertUnwindSafe(job)) else { return };
        if !payload.is::<Over>() {
            run.record_failure(panics::failure_of(&*payload));
        }
    });
    account(&run);
    run.leave();
}

/// Unwinds the task if its run is over; for every place where a task has just waited.
pub(super) fn unwind_if_over() {
    let over = context::with_real(|task| task.run.is_over()).unwrap_or(false);
    if over && !std::thread::panicking() {
        panics::unwind_task();
    }
}
