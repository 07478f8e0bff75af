//! The runtime's contract: every primitive, the same on both clocks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, FailureKind, RunConfig, channel, thread};

fn on_both_clocks<T: Send + 'static>(main: impl Fn() -> T + Clone + Send + 'static) -> Vec<T> {
    [Clock::Virtual, Clock::Real]
        .map(|clock| {
            let config = RunConfig { clock, ..RunConfig::default() };
            let outcome = runtime::run(&config, main.clone());
            assert_eq!(outcome.tasks_left, 0, "tasks were left on the {clock} clock");
            outcome.result.unwrap()
        })
        .into()
}

#[test]
fn rendezvous_waits_for_the_receiver() {
    on_both_clocks(|| {
        let (sender, receiver) = channel::bounded(0);
        let task = thread::spawn("sender", move || {
            let start = Instant::now();
            sender.send(1).unwrap();
            start.elapsed()
        });
        thread::sleep(Duration::from_millis(20));
        assert_eq!(receiver.recv(), Ok(1));
        assert!(task.join() >= Duration::from_millis(15), "the send did not wait");
    });
}

#[test]
fn left_over_tasks_are_unwound() {
    on_both_clocks(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        thread::spawn("waits for ever", move || {
            let mut guard = pair.0.lock();
            loop {
                pair.1.wait(&mut guard);
            }
        });
        thread::go(|| thread::sleep(Duration::from_secs(1000)));
    });
}

#[test]
fn a_failure_in_any_task_ends_the_run() {
    let config = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    let outcome = runtime::run(&config, || {
        thread::go(|| runtime::fail(FailureKind::Observer, "Rule", "broken".to_string()));
        thread::sleep(Duration::from_secs(1000));
    });
    assert_eq!(outcome.result.unwrap_err().name, "Rule");
}
#[test]
fn block_on_sleeps() {
    on_both_clocks(|| {
        let start = Instant::now();
        runtime::block_on(async { runtime::time::sleep(Duration::from_millis(30)).await });
        assert!(start.elapsed() >= Duration::from_millis(30));
    });
}

#[test]
fn a_send_gives_its_message_back_when_nobody_receives_in_time() {
    on_both_clocks(|| {
        let (sender, _receiver) = channel::bounded(0);
        let begun = Instant::now();
        let sent = sender.send_timeout(7, Duration::from_millis(20));
        assert_eq!(sent, Err(channel::SendTimeoutError::Timeout(7)));
        assert!(begun.elapsed() >= Duration::from_millis(20), "gave up too early");
    });
}

fn virtual_run<T: Send + 'static>(
    seed: u64,
    main: impl FnOnce() -> T + Send + 'static,
) -> runtime::Outcome<T> {
    runtime::run(&RunConfig { seed, ..RunConfig::default() }, main)
}

#[test]
fn one_hour_passes_at_once_on_the_virtual_clock() {
    let outcome = virtual_run(1, || {
        let start = Instant::now();
        thread::sleep(Duration::from_secs(3600));
        start.elapsed()
    });
    assert!(outcome.result.as_ref().unwrap() >= &Duration::from_secs(3600));
    assert!(outcome.cpu < Duration::from_secs(1), "{outcome:?}");
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let storm = |seed| {
        virtual_run(seed, || {
            let total = Arc::new(Mutex::new(0_u64));
            let tasks: Vec<_> = (0..10)
                .map(|i| {
                    let total = total.clone();
                    thread::spawn(format!("t{i}"), move || {
                        for _ in 0..100 {
                            *total.lock() += 1;
                            thread::yield_now();
                        }
                    })
                })
                .collect();
            tasks.into_iter().for_each(thread::JoinHandle::join);
            *total.lock()
        })
    };
    let hashes: Vec<u64> = (0..10).map(|seed| storm(seed).hash).collect();
    for (seed, hash) in hashes.iter().enumerate() {
        let again = storm(seed as u64);
        assert_eq!(again.hash, *hash, "seed {seed} took another course");
        assert_eq!(again.result.unwrap(), 1000);
        assert_eq!(again.tasks_left, 0);
    }
    let mut distinct = hashes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), hashes.len(), "two seeds took one course");
}

#[test]
fn two_locks_taken_in_two_orders_are_reported_with_names_and_lines() {
    let failures: Vec<_> = (0..50)
        .filter_map(|seed| {
            virtual_run(seed, || {
                let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
                let (a2, b2) = (a.clone(), b.clone());
                let one = thread::spawn("one", move || {
                    let _a = a.lock();
                    let _b = b.lock();
                });
                let two = thread::spawn("two", move || {
                    let _b = b2.lock();
                    let _a = a2.lock();
                });
                one.join();
                two.join();
            })
            .result
            .err()
        })
        .collect();
    let failure = failures.first().expect("none of 50 seeds met the deadlock");
    assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Deadlock, "lock_cycle"));
    for part in ["one", "two", "tests/runtime.rs:"] {
        assert!(failure.message.contains(part), "no {part} in: {failure}");
    }
}

#[test]
fn a_lost_wake_up_is_reported_with_the_task_and_the_line() {
    let outcome = virtual_run(1, || {
        let pair = (Mutex::new(()), Condvar::new());
        let mut guard = pair.0.lock();
        pair.1.wait(&mut guard);
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.name, "all_blocked");
    assert!(
        failure.message.contains("main: waits for a condition at tests/runtime.rs:"),
        "{failure}"
    );
}

#[test]
fn a_lock_that_is_never_given_back_is_reported_though_tickers_live() {
    let outcome = virtual_run(1, || {
        let mutex = Arc::new(Mutex::new(()));
        let (sender, receiver) = channel::bounded::<()>(0);
        let theirs = mutex.clone();
        thread::spawn("apply", move || {
            let _guard = theirs.lock();
            let _ = sender.send(());
        });
        thread::spawn("ticker", || {
            loop {
                thread::sleep(Duration::from_millis(100));
            }
        });
        thread::sleep(Duration::from_secs(1));
        drop(mutex.lock());
        drop(receiver);
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.name, "lock_wait");
    assert!(failure.message.contains("by apply, which waits to send at"), "{failure}");
    println!("{failure}");
}

#[test]
fn memory_stays_flat() {
    let rss = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4
    };
    let batch = |from: u64| {
        for seed in from..from + 500 {
            let outcome = virtual_run(seed, || {
                for i in 0..20 {
                    thread::spawn(format!("sleeper {i}"), move || {
                        thread::sleep(Duration::from_secs(i))
                    });
                }
                thread::sleep(Duration::from_secs(10));
            });
            assert_eq!(outcome.tasks_left, 0);
        }
    };
    batch(0);
    let before = rss();
    batch(500);
    batch(1000);
    assert!(rss() < before + 2000, "grew from {before} to {} KiB", rss());
}
