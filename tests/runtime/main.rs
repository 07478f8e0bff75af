//! The runtime's contract: every primitive behaves the same on both clocks.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod channels;
mod destructors;
mod endings;
mod futures;
mod locks;
mod os_threads;
mod schedules;
mod tasks;
mod turns;

use std::time::Duration;

use raftlab::runtime::{self, Clock, Failure, Outcome, RunConfig, Schedule};

raftlab::guard!();

/// A span that can be told from zero on the real clock, and costs nothing on the virtual one.
const SPAN: Duration = Duration::from_millis(20);

fn run_on<T: Send + 'static>(
    clock: Clock,
    seed: u64,
    main: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    runtime::run(&RunConfig { clock, seed, ..RunConfig::default() }, main)
}

/// Runs `main` once on the real clock, and on the virtual one under every schedule with 20 seeds.
///
/// No run may fail or leave tasks.
fn on_both_clocks(main: impl Fn() + Clone + Send + 'static) {
    let virtual_runs =
        [Schedule::Fifo, Schedule::Random, Schedule::Hostile].into_iter().flat_map(|schedule| {
            (0..20).map(move |seed| RunConfig { seed, schedule, ..RunConfig::default() })
        });
    let real_run = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    for config in virtual_runs.chain([real_run]) {
        let outcome = runtime::run(&config, main.clone());
        if let Err(failure) = outcome.result {
            panic!("{config:?}\n{failure}");
        }
        assert_eq!(outcome.tasks_left, 0, "tasks were left: {config:?}");
    }
}

/// Returns the failure that ends `main` on each clock.
fn failures(main: impl Fn() + Clone + Send + 'static) -> [Failure; 2] {
    [Clock::Virtual, Clock::Real].map(|clock| {
        let outcome = run_on(clock, 1, main.clone());
        assert_eq!(outcome.tasks_left, 0, "tasks were left on the {clock} clock");
        outcome.result.unwrap_err()
    })
}
