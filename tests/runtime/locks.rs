//! Mutexes and conditions.

use std::sync::Arc;

use raftlab::runtime::sync::{Condvar, Mutex, Quiet};
use raftlab::runtime::thread;
use raftlab::runtime::time::Instant;

use crate::{SPAN, on_both_clocks};

#[test]
fn a_mutex_excludes() {
    on_both_clocks(|| {
        let total = Arc::new(Mutex::new((0_u32, false)));
        let add = |total: Arc<Mutex<(u32, bool)>>| {
            for _ in 0..50 {
                let mut guard = total.lock();
                assert!(!guard.1, "two tasks are inside at once");
                guard.1 = true;
                thread::yield_now();
                guard.0 += 1;
                guard.1 = false;
            }
        };
        let tasks: Vec<_> = (0..4)
            .map(|i| {
                let total = total.clone();
                thread::spawn(format!("adder {i}"), move || add(total))
            })
            .collect();
        tasks.into_iter().for_each(thread::JoinHandle::join);
        assert_eq!(total.lock().0, 200);
    });
}

#[test]
fn try_lock_takes_a_free_lock_and_refuses_a_held_one() {
    on_both_clocks(|| {
        let mutex = Mutex::new(1);
        let guard = mutex.try_lock().expect("no task holds it");
        assert!(mutex.try_lock().is_none(), "the lock was given twice");
        drop(guard);
        assert_eq!(*mutex.lock(), 1);
        assert_eq!(mutex.into_inner(), 1);
    });
}

#[test]
fn wait_gives_the_lock_up_and_has_it_again() {
    on_both_clocks(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let theirs = pair.clone();
        let task = thread::spawn("waiter", move || {
            let mut value = theirs.0.lock();
            while *value == 0 {
                theirs.1.wait(&mut value);
            }
            *value += 1;
        });
        thread::sleep(SPAN);
        *pair.0.lock() = 1;
        pair.1.notify_one();
        task.join();
        assert_eq!(*pair.0.lock(), 2);
    });
}

#[test]
fn notify_all_wakes_every_waiter_and_notify_one_at_least_one() {
    on_both_clocks(|| {
        let pair = Arc::new((Mutex::new((0, 0)), Condvar::new()));
        let tasks: Vec<_> = (0..3)
            .map(|i| {
                let pair = pair.clone();
                thread::spawn(format!("waiter {i}"), move || {
                    let mut state = pair.0.lock();
                    while state.0 == 0 {
                        pair.1.wait(&mut state);
                    }
                    state.0 -= 1;
                    state.1 += 1;
                })
            })
            .collect();
        thread::sleep(SPAN);
        pair.0.lock().0 = 1;
        pair.1.notify_one();
        thread::sleep(SPAN * 20);
        assert_eq!(pair.0.lock().1, 1, "one token, one task");
        pair.0.lock().0 = 2;
        pair.1.notify_all();
        tasks.into_iter().for_each(thread::JoinHandle::join);
        assert_eq!(pair.0.lock().1, 3);
    });
}

#[test]
fn a_wait_with_a_deadline_ends_there_and_not_before() {
    on_both_clocks(|| {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut guard = mutex.lock();
        let deadline = Instant::now() + SPAN;
        while !condvar.wait_until(&mut guard, deadline) {}
        assert!(Instant::now() >= deadline, "it ended too early");
        let begun = Instant::now();
        while !condvar.wait_for(&mut guard, SPAN) && begun.elapsed() < SPAN {}
        assert!(begun.elapsed() >= SPAN, "it ended too early");
    });
}

#[test]
fn a_notified_wait_with_a_deadline_is_not_called_timed_out() {
    on_both_clocks(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = pair.clone();
        thread::spawn("notifier", move || {
            *theirs.0.lock() = true;
            theirs.1.notify_all();
        });
        let mut done = pair.0.lock();
        while !*done {
            assert!(!pair.1.wait_for(&mut done, SPAN * 10_000), "timed out long before its time");
        }
    });
}

/// Two locks are held, and one task waits for each.
#[test]
fn a_lock_wakes_a_task_that_waits_for_it() {
    on_both_clocks(|| {
        let locks = [(); 2].map(|()| Arc::new(Mutex::new(0)));
        let [first, second] = [0, 1].map(|i| locks[i].lock());
        let tasks = [0, 1].map(|i| {
            let lock = locks[i].clone();
            let task = thread::spawn("waiter", move || *lock.lock() += 1);
            thread::sleep(SPAN);
            task
        });
        drop(second);
        thread::sleep(SPAN * 5);
        assert_eq!(locks[1].try_lock().map(|count| *count), Some(1), "the wrong task was woken");
        drop(first);
        tasks.into_iter().for_each(thread::JoinHandle::join);
    });
}

#[test]
fn a_condition_wakes_a_task_that_waits_for_it() {
    on_both_clocks(|| {
        let pairs = [(); 2].map(|()| Arc::new((Mutex::new(false), Condvar::new())));
        let tasks = [0, 1].map(|i| {
            let pair = pairs[i].clone();
            let task = thread::spawn("waiter", move || {
                let mut ready = pair.0.lock();
                while !*ready {
                    pair.1.wait(&mut ready);
                }
            });
            thread::sleep(SPAN);
            task
        });
        // The later task first.
        for (pair, task) in pairs.into_iter().zip(tasks).rev() {
            *pair.0.lock() = true;
            pair.1.notify_one();
            task.join();
        }
    });
}

#[test]
fn a_quiet_lock_excludes_and_is_no_scheduling_point() {
    on_both_clocks(|| {
        let quiet = Quiet::new(vec![1]);
        quiet.with(|list| list.push(2));
        assert_eq!(quiet.into_inner(), [1, 2]);
    });
    let points = |times: u32| {
        let outcome = crate::run_on(raftlab::runtime::Clock::Virtual, 1, move || {
            let quiet = Quiet::new(0);
            (0..times).for_each(|_| quiet.with(|count| *count += 1));
        });
        outcome.points
    };
    assert_eq!(points(1), points(1000), "a quiet lock passed a scheduling point");
}
