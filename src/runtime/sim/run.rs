//! One simulation from start to end, on an OS thread of its own.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::ending::HandOver;
use super::limits::{NO_STACK, describe_overflow};
use super::task::{Job, Start};
use super::watch::{Heartbeat, LOOK, Watch, halted_here};
use super::{Entered, Sim, Trace};
use crate::runtime::base::aborts;
use crate::runtime::base::here::Here;
use crate::runtime::base::kept::Choices;
use crate::runtime::base::outcome::{Failure, FailureKind, Outcome, RunConfig, SchedulerNotes};
use crate::runtime::platform::{self, Watched};

/// Maximum time that an OS thread may take to end after its simulation. The thread then drops the
/// values that student code keeps in `thread_local!`, and their destructors may wait for ever.
const EXIT_MAX: Duration = Duration::from_secs(10);

/// Runs `main` in a simulation; returns when all its tasks have ended.
pub(in crate::runtime) fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    run_on_fresh_thread(config, false, LOOK, main).0
}

/// Runs `main` as [`run`] does, and also returns every event of the run.
pub(in crate::runtime) fn run_traced<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> (Outcome<T>, Trace) {
    run_on_fresh_thread(config, true, LOOK, main)
}

fn run_on_fresh_thread<T: Send + 'static>(
    config: &RunConfig,
    traced: bool,
    look: Duration,
    main: impl FnOnce() -> T + Send + 'static,
) -> Answer<T> {
    let heartbeat = Arc::new(Heartbeat::default());
    let watched = Arc::new(OnceLock::new());
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let (living, gone) = crossbeam_channel::bounded(1);
    let (config, theirs) = (config.clone(), (heartbeat.clone(), watched.clone()));
    let thread = std::thread::Builder::new().name("simulation".to_string()).spawn(move || {
        LIVING.set(Some(Living(living)));
        aborts::abandon_instead_of_abort(abandon_thread);
        let (heartbeat, watched) = theirs;
        let _ = watched.set(Watched::this_thread(halted_here));
        let _overflows = platform::name_overflows(describe_overflow);
        simulate(&config, traced, heartbeat, sender, main);
        platform::instead_of_abort(lose_ended_thread);
    });
    let thread = match thread {
        Ok(thread) => thread,
        Err(error) => {
            return (lost(format!("no thread for the simulation: {error}")), Trace::new());
        }
    };
    let mut watch = Watch::default();
    loop {
        match receiver.recv_timeout(look) {
            Ok((mut outcome, trace)) => {
                // The next run must not begin before the simulation's thread has dropped
                // everything.
                if !outcome.thread_left && ends(&gone) {
                    let _ = thread.join();
                } else {
                    outcome.thread_left = true;
                }
                return (outcome, trace);
            }
            Err(RecvTimeoutError::Timeout) => {
                let cpu = watched.get().and_then(Watched::cpu);
                if let Some(halt) = watch.look(heartbeat.latest(), cpu) {
                    heartbeat.give_up();
                    return (watch.give_up(halt, watched.get()), Trace::new());
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = "the simulation has panicked: a bug of the runtime, please report it";
                return (lost(why.to_string()), Trace::new());
            }
        }
    }
}

thread_local! {
    /// The first `thread_local!` of a simulation's OS thread, and so the last to be dropped.
    static LIVING: Cell<Option<Living>> = const { Cell::new(None) };
}

/// Tells the caller of a run that the run's OS thread has ended, or that it never will.
struct Living(Sender<()>);

impl Drop for Living {
    fn drop(&mut self) {
        platform::abort_after_all();
    }
}

/// Waits until the OS thread with the other end of `gone` has ended; false if that takes too long.
fn ends(gone: &Receiver<()>) -> bool {
    gone.recv_timeout(EXIT_MAX) == Err(RecvTimeoutError::Disconnected)
}

/// Ends the simulation of this OS thread as failed. The thread calls this function in place of an
/// abort.
fn abandon_thread() -> ! {
    if let Some(sim) = super::current() {
        sim.abandon_thread();
    }
    aborts::park_for_good()
}

/// Parks for good an OS thread that would abort after its simulation is over.
///
/// It would abort because the destructor of a value in a student's `thread_local!` has panicked.
fn lose_ended_thread() -> ! {
    if let Some(living) = LIVING.take() {
        let _ = living.0.send(());
    }
    aborts::park_for_good()
}

/// The outcome of a run that could not begin or continue.
fn lost<T>(why: String) -> Outcome<T> {
    Outcome {
        result: Err(no_task("main", why)),
        hash: 0,
        elapsed: Duration::ZERO,
        cpu: Duration::ZERO,
        points: 0,
        switches: 0,
        tasks_left: 0,
        thread_left: false,
        notes: SchedulerNotes::default(),
        choices: Choices::default(),
    }
}

/// The outcome and the events that a simulation sends to the thread that waits for it.
type Answer<T> = (Outcome<T>, Trace);

/// Runs a simulation on the calling OS thread, and sends its outcome.
fn simulate<T: 'static>(
    config: &RunConfig,
    traced: bool,
    heartbeat: Arc<Heartbeat>,
    sender: Sender<Answer<T>>,
    main: impl FnOnce() -> T + 'static,
) {
    let mut sim = Sim::new(config, heartbeat);
    sim.trace = traced.then(Default::default);
    sim.hand_over.set(Some(hand_over(sender.clone())));
    let entered = Entered::new(&sim);
    let value = Rc::new(Cell::new(None));
    let slot = value.clone();
    let job = move || {
        slot.set(Some(main()));
        super::current().expect("main runs in its simulation").end();
    };
    sim.run_task("main", Box::new(job));
    let (mut outcome, unused) = sim.outcome(value.take());
    sim.clean_up(unused);
    outcome.tasks_left = sim.tasks_left();
    drop(entered);
    drop(sim.hand_over.take());
    let trace = sim.trace.take().map(RefCell::into_inner).unwrap_or_default();
    // The receiver is gone only if the caller has given up this run.
    let _ = sender.send((outcome, trace));
}

/// Makes the function that sends the outcome of a simulation whose OS thread is lost. Such an
/// outcome is a failure.
fn hand_over<T: 'static>(sender: Sender<Answer<T>>) -> HandOver {
    Box::new(move |sim| {
        let (mut outcome, _) = sim.outcome(None);
        outcome.thread_left = true;
        let _ = sender.send((outcome, Trace::new()));
    })
}

impl Sim {
    /// Starts a task without a label and runs until every task has ended or was given up.
    fn run_task(&self, name: &str, job: Job) {
        let start = Start { name: name.into(), label: None, origin: Location::caller() };
        if let Err(job) = self.add_task(start, job) {
            self.end_with(no_task(name, NO_STACK.to_string()));
            std::mem::forget(job);
        }
        while let Some(next) = self.next.take().or_else(|| self.pick()) {
            self.resume(next);
        }
    }

    /// Returns the run's outcome. If the run failed although `main` returned a value, also returns
    /// that value.
    fn outcome<T>(&self, value: Option<T>) -> (Outcome<T>, Option<T>) {
        let (result, unused) = match (self.failure.borrow().clone(), value) {
            (None, Some(value)) => (Ok(value), None),
            (Some(failure), unused) => (Err(failure), unused),
            (None, None) => unreachable!("a run ends with a result or a failure"),
        };
        let outcome = Outcome {
            result,
            hash: self.hash.get(),
            elapsed: Duration::from_nanos(self.ended_ns.get()),
            cpu: Duration::from_nanos(platform::thread_cpu_ns()),
            points: self.points.get(),
            switches: self.switches.get(),
            tasks_left: self.tasks_left(),
            thread_left: false,
            notes: self.notes.take(),
            choices: self.explorer.borrow().choices_made(),
        };
        (outcome, unused)
    }

    /// Drops the values that the run still has. This happens in a task, since their destructors may
    /// lock and wait.
    fn clean_up<T: 'static>(&self, unused: Option<T>) {
        let values = self.shared.take_values();
        if unused.is_some() || !values.is_empty() {
            self.run_task("cleanup", Box::new(move || drop((unused, values))));
            // Values that those destructors set are leaked: no run is left to drop them in.
            std::mem::forget(self.shared.take_values());
        }
    }
}

/// The failure of a run whose task `name` could not be started.
fn no_task(name: &str, message: String) -> Failure {
    let here = Here { task: name.to_string(), label: None, at: Duration::ZERO };
    here.failure(FailureKind::Limit, "machine", message)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// The failure of a run that halts and is watched at short intervals.
    fn halted(main: impl FnOnce() + Send + 'static) -> (FailureKind, String) {
        let look = Duration::from_millis(20);
        let (outcome, _) = run_on_fresh_thread(&RunConfig::default(), false, look, main);
        let failure = outcome.result.expect_err("it never ends");
        (failure.kind, failure.name)
    }

    #[test]
    fn a_task_that_the_machine_keeps_waiting_ends_the_run() {
        let (mut reader, writer) = std::io::pipe().expect("the machine has a pipe");
        let (kind, name) = halted(move || {
            let _ = reader.read(&mut [0]);
        });
        let expected = match Watched::this_thread(halted_here).cpu() {
            Some(_) => (FailureKind::Deadlock, "blocked"),
            None => (FailureKind::Livelock, "standstill"),
        };
        assert_eq!((kind, name.as_str()), expected);
        drop(writer);
    }
}
