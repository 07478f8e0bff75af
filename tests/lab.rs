//! The suite: every scenario on the virtual clock, with several seeds each, on every design.
//!
//! A test has the name of its scenario: `figure8_2c` is the reference, `tick::figure8_2c` the
//! tick-based design, `raft_rs::figure8_2c` the crate `raft` in a build that has it.
//!
//! `cargo test 2a` runs part 2A. `RAFTLAB_RUNS=500 cargo test 2a` runs more seeds, from
//! `RAFTLAB_SEED` on. A failure ends with the command that repeats it.

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use raftlab::lab::{DESIGNS, Design, SCENARIOS, Scenario};
use raftlab::runtime::Schedule;
use support::OldSeed;

raftlab::guard!();

fn main() -> ExitCode {
    let on_design = |design: &'static Design| {
        let fit = SCENARIOS.iter().filter(|scenario| design.can_play(scenario));
        fit.map(move |scenario| trial(scenario, design))
    };
    let trials = DESIGNS.iter().flat_map(on_design).chain(own_tests()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The test of one scenario on one design: five seeds on the reference, two on every other.
fn trial(scenario: &'static Scenario, design: &'static Design) -> Trial {
    let is_reference = design.name == DESIGNS[0].name;
    let name = match is_reference {
        true => scenario.name.to_string(),
        false => format!("{}::{}", design.name.replace('-', "_"), scenario.name),
    };
    let runs = if is_reference { 5 } else { 2 };
    Trial::test(name, move || support::check(scenario, design, runs).map_err(Failed::from))
}

/// The tests of the list of old seeds: this harness has no other place for them.
fn own_tests() -> [Trial; 2] {
    let test = |name: &str, check: fn()| {
        Trial::test(name, move || {
            check();
            Ok(())
        })
    };
    [
        test(
            "old_seeds_belong_to_scenarios_and_designs",
            old_seeds_belong_to_scenarios_and_designs,
        ),
        test(
            "a_seed_is_read_with_its_schedule_and_design",
            a_seed_is_read_with_its_schedule_and_design,
        ),
    ]
}

fn old_seeds_belong_to_scenarios_and_designs() {
    for OldSeed { test, design, .. } in support::old_seeds() {
        support::scenario(&test);
        // `raft-rs` is not in every build.
        assert!(["rpc", "tick", "raft-rs"].contains(&design.as_str()), "{test}: {design:?}?");
    }
}

fn a_seed_is_read_with_its_schedule_and_design() {
    let read = |line| {
        let OldSeed { test, seed, schedule, design } = support::read_seed(line)?;
        assert_eq!((test.as_str(), seed), ("figure8_2c", 53), "{line}");
        Some((schedule, design))
    };
    let on = |schedule, design: &str| Some((schedule, design.to_string()));
    for (line, expected) in [
        ("figure8_2c 53  # a vote was given twice", on(Schedule::Random, "rpc")),
        ("figure8_2c 53 hostile  # story", on(Schedule::Hostile, "rpc")),
        ("figure8_2c 53 hostile tick  # story", on(Schedule::Hostile, "tick")),
        ("figure8_2c 53 tick  # story", on(Schedule::Random, "tick")),
    ] {
        assert_eq!(read(line), expected, "{line}");
    }
    assert_eq!(read("figure8_2c 53 tick hostile  # story"), None, "the design before the schedule");
    assert_eq!(read("figure8_2c 53"), None, "a seed without a story");
    assert_eq!(read("figure8_2c # story"), None, "a story without a seed");
}
