//! How runs end: failures, limits, and leftover tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::{self, Clock, FailureKind, RunConfig, channel, thread};

use crate::{SPAN, failures, on_both_clocks, run_on};

#[test]
fn left_over_tasks_are_unwound_from_wherever_they_block() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let body = || {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let (sender, receiver) = channel::bounded::<()>(0);
        let (other_sender, other_receiver) = channel::bounded::<()>(0);
        thread::spawn("waits", move || {
            let _counted = Counted;
            let mut guard = pair.0.lock();
            loop {
                pair.1.wait(&mut guard);
            }
        });
        thread::spawn("receives", move || {
            let _counted = Counted;
            let _ = (receiver.recv(), other_sender);
        });
        thread::spawn("sends", move || {
            let _counted = Counted;
            let _ = (sender.send(()), sender.send(()), other_receiver);
        });
        thread::go(|| {
            let _counted = Counted;
            thread::sleep(Duration::from_secs(10_000));
        });
        thread::go(|| {
            let _counted = Counted;
            runtime::block_on(std::future::pending::<()>());
        });
        thread::sleep(SPAN);
    };
    for clock in [Clock::Virtual, Clock::Real] {
        DROPPED.store(0, Ordering::Relaxed);
        let outcome = run_on(clock, 3, body);
        assert!(outcome.result.is_ok() && outcome.tasks_left == 0, "{outcome:?}");
        assert_eq!(DROPPED.load(Ordering::Relaxed), 5, "destructors on the {clock} clock");
    }
}

#[test]
fn destructors_may_lock_while_a_run_ends() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    on_both_clocks(|| {
        let shared = Arc::new(Mutex::new(0));
        for i in 0..5 {
            let shared = shared.clone();
            thread::spawn(format!("holder {i}"), move || {
                let _locks = Locks(shared.clone());
                let guard = shared.lock();
                thread::sleep(SPAN * i);
                drop(guard);
                thread::sleep(Duration::from_secs(1000));
            });
        }
        thread::sleep(SPAN);
    });
}

#[test]
fn a_wait_that_the_end_cuts_short_has_its_lock_again() {
    struct Looks<'a>(raftlab::runtime::sync::MutexGuard<'a, u32>);
    impl Drop for Looks<'_> {
        fn drop(&mut self) {
            *self.0 += 1;
        }
    }
    on_both_clocks(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        for i in 0..3 {
            let pair = pair.clone();
            thread::spawn(format!("waiter {i}"), move || {
                let mut looks = Looks(pair.0.lock());
                loop {
                    pair.1.wait(&mut looks.0);
                }
            });
        }
        thread::sleep(SPAN);
    });
}

#[test]
fn a_failure_in_any_task_ends_the_run_and_the_first_one_counts() {
    for failure in failures(|| {
        thread::go(|| {
            thread::sleep(SPAN);
            runtime::fail(FailureKind::Observer, "Rule", "broken".to_string())
        });
        thread::go(|| {
            thread::sleep(SPAN * 50);
            runtime::fail(FailureKind::Observer, "Other", "too late".to_string())
        });
        thread::sleep(Duration::from_secs(1000));
    }) {
        assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Observer, "Rule"));
        assert_eq!(failure.message, "broken");
        assert!(failure.at >= SPAN && failure.at < Duration::from_secs(10), "{failure}");
    }
}

#[test]
fn a_panic_is_carried_out_with_task_place_and_time() {
    for failure in failures(|| {
        thread::sleep(SPAN);
        thread::spawn("raft1/election", || {
            let index = std::hint::black_box(7);
            let _ = [1, 2, 3][index];
        })
        .join();
    }) {
        assert_eq!(
            (failure.kind, failure.task.as_str()),
            (FailureKind::Assertion, "raft1/election")
        );
        assert!(failure.message.contains("index is 7"), "{failure}");
        assert!(failure.place.contains("endings.rs"), "{failure}");
        assert!(failure.at >= SPAN, "{failure}");
    }
}

#[test]
fn a_panic_under_test_is_told_from_a_failed_check_also_in_tasks_of_tasks() {
    for failure in failures(|| {
        thread::under_test(1, || {
            thread::spawn("parent", || thread::go(|| panic!("boom")));
        });
        thread::sleep(Duration::from_secs(1000));
    }) {
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Panic, "boom"));
    }
    for failure in failures(|| {
        thread::under_test(1, || {});
        panic!("a check");
    }) {
        assert_eq!(failure.kind, FailureKind::Assertion, "the mark outlived its closure");
    }
}

#[test]
fn a_run_that_takes_too_long_fails_at_its_limit() {
    for clock in [Clock::Virtual, Clock::Real] {
        let config = RunConfig { clock, elapsed_max: SPAN * 5, ..RunConfig::default() };
        let outcome = runtime::run(&config, || thread::sleep(Duration::from_secs(1000)));
        let failure = outcome.result.unwrap_err();
        assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Limit, "elapsed_max"));
        assert!(outcome.elapsed >= SPAN * 5, "it ended too early");
    }
}

#[test]
fn a_run_that_gets_nowhere_is_a_livelock() {
    let config = RunConfig { points_max: 100_000, ..RunConfig::default() };
    let outcome = runtime::run(&config, || {
        let done = Mutex::new(false);
        while !*done.lock() {}
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Livelock, "points_max"));
}

#[test]
fn a_task_that_swallows_the_end_of_its_run_is_given_up_and_counted() {
    let outcome = run_on(Clock::Virtual, 1, || {
        thread::spawn("stubborn", || {
            loop {
                let sleep = || thread::sleep(Duration::from_secs(1));
                let _ = std::panic::catch_unwind(sleep);
            }
        });
        thread::sleep(Duration::from_secs(10));
    });
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.tasks_left, 1);
}
