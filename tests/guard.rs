//! The guard: code that asks the machine in a simulation gets the seed's answer or a named failure.
#![cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "these are the very things that the guard catches"
)]

mod linked;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::{self, Outcome, RunConfig, thread, time::Instant};

raftlab::guard!();

fn virtual_run<T: Send + 'static>(
    seed: u64,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    runtime::run(&RunConfig { seed, ..RunConfig::default() }, main)
}

#[test]
fn all_of_its_functions_are_ours() {
    let functions = linked::functions();
    let foreign: Vec<_> = functions.iter().filter(|it| !it.is_in_the_executable()).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn a_foreign_clock_shows_virtual_time() {
    let outcome = virtual_run(1, || {
        let (foreign, wall, ours) =
            (std::time::Instant::now(), std::time::SystemTime::now(), Instant::now());
        thread::sleep(Duration::from_secs(100));
        (foreign.elapsed(), wall.elapsed().unwrap(), ours.elapsed())
    });
    let (foreign, wall, ours) = outcome.result.unwrap();
    for other in [foreign, wall] {
        assert!(other.abs_diff(ours) < Duration::from_millis(1), "{other:?} instead of {ours:?}");
    }
}

#[test]
fn a_foreign_sleep_is_virtual_and_others_run_meanwhile() {
    let outcome = virtual_run(1, || {
        let task = thread::spawn("other", || {
            thread::sleep(Duration::from_secs(1));
            Instant::now()
        });
        std::thread::sleep(Duration::from_secs(1000));
        (task.join(), Instant::now())
    });
    assert!(outcome.cpu < Duration::from_secs(1), "a sleep cost real time");
    let (early, late) = outcome.result.unwrap();
    assert!(late - early > Duration::from_secs(990), "the other task did not run meanwhile");
}

#[test]
fn a_loop_on_a_foreign_clock_ends() {
    let outcome = virtual_run(1, || {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(50) {}
    });
    assert!(outcome.result.is_ok(), "{outcome:?}");
}

#[test]
fn the_order_of_a_hash_map_follows_from_the_seed() {
    let order = |seed| {
        let run = move || {
            let map: HashMap<u32, ()> = (0..100).map(|key| (key, ())).collect();
            map.into_keys().collect::<Vec<_>>()
        };
        virtual_run(seed, run).result.unwrap()
    };
    assert_eq!(order(1), order(1), "one seed, two orders");
    assert_ne!(order(1), order(2), "two seeds, one order");
}

#[test]
fn a_foreign_wait_is_a_failure_with_the_task_and_the_line() {
    let outcome = virtual_run(1, || {
        let pair = Arc::new((std::sync::Mutex::new(()), std::sync::Condvar::new()));
        thread::spawn("student", move || {
            let guard = pair.0.lock().unwrap();
            drop(pair.1.wait(guard));
        });
        thread::sleep(Duration::from_secs(1));
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.name.as_str(), failure.task.as_str()), ("foreign_wait", "student"));
    assert!(failure.place.contains("guard.rs"), "{failure}");
    assert_eq!(outcome.tasks_left, 1, "the task cannot be unwound and is counted");
}

#[test]
fn a_foreign_thread_is_a_failure() {
    let outcome = virtual_run(1, || {
        std::thread::spawn(|| {});
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.name, "foreign_thread");
    assert!(failure.place.contains("guard.rs"), "{failure}");
}
