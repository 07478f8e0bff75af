//! The runtime's contract: every primitive, the same on both clocks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;
use std::time::Duration;

use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, Clock, FailureKind, RunConfig, channel, thread};

fn on_both_clocks<T: Send + 'static>(main: impl Fn() -> T + Clone + Send + 'static) -> Vec<T> {
    [Clock::Real]
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
