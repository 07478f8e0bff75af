//! Memory stays flat over many runs, and the checker keeps to its memory limit.
//!
//! The tests measure their process, so they share it with no others and run one after the other.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::disallowed_types, reason = "the lock is one of tests, outside of their runs")]
#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raftlab::checker::models::{Kv, KvInput, KvOutput};
use raftlab::checker::{Budget, Operation, Verdict, Why, check, is_linearizable};
use raftlab::runtime::{self, RunConfig, channel, thread};

raftlab::guard!();

/// Makes the other tests wait until the guard is dropped.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn resident_kib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4
}

fn campaign(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let outcome = runtime::run(&RunConfig { seed, ..RunConfig::default() }, || {
            let (sender, receiver) = channel::unbounded::<Vec<u8>>();
            for i in 0..20 {
                let sender = sender.clone();
                thread::spawn(format!("sleeper {i}"), move || {
                    sender.send(vec![0; 1000]).unwrap();
                    thread::sleep(Duration::from_secs(i));
                });
            }
            thread::sleep(Duration::from_secs(10));
            drop(receiver);
        });
        assert_eq!(outcome.tasks_left, 0, "tasks were left by seed {seed}");
    }
}

#[test]
fn memory_stays_flat() {
    let _alone = alone();
    campaign(0..1_000);
    let before = resident_kib();
    campaign(1_000..11_000);
    let after = resident_kib();
    // A leak of one stack per run would be 100 MB, of one small allocation per run 1 MB.
    assert!(after < before + 1_000, "memory grew from {before} to {after} KiB over 10,000 runs");
}

/// Makes, for each of `keys`, appends that all overlap and a read that misses one of their letters.
///
/// Every subset of the appends is legal, so the checker must try all of them in every order.
/// Remembering these orders takes more memory than a machine has.
fn crowds(keys: u64) -> Vec<Operation<KvInput, KvOutput>> {
    const WIDTH: usize = 24;
    let crowd = |key: u64| {
        let append = move |client: usize| {
            let input = KvInput::Append { key: key.to_string(), value: "a".repeat(1 + client % 3) };
            Operation::answered(client as u64, 0, input, 10, KvOutput::Done)
        };
        let letters: usize = (0..WIDTH).map(|client| 1 + client % 3).sum();
        let seen = KvOutput::Value("a".repeat(letters - 1));
        let read = Operation::answered(99, 20, KvInput::Get { key: key.to_string() }, 30, seen);
        (0..WIDTH).map(append).chain([read])
    };
    (0..keys).flat_map(crowd).collect()
}

/// Returns the peak memory of `judge` in KiB, measured each time that it asks whether to stop, and
/// its verdict.
fn most_kib<T>(memory: usize, judge: impl FnOnce(&Budget<'_>) -> T) -> (u64, T) {
    let before = resident_kib();
    let most = Cell::new(before);
    let look = || {
        most.set(most.get().max(resident_kib()));
        false
    };
    let verdict = judge(&Budget { memory, stop: Some(&look), ..Budget::default() });
    (most.get() - before, verdict)
}

/// A table doubles when it is full, so its last growth may reach up to twice the limit.
#[test]
fn a_judgement_that_needs_more_than_the_limit_keeps_to_it_and_says_so() {
    const LIMIT: usize = 4 << 20;
    let _alone = alone();
    for keys in [1, 12] {
        let history = crowds(keys);
        let (most, verdict) = most_kib(LIMIT, |budget| check(&Kv, &history, budget));
        assert_eq!(verdict, Verdict::Unknown(Why::Memory), "{keys} keys");
        assert!(most < 2 * LIMIT as u64 / 1024, "{keys} keys took {most} KiB");
        let (most, verdict) = most_kib(LIMIT, |budget| is_linearizable(&Kv, &history, budget));
        assert_eq!(verdict, Err(Why::Memory), "{keys} keys");
        assert!(most < 2 * LIMIT as u64 / 1024, "{keys} keys took {most} KiB, without a picture");
    }
}
