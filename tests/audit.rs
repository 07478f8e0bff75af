//! The audit names the first event in which two runs of one seed differ.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use raftlab::runtime::{self, RunConfig, thread};

raftlab::guard!();

#[test]
fn a_run_that_follows_from_its_seed_passes() {
    let hash = runtime::audit(&RunConfig::default(), || {
        thread::spawn("other", || thread::sleep(Duration::from_millis(5)));
        thread::sleep(Duration::from_millis(10));
    });
    let plain = runtime::run(&RunConfig::default(), || {
        thread::spawn("other", || thread::sleep(Duration::from_millis(5)));
        thread::sleep(Duration::from_millis(10));
    });
    assert_eq!(hash, Ok(plain.hash), "an audit and a plain run of one seed differ");
}

#[test]
fn a_static_that_remembers_earlier_runs_is_found_with_its_line() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let difference = runtime::audit(&RunConfig::default(), || {
        thread::sleep(Duration::from_millis(10));
        if RUNS.fetch_add(1, Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(10));
    })
    .unwrap_err();
    let second = difference.second.as_ref().unwrap();
    assert!(second.contains("Yield at tests/audit.rs:"), "{difference}");
    assert!(difference.first.as_ref().unwrap().contains("Sleep"), "{difference}");
}
