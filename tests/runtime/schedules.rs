//! The virtual clock alone: determinism, deadlock reports, and the bugs that schedules find.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use raftlab::runtime::channel;
use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, Failure, FailureKind, Outcome, RunConfig, Schedule, thread};

use crate::run_on;

fn virtual_run<T: Send + 'static>(
    seed: u64,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    run_on(Clock::Virtual, seed, main)
}

#[test]
fn one_hour_passes_at_once() {
    let outcome = virtual_run(1, || {
        let begun = Instant::now();
        thread::sleep(Duration::from_secs(3600));
        begun.elapsed()
    });
    assert!(outcome.cpu < Duration::from_secs(1), "{outcome:?}");
    assert!(outcome.result.unwrap() >= Duration::from_secs(3600));
}

/// Ten tasks that count under one lock and yield in between.
fn storm() -> u64 {
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
    let total = total.lock();
    *total
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let hashes: Vec<u64> = (0..10).map(|seed| virtual_run(seed, storm).hash).collect();
    #[allow(clippy::disallowed_methods, reason = "the test is about parallel runs")]
    let again: Vec<_> =
        (0..10).map(|seed| std::thread::spawn(move || virtual_run(seed, storm))).collect();
    for (seed, (task, hash)) in again.into_iter().zip(&hashes).enumerate() {
        let outcome = task.join().unwrap();
        assert_eq!(outcome.hash, *hash, "seed {seed} ran differently in parallel with other runs");
        assert_eq!(outcome.result.unwrap(), 1000);
    }
    let mut distinct = hashes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), hashes.len(), "two seeds gave the same run");
}

/// The hash of a run whose tasks take turns in the order in which they are ready.
fn fifo_hash(main: impl FnOnce() + Send + 'static) -> u64 {
    let config = RunConfig { schedule: Schedule::Fifo, ..RunConfig::default() };
    let outcome = runtime::run(&config, main);
    outcome.result.unwrap();
    outcome.hash
}

#[test]
fn the_hash_tells_what_happened_and_when() {
    let sleeps = [
        fifo_hash(|| thread::sleep(Duration::from_millis(1))),
        fifo_hash(|| thread::sleep(Duration::from_millis(2))),
    ];
    assert_ne!(sleeps[0], sleeps[1], "the hash does not contain the time");
    let sends = fifo_hash(|| {
        let (sender, _receiver) = channel::unbounded();
        sender.try_send(()).unwrap();
    });
    let receives = fifo_hash(|| {
        let (_sender, receiver) = channel::unbounded::<()>();
        receiver.try_recv().unwrap_err();
    });
    assert_ne!(sends, receives, "the hash does not contain the event");
}

/// Two tasks do the same, one after the other: either order gives the same events and times.
#[test]
fn the_hash_tells_which_task_it_was() {
    let hash_with = |first: usize| {
        fifo_hash(move || {
            let (senders, tasks): (Vec<_>, Vec<_>) = (0..2)
                .map(|_| {
                    let (sender, receiver) = channel::unbounded();
                    (sender, thread::spawn("waits", move || receiver.recv().unwrap()))
                })
                .unzip();
            // Let both tasks reach their wait.
            thread::sleep(Duration::from_millis(1));
            for at in [first, 1 - first] {
                senders[at].send(()).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
            tasks.into_iter().for_each(thread::JoinHandle::join);
        })
    };
    assert_eq!(hash_with(0), hash_with(0));
    assert_ne!(hash_with(0), hash_with(1));
}

#[test]
fn the_timer_of_a_wait_that_is_over_ends_no_later_wait() {
    let main = || {
        let (sender, receiver) = channel::unbounded();
        sender.send(()).unwrap();
        let answers = thread::spawn("answers", move || {
            thread::sleep(Duration::from_secs(1));
            sender.send(()).unwrap();
            thread::sleep(Duration::from_secs(1000));
        });
        receiver.recv().unwrap();
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        let begun = Instant::now();
        thread::sleep(Duration::from_secs(100));
        assert!(begun.elapsed() >= Duration::from_secs(100), "{:?}", begun.elapsed());
        answers.join();
    };
    virtual_run(1, main).result.unwrap();
}

#[test]
fn waits_that_end_at_one_moment_end_in_the_order_in_which_they_began() {
    const TASKS: u64 = 5;
    let main = || {
        let deadline = Instant::now() + Duration::from_secs(10);
        let ended = Arc::new(Mutex::new(Vec::new()));
        let wait = |number: u64| {
            let ended = ended.clone();
            thread::spawn("waits", move || {
                // Tasks that were started later begin to wait earlier.
                thread::sleep(Duration::from_millis(TASKS - number));
                let (_sender, receiver) = channel::unbounded::<()>();
                receiver.recv_deadline(deadline).unwrap_err();
                ended.lock().push(number);
            })
        };
        let tasks: Vec<_> = (0..TASKS).map(wait).collect();
        tasks.into_iter().for_each(thread::JoinHandle::join);
        assert_eq!(*ended.lock(), [4, 3, 2, 1, 0]);
    };
    fifo_hash(main);
}

/// The first failure of `main` among 1,000 seeds, and its seed.
fn first_failure(schedule: Schedule, main: fn()) -> (u64, Failure) {
    let failure_of = |seed| {
        let config = RunConfig { seed, schedule, ..RunConfig::default() };
        runtime::run(&config, main).result.err().map(|failure| (seed, failure))
    };
    (0..1000).find_map(failure_of).expect("none of 1,000 seeds showed the bug")
}

#[test]
fn two_locks_taken_in_two_orders_are_reported_with_names_and_lines() {
    let (_, failure) = first_failure(Schedule::Random, || {
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
    });
    assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Deadlock, "lock_cycle"));
    for part in ["one", "two", "schedules.rs:", "held since"] {
        assert!(failure.message.contains(part), "no {part} in: {failure}");
    }
}

#[test]
fn a_lock_taken_twice_by_one_task_is_reported_at_once() {
    let outcome = virtual_run(1, || {
        let mutex = Mutex::new(());
        let _first = mutex.lock();
        let _second = mutex.lock();
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.name, "lock_cycle");
    assert!(failure.at < Duration::from_millis(1), "{failure}");
}

#[test]
fn a_lost_wake_up_is_reported_with_the_task_and_the_line() {
    let outcome = virtual_run(1, || {
        let pair = (Mutex::new(()), Condvar::new());
        let mut guard = pair.0.lock();
        pair.1.wait(&mut guard);
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Deadlock, "all_blocked"));
    assert!(failure.message.contains("main: waits for a condition at"), "{failure}");
    assert!(failure.message.contains("schedules.rs:"), "{failure}");
}

#[test]
fn a_lock_that_is_never_given_back_is_reported_though_tickers_live() {
    let outcome = virtual_run(1, || {
        let mutex = Arc::new(Mutex::new(()));
        let (sender, receiver) = channel::bounded::<()>(0);
        let theirs = mutex.clone();
        thread::spawn("raft2/apply", move || {
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
    assert_eq!((failure.kind, failure.name.as_str()), (FailureKind::Deadlock, "lock_wait"));
    assert!(failure.message.contains("by raft2/apply, which waits to send at"), "{failure}");
}

/// A task holds a lock until another one of its server answers it. Returns how long a third one
/// waits for the lock.
fn wait_for_a_slow_answer() -> Duration {
    // The time that has passed before must not count.
    thread::sleep(Duration::from_secs(60));
    let begun = Instant::now();
    let mutex = Arc::new(Mutex::new(()));
    let (sender, receiver) = channel::unbounded::<()>();
    let theirs = mutex.clone();
    thread::under_test(0, || {
        thread::spawn("worker", move || {
            let own = Mutex::new(());
            for _ in 0..1000 {
                drop(own.lock());
                drop(own.lock());
                thread::yield_now();
                drop(own.lock());
                if begun.elapsed() > Duration::from_secs(15) {
                    break;
                }
            }
            sender.send(()).unwrap();
        });
        thread::spawn("asks", move || {
            let _guard = theirs.lock();
            receiver.recv().unwrap();
        });
        let waits = move || {
            thread::sleep(Duration::from_millis(500));
            let begun = Instant::now();
            drop(mutex.lock());
            begun.elapsed()
        };
        thread::spawn("waits", waits)
    })
    .join()
}

#[test]
fn a_lock_whose_server_is_stalled_is_not_taken_for_dead() {
    let wait = |seed| {
        let config = RunConfig { seed, schedule: Schedule::Hostile, ..RunConfig::default() };
        runtime::run(&config, wait_for_a_slow_answer).result.unwrap()
    };
    let longest = (1..=30).map(wait).max().unwrap();
    assert!(longest > Duration::from_secs(11), "the worker was hardly stalled: {longest:?}");
}

#[test]
fn a_check_and_its_act_are_torn_apart() {
    let (_, failure) = first_failure(Schedule::Random, || {
        let total = Arc::new(Mutex::new(0));
        let add = |total: Arc<Mutex<i32>>| {
            move || {
                let seen = *total.lock();
                *total.lock() = seen + 1;
            }
        };
        let tasks =
            [thread::spawn("a", add(total.clone())), thread::spawn("b", add(total.clone()))];
        tasks.into_iter().for_each(thread::JoinHandle::join);
        assert_eq!(*total.lock(), 2, "an addition was lost");
    });
    assert!(failure.message.contains("an addition was lost"), "{failure}");
}

#[test]
fn a_wait_without_a_loop_is_found_out_by_spurious_wake_ups() {
    let (_, failure) = first_failure(Schedule::Hostile, || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = pair.clone();
        let waiter = thread::under_test(0, || {
            thread::spawn("waiter", move || {
                let mut ready = theirs.0.lock();
                if !*ready {
                    theirs.1.wait(&mut ready);
                }
                assert!(*ready, "woken too early");
            })
        });
        thread::sleep(Duration::from_secs(1));
        *pair.0.lock() = true;
        pair.1.notify_one();
        waiter.join();
    });
    assert!(failure.message.contains("woken too early"), "{failure}");
}

const WAITS: u32 = 200;

/// Counts the waits that end too early, among those during which the schedule stalls no task.
/// None of these may end late.
fn early_ends_of_waits(under_test: bool) -> u32 {
    let span = Duration::from_millis(5);
    let waits = move || {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut guard = mutex.lock();
        let mut early = 0;
        for _ in 0..WAITS {
            let stall = runtime::last_stall(0);
            let begun = Instant::now();
            condvar.wait_for(&mut guard, span);
            let took = begun.elapsed();
            if runtime::last_stall(0) == stall {
                assert!(took < span * 2, "a wait of {span:?} ended after {took:?}");
                early += u32::from(took < span);
            }
        }
        early
    };
    match under_test {
        true => thread::under_test(0, || thread::spawn("waits", waits)).join(),
        false => waits(),
    }
}

#[test]
fn a_spurious_wake_up_is_rare_and_moves_no_deadline_back() {
    let early = |under_test| -> u32 {
        let of_seed = |seed| {
            let config = RunConfig { seed, schedule: Schedule::Hostile, ..RunConfig::default() };
            runtime::run(&config, move || early_ends_of_waits(under_test)).result.unwrap()
        };
        (1..=20).map(of_seed).sum()
    };
    let count = early(true);
    assert!((1..WAITS * 20 / 10).contains(&count), "{count} waits ended spuriously");
    assert_eq!(early(false), 0, "waits of the harness ended spuriously");
}

#[test]
fn a_task_that_never_blocks_lets_others_run() {
    let config =
        RunConfig { schedule: Schedule::Fifo, points_max: 100_000, ..RunConfig::default() };
    let outcome = runtime::run(&config, || {
        let done = Arc::new(AtomicBool::new(false));
        let theirs = done.clone();
        thread::spawn("other", move || theirs.store(true, Ordering::Relaxed));
        while !done.load(Ordering::Relaxed) {
            let _ = Instant::now();
        }
    });
    outcome.result.unwrap();
}

#[test]
fn only_tasks_under_test_are_stalled() {
    let longest = |marked: bool| {
        let body = move || {
            let beat = || {
                let mut longest = Duration::ZERO;
                for _ in 0..2000 {
                    let begun = Instant::now();
                    drop(Mutex::new(()).lock());
                    longest = longest.max(begun.elapsed());
                }
                longest
            };
            let task = match marked {
                true => thread::under_test(3, || thread::spawn("beat", beat)),
                false => thread::spawn("beat", beat),
            };
            (task.join(), runtime::last_stall(3))
        };
        (0..50).map(|seed| virtual_run(seed, body).result.unwrap()).max().unwrap()
    };
    let (span, stall) = longest(true);
    assert!(span > Duration::from_millis(1) && stall.is_some(), "no task was stalled: {span:?}");
    assert_eq!(longest(false).1, None, "a task of the harness was stalled");
}

#[test]
fn backtraces_show_every_task() {
    let outcome = virtual_run(1, || {
        // Neither inlined nor left before the wait: its frame must be there.
        #[inline(never)]
        fn a_place_to_wait() {
            thread::sleep(Duration::from_secs(5));
            std::hint::black_box(());
        }
        thread::spawn("sleeper", a_place_to_wait);
        thread::sleep(Duration::from_secs(1));
        runtime::backtraces()
    });
    let text = outcome.result.unwrap();
    for part in ["task main", "task sleeper", "a_place_to_wait"] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}
