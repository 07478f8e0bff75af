//! The real clock alone, with every primitive once: no coroutines, so that Miri can run it.

use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::channel::{bounded, unbounded};
use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::{Clock, block_on, thread};

use crate::run_on;

#[test]
fn threads_locks_and_channels_work_together() {
    let outcome = run_on(Clock::Real, 1, || {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let (sender, receiver) = bounded(0);
        let (answers, inbox) = unbounded();
        for number in 1..=3 {
            let (shared, sender, answers) = (shared.clone(), sender.clone(), answers.clone());
            thread::spawn(format!("t{number}"), move || {
                *shared.0.lock() += number;
                shared.1.notify_all();
                sender.send(number).unwrap();
                thread::go(move || answers.send(number).unwrap());
            });
        }
        let mut sum = shared.0.lock();
        while *sum < 6 {
            shared.1.wait(&mut sum);
        }
        drop(sum);
        let received = (0..3).map(|_| receiver.recv().unwrap()).sum::<u32>();
        let answered = (0..3).map(|_| inbox.recv().unwrap()).sum::<u32>();
        thread::sleep(Duration::from_millis(1));
        (received, answered)
    });
    assert_eq!(outcome.result.unwrap(), (6, 6));
}

#[test]
fn a_future_is_woken_by_another_thread() {
    let outcome = run_on(Clock::Real, 1, || {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        thread::spawn("other", move || sender.send(7).unwrap());
        block_on(receiver).unwrap()
    });
    assert_eq!(outcome.result.unwrap(), 7);
}

#[test]
fn a_panic_ends_the_run_and_unwinds_the_others() {
    let outcome = run_on(Clock::Real, 1, || {
        let lock = Arc::new(Mutex::new(()));
        let theirs = lock.clone();
        thread::spawn("waits", move || {
            let (_never, receiver) = bounded::<()>(0);
            let _guard = theirs.lock();
            let _ = receiver.recv();
        });
        thread::spawn("fails", || panic!("on purpose")).join();
    });
    assert_eq!(outcome.result.unwrap_err().message, "on purpose");
    assert_eq!((outcome.tasks_left, outcome.thread_left), (0, false));
}
