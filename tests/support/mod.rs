//! Helpers of the suite's tests: runs by name, numbers from the environment, old seeds.
#![allow(dead_code, reason = "each test file uses its own part of it")]

pub(crate) mod links;
pub(crate) mod made;

use raftlab::lab::{self, DESIGNS, Design, Report, Scenario};
use raftlab::runtime::{RunConfig, Schedule};

/// The scenario called `name`, which must exist.
pub(crate) fn scenario(name: &str) -> &'static Scenario {
    lab::find_scenario(name).unwrap_or_else(|| panic!("no scenario is called {name:?}"))
}

/// Runs scenario `name` on the reference.
pub(crate) fn run(name: &str, config: &RunConfig) -> Report {
    lab::run_scenario(scenario(name), &DESIGNS[0], config)
}

/// Fails the test with the run's full report unless the run passed.
pub(crate) fn expect_ok(report: &Report) {
    verdict(report).unwrap_or_else(|failure| panic!("{failure}"));
}

/// The run's full report, unless the run passed.
fn verdict(report: &Report) -> Result<(), String> {
    let failure =
        || format!("{} failed with seed {}\n\n{}", report.test, report.seed, report.render());
    if report.ok { Ok(()) } else { Err(failure()) }
}

/// Runs `scenario` on `design` with the seeds that once failed there, and with `runs` seeds from
/// `RAFTLAB_SEED` on; `RAFTLAB_RUNS` overrides `runs`.
///
/// # Errors
/// The full report of the first run that fails.
pub(crate) fn check(scenario: &Scenario, design: &Design, runs: u64) -> Result<(), String> {
    let first = number("RAFTLAB_SEED", 1);
    let runs = number("RAFTLAB_RUNS", runs);
    let regressions = old_seeds()
        .into_iter()
        .filter(|old| old.test == scenario.name && old.design == design.name)
        .map(|old| (old.seed, old.schedule));
    let fresh = (0..runs).map(|run| (first.wrapping_add(run), Schedule::Random));
    for (seed, schedule) in regressions.chain(fresh) {
        let config = RunConfig { seed, schedule, ..RunConfig::default() };
        verdict(&lab::run_and_explain(scenario, design, &config))?;
    }
    Ok(())
}

/// The design called `name`, if this build has it.
pub(crate) fn find_design(name: &str) -> Option<&'static Design> {
    DESIGNS.iter().find(|design| design.name == name)
}

/// A line of `seeds.txt`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OldSeed {
    pub test: String,
    pub seed: u64,
    pub schedule: Schedule,
    pub design: String,
}

/// The seeds that once failed.
pub(crate) fn old_seeds() -> Vec<OldSeed> {
    let text = include_str!("../seeds.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| read_seed(line).unwrap_or_else(|| panic!("seeds.txt: {line:?}"))).collect()
}

/// Reads `name seed [schedule] [design]  # story`.
pub(crate) fn read_seed(line: &str) -> Option<OldSeed> {
    let (facts, story) = line.split_once('#')?;
    let mut words = facts.split_whitespace().peekable();
    let test = words.next()?.to_string();
    let seed = words.next()?.parse().ok()?;
    let named = |word: &str| match word {
        "random" => Some(Schedule::Random),
        "fifo" => Some(Schedule::Fifo),
        "hostile" => Some(Schedule::Hostile),
        _ => None,
    };
    let schedule = words.peek().and_then(|word| named(word));
    if schedule.is_some() {
        words.next();
    }
    let schedule = schedule.unwrap_or(Schedule::Random);
    let design = words.next().unwrap_or(DESIGNS[0].name).to_string();
    let whole = words.next().is_none() && !story.trim().is_empty();
    whole.then_some(OldSeed { test, seed, schedule, design })
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => {
            text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a whole number"))
        }
        Err(_) => default,
    }
}
