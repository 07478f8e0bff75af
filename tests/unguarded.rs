//! A program without `raftlab::guard!()` calls the functions of libc, not those of the guard.

#![cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "these are the very things that the guard would catch"
)]

mod linked;

use std::time::{Duration, Instant};

use raftlab::runtime::{self, RunConfig, thread};

#[test]
fn none_of_its_functions_is_ours() {
    let functions = linked::functions();
    let ours: Vec<_> = functions.iter().filter(|it| it.is_in_the_executable()).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn a_foreign_clock_is_not_caught_and_harms_nobody() {
    let outcome = runtime::run(&RunConfig::default(), || {
        let start = Instant::now();
        thread::sleep(Duration::from_secs(1000));
        start.elapsed()
    });
    let elapsed = outcome.result.expect("the run ends well");
    assert!(
        elapsed < Duration::from_secs(100),
        "a sleep in virtual time took {elapsed:?} of real time"
    );
}
