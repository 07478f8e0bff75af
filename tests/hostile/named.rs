//! The smallest program for each sort of mistake that hostile programs find.
//!
//! Each runs on the virtual clock under every schedule and some seeds, and on the real one. It must
//! end with the right outcome.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::channel::{self, RecvTimeoutError};
use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::thread::JoinHandle;
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, FailureKind, Outcome, RunConfig, Schedule, thread};

const SPAN: Duration = Duration::from_millis(5);

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Returns the outcomes of `main` under every schedule and some seeds, and on the real clock.
fn outcomes<T: Send + 'static>(main: fn() -> T) -> Vec<Outcome<T>> {
    let schedules = [Schedule::Fifo, Schedule::Random, Schedule::Hostile];
    let on_virtual = schedules.into_iter().flat_map(|schedule| {
        (1..20).map(move |seed| RunConfig { seed, schedule, ..RunConfig::default() })
    });
    let on_real = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    on_virtual.chain([on_real]).map(|config| runtime::run(&config, main)).collect()
}

/// Runs `main` as [`outcomes`] does; no run may fail or leave tasks.
fn holds<T: Send + 'static>(main: fn() -> T) {
    for outcome in outcomes(main) {
        if let Err(failure) = outcome.result {
            panic!("{failure}");
        }
        assert_eq!(outcome.tasks_left, 0, "tasks were left");
    }
}

#[test]
fn captures_of_tasks_that_never_began_may_lock_sleep_and_send() {
    holds(|| {
        let lock = Arc::new(Mutex::new(0));
        let (sender, receiver) = channel::bounded(0);
        for _ in 0..50 {
            let (lock, sender) = (lock.clone(), sender.clone());
            let captured = OnDrop(move || {
                *lock.lock() += 1;
                thread::sleep(SPAN);
                let _ = sender.send_timeout((), SPAN);
            });
            thread::go(move || {
                let _captured = &captured;
            });
        }
        drop(receiver);
    });
}

#[test]
fn tasks_that_wait_while_others_never_begin_keep_their_frames() {
    holds(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        for at in 0..4 {
            let pair = pair.clone();
            thread::spawn(format!("waits {at}"), move || {
                let mut guard = pair.0.lock();
                loop {
                    pair.1.wait(&mut guard);
                }
            });
        }
        thread::sleep(SPAN);
        for _ in 0..20 {
            let pair = pair.clone();
            let captured = OnDrop(move || *pair.0.lock() += 1);
            thread::go(move || {
                let _captured = &captured;
            });
        }
    });
}

#[test]
fn a_payload_may_wait_and_panic_in_its_destructor() {
    fn main() {
        let payload = OnDrop(|| {
            thread::sleep(SPAN);
            panic!("the payload's own");
        });
        panic_any(payload);
    }
    for outcome in outcomes(main) {
        let failure = outcome.result.expect_err("main panicked");
        assert_eq!(
            (failure.message.as_str(), failure.task.as_str()),
            ("a panic without a text", "main")
        );
        assert_eq!(outcome.tasks_left, 0, "tasks were left");
    }
}

#[test]
fn a_task_that_caught_a_panic_waits_like_any_other() {
    holds(|| {
        let _ = catch_unwind(|| panic!("caught"));
        let lock = Arc::new(Mutex::new(()));
        let (guard, theirs) = (lock.lock(), lock.clone());
        thread::spawn("unwinds", || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _locks = OnDrop(move || drop(theirs.lock()));
                panic!("caught, once the lock is free");
            }));
        });
        // From here on, another task of the run is unwinding, but this one is not.
        thread::sleep(SPAN);
        let (sender, receiver) = channel::unbounded::<()>();
        let begun = Instant::now();
        thread::sleep(SPAN);
        assert!(begun.elapsed() >= SPAN, "the sleep took {:?}", begun.elapsed());
        assert_eq!(receiver.recv_timeout(SPAN), Err(RecvTimeoutError::Timeout));
        drop((sender, guard));
    });
}

#[test]
fn a_destructor_may_join_while_a_caught_panic_unwinds() {
    struct Joins(Option<JoinHandle<i32>>);
    impl Drop for Joins {
        fn drop(&mut self) {
            let handle = self.0.take().expect("it is dropped once");
            assert_eq!(handle.join(), 5, "what the task returned");
        }
    }
    holds(|| {
        let handle = thread::spawn("slow", || {
            thread::sleep(SPAN);
            5
        });
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let _joins = Joins(Some(handle));
            panic!("caught by its own task");
        }));
        assert!(caught.is_err(), "the panic was lost");
    });
}

#[test]
fn data_of_a_run_and_values_of_main_may_use_the_run_in_their_destructors() {
    fn main() {
        let hostile = || {
            let (sender, receiver) = channel::bounded(1);
            sender.send(()).expect("there is room");
            drop(receiver);
            thread::go(|| {});
        };
        runtime::set_local(Arc::new(OnDrop(hostile)));
        let (sender, receiver) = channel::unbounded();
        assert!(sender.send(OnDrop(hostile)).is_ok(), "the receiver is here");
        runtime::set_local(Arc::new((sender, receiver)));
    }
    holds(main);
}

#[test]
fn a_timed_future_in_a_destructor_ends_with_its_run() {
    holds(|| {
        let captured = OnDrop(|| runtime::block_on(runtime::time::sleep(SPAN)));
        thread::go(move || {
            let _captured = &captured;
            thread::sleep(Duration::from_secs(1000));
        });
        thread::sleep(SPAN);
    });
}

#[test]
fn too_many_tasks_end_the_run_with_the_place_that_started_them() {
    let outcome = runtime::run(&RunConfig::default(), || {
        thread::under_test(2, || {
            for _ in 0..45_000 {
                thread::go(|| thread::sleep(Duration::from_secs(1000)));
            }
        });
    });
    let failure = outcome.result.expect_err("the tasks exceed a limit");
    assert_eq!(failure.kind, FailureKind::Limit, "{failure}");
    assert!(failure.message.contains("named.rs"), "the place is missing: {failure}");
    assert_eq!(outcome.tasks_left, 0, "tasks were left");
}
