//! One simulation from start to end, on an OS thread of its own.

use std::cell::RefCell;
use std::os::unix::thread::JoinHandleExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Entered, Sim, Trace, signals};
use crate::runtime::outcome::{Failure, FailureKind, Outcome, RunConfig};
use crate::runtime::thread_cpu_ns;

/// How often the caller looks whether the simulation still gets on.
const LOOK: Duration = Duration::from_secs(1);

/// A simulation that uses this much CPU time without getting on spins, and is given up.
const SPIN_MAX: Duration = Duration::from_secs(5);

/// Runs `main` in a simulation; returns when all its tasks have ended.
///
/// # Panics
/// When the operating system has no thread to give.
pub(in crate::runtime) fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    run_on_fresh_thread(config, false, main).0
}

/// As [`run`], with every event noted.
pub(in crate::runtime) fn run_traced<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> (Outcome<T>, Trace) {
    run_on_fresh_thread(config, true, main)
}

fn run_on_fresh_thread<T: Send + 'static>(
    config: &RunConfig,
    traced: bool,
    main: impl FnOnce() -> T + Send + 'static,
) -> (Outcome<T>, Trace) {
    let heartbeat = Arc::new(AtomicU64::new(0));
    let theirs = heartbeat.clone();
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let config = config.clone();
    let thread = std::thread::Builder::new()
        .name("simulation".to_string())
        .spawn(move || {
            let outcome = simulate(&config, traced, theirs, main);
            // The receiver is gone only when the caller has given this run up.
            let _ = sender.send(outcome);
        })
        .expect("the operating system gives a thread");
    let mut last_beat = 0;
    let mut cpu_at_beat = Duration::ZERO;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(outcome) => {
                // Everything the thread had is gone when the next run begins.
                let _ = thread.join();
                return outcome;
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                let beat = heartbeat.load(Ordering::Relaxed);
                let cpu = signals::cpu_of(thread.as_pthread_t());
                if beat != last_beat {
                    (last_beat, cpu_at_beat) = (beat, cpu);
                } else if cpu.saturating_sub(cpu_at_beat) > SPIN_MAX {
                    let spinner = signals::ask(thread.as_pthread_t());
                    return (given_up(beat, spinner), Trace::new());
                }
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
                let payload = thread.join().err();
                std::panic::resume_unwind(payload.expect("a thread without a result panicked"));
            }
        }
    }
}

fn simulate<T: 'static>(
    config: &RunConfig,
    traced: bool,
    heartbeat: Arc<AtomicU64>,
    main: impl FnOnce() -> T + 'static,
) -> (Outcome<T>, Trace) {
    signals::install();
    let mut sim = Sim::new(config, heartbeat);
    sim.trace = traced.then(Default::default);
    let entered = Entered::new(&sim);
    let answer = std::rc::Rc::new(RefCell::new(None));
    let slot = answer.clone();
    let job = move || {
        let value = main();
        *slot.borrow_mut() = Some(value);
        super::current().expect("main runs in its simulation").end();
    };
    sim.add_task("main".into(), None, Box::new(job));
    while let Some(next) = sim.next.take().or_else(|| sim.pick()) {
        sim.resume(next);
    }
    let tasks_left = sim.forget_leftovers();
    let value = answer.borrow_mut().take();
    let result = match (sim.failure.take(), value) {
        (None, Some(value)) => Ok(value),
        (Some(failure), _) => Err(failure),
        (None, None) => unreachable!("a run ends with a result or a failure"),
    };
    let outcome = Outcome {
        result,
        hash: sim.hash.get(),
        elapsed: Duration::from_nanos(sim.now_ns.get()),
        cpu: Duration::from_nanos(thread_cpu_ns()),
        points: sim.points.get(),
        switches: sim.switches.get(),
        tasks_left,
    };
    drop(entered);
    (outcome, sim.trace.take().map(RefCell::into_inner).unwrap_or_default())
}

/// What is said of a simulation that spins without passing a point. Its OS thread is left behind.
fn given_up<T>(points: u64, spinner: Option<signals::Spinner>) -> Outcome<T> {
    let unknown = || "unknown".to_string();
    let message = format!(
        "a task has used {SPIN_MAX:?} of CPU time without a scheduling point (the last one was \
         number {points} or later): wait on a condition, a channel or a sleep instead"
    );
    let failure = Failure {
        kind: FailureKind::Livelock,
        name: "spin".to_string(),
        message,
        task: spinner.as_ref().map_or_else(unknown, |spinner| spinner.task.clone()),
        label: None,
        place: spinner.as_ref().map_or_else(unknown, |spinner| spinner.place.clone()),
        at: spinner.map_or(Duration::ZERO, |spinner| spinner.at),
    };
    Outcome {
        result: Err(failure),
        hash: 0,
        elapsed: Duration::ZERO,
        cpu: Duration::ZERO,
        points,
        switches: 0,
        tasks_left: 1,
    }
}
