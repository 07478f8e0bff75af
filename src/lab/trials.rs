//! The suite as a `cargo test` target: one named test per scenario.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use super::{Design, SCENARIOS, Scenario, run_and_explain};
use crate::runtime::RunConfig;

/// Number of seeds that each test runs with, unless `RAFTLAB_RUNS` sets another number.
const RUNS: u64 = 5;

/// Runs the suite's tests that `designs` can play and that the process's arguments select.
///
/// Made for the `main` of a test target without a harness; `cargo nextest` can run it too. A test
/// has the name of its scenario, or `DESIGN::SCENARIO` if there are several designs.
/// `cargo test 2a` runs a part. `RAFTLAB_RUNS=500 cargo test 2a` runs each test with 500 seeds,
/// from `RAFTLAB_SEED` on. The report of a failure ends with the command that repeats it;
/// that command needs a command line with the same designs.
pub fn tests(designs: &'static [Design]) -> ExitCode {
    let first = number("RAFTLAB_SEED", 1);
    let seeds = move || (0..number("RAFTLAB_RUNS", RUNS)).map(move |run| first.wrapping_add(run));
    let mut trials = Vec::new();
    for design in designs {
        for scenario in SCENARIOS.iter().filter(|scenario| design.can_play(scenario)) {
            let name = match designs {
                [_] => scenario.name.to_string(),
                _ => format!("{}::{}", design.name, scenario.name),
            };
            trials.push(Trial::test(name, move || check(scenario, design, seeds())));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs the scenario with each of `seeds` until one fails.
fn check(
    scenario: &Scenario,
    design: &Design,
    seeds: impl Iterator<Item = u64>,
) -> Result<(), Failed> {
    for seed in seeds {
        let config = RunConfig { seed, ..RunConfig::default() };
        let report = run_and_explain(scenario, design, &config);
        if !report.ok {
            let text = report.render();
            let text = text.replace("raftlab replay", "cargo run --release -- replay");
            let text = text.replace("more: raftlab", "more: cargo run --release --");
            return Err(format!("seed {seed}\n\n{text}").into());
        }
    }
    Ok(())
}

/// Reads a whole number from the environment variable `name`; any other value ends the process.
fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Err(_) => default,
        Ok(text) => match text.parse() {
            Ok(number) => number,
            Err(_) => {
                eprintln!("error: {name} is {text:?}; give a whole number");
                std::process::exit(2);
            }
        },
    }
}
