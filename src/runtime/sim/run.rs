//! One simulation from start to end, on an OS thread of its own.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::platform::{self, Watched};
use super::watch::{LOOK, Watch};
use super::{Entered, Sim, Trace};
use crate::runtime::outcome::{Outcome, RunConfig};
use crate::runtime::thread_cpu_ns;

/// Runs `main` in a simulation; returns when all its tasks have ended.
///
/// # Panics
/// When the operating system has no thread to give.
pub(in crate::runtime) fn run<T: Send + 'static>(
    config: &RunConfig,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    run_on_fresh_thread(config, false, LOOK, main).0
}

/// As [`run`], with every event noted.
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
) -> (Outcome<T>, Trace) {
    let heartbeat = Arc::new(AtomicU64::new(0));
    let watched = Arc::new(OnceLock::new());
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let (config, theirs) = (config.clone(), (heartbeat.clone(), watched.clone()));
    let thread = std::thread::Builder::new()
        .name("simulation".to_string())
        .spawn(move || {
            let (heartbeat, watched) = theirs;
            let _ = watched.set(Watched::this_thread());
            let _overflows = platform::name_overflows();
            let outcome = simulate(&config, traced, heartbeat, main);
            // The receiver is gone only when the caller has given this run up.
            let _ = sender.send(outcome);
        })
        .expect("the operating system gives a thread");
    let mut watch = Watch::default();
    loop {
        match receiver.recv_timeout(look) {
            Ok(outcome) => {
                // Everything the thread had is gone when the next run begins.
                let _ = thread.join();
                return outcome;
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                let cpu = watched.get().and_then(Watched::cpu);
                if let Some(halt) = watch.look(heartbeat.load(Ordering::Relaxed), cpu) {
                    return (watch.give_up(halt, watched.get()), Trace::new());
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::runtime::FailureKind;

    /// The failure of a run in which nothing happens, looked at often.
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
        let expected = match platform::Watched::this_thread().cpu() {
            Some(_) => (FailureKind::Deadlock, "blocked"),
            None => (FailureKind::Livelock, "standstill"),
        };
        assert_eq!((kind, name.as_str()), expected);
        drop(writer);
    }
}
