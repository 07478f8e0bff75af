//! Runs the suite on correct servers that differ from ours; `scripts/fair` builds it into a program
//! with all of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use raftlab::lab::{self, Design, Part, Report, SCENARIOS, Scenario};
use raftlab::runtime::{RunConfig, Schedule};

use super::header::Header;

/// Maximum number of failures that are printed for a server.
const SHOWN_MAX: usize = 6;

/// What to run. The arguments come from `scripts/fair`, which has checked them.
struct Plan {
    seeds: u64,
    first: u64,
    schedules: Vec<Schedule>,
    jobs: usize,
    /// The parts to run; empty: all.
    parts: Vec<Part>,
    patches: PathBuf,
}

impl Plan {
    fn of(mut arguments: impl Iterator<Item = String>) -> Plan {
        let mut plan = Plan {
            seeds: 200,
            first: 1,
            schedules: vec![Schedule::Random, Schedule::Hostile],
            jobs: 2,
            parts: Vec::new(),
            patches: PathBuf::from("tests/fair"),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} {value}"));
            match name.as_str() {
                "--seeds" => plan.seeds = number(),
                "--seed" => plan.first = number(),
                "--jobs" => plan.jobs = usize::try_from(number()).expect("a small number"),
                "--schedule" if value == "random" => plan.schedules = vec![Schedule::Random],
                "--schedule" if value == "hostile" => plan.schedules = vec![Schedule::Hostile],
                "--parts" => {
                    let part = |name: &str| name.parse().unwrap_or_else(|error| panic!("{error}"));
                    plan.parts = value.split(',').map(part).collect();
                }
                "--patches" => plan.patches = PathBuf::from(value),
                _ => panic!("no option is called {name}"),
            }
        }
        plan
    }
}

/// The result of one server.
struct Row {
    name: &'static str,
    runs: u64,
    cpu_s: f64,
    failed: Vec<String>,
    tests: BTreeSet<&'static str>,
}

/// Runs every server of `fair`, and prints a row for each. Fails if the suite fails one of them.
#[allow(clippy::disallowed_methods, reason = "no run is active here: whole runs go to OS threads")]
pub(crate) fn main(fair: &[Design]) -> ExitCode {
    let plan = Plan::of(std::env::args().skip(1));
    println!("  {:<36} {:>7} {:>7} {:>7}  failed wrongly by", "server", "runs", "failed", "CPU s");
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let failed: usize = std::thread::scope(|scope| {
        for _ in 0..plan.jobs {
            let (plan, next, sender) = (&plan, &next, sender.clone());
            scope.spawn(move || {
                while let Some(design) = fair.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sender.send(judge(plan, design)).expect("the receiver waits for all senders");
                }
            });
        }
        drop(sender);
        receiver.iter().map(|row| print(&row)).sum()
    });
    println!("\n{} servers, {failed} failed wrongly", fair.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a row; returns 1 if the suite failed the row's server.
fn print(row: &Row) -> usize {
    let mark = if row.failed.is_empty() { "  " } else { "! " };
    let tests: Vec<_> = row.tests.iter().copied().collect();
    let (name, runs, failed) = (row.name, row.runs, row.failed.len());
    println!("{mark}{name:<36} {runs:>7} {failed:>7} {:>7.1}  {}", row.cpu_s, tests.join(" "));
    for failure in row.failed.iter().take(SHOWN_MAX) {
        println!("      {failure}");
    }
    usize::from(!row.failed.is_empty())
}

/// Runs the whole suite on `design`, except the tests that its patch excuses.
fn judge(plan: &Plan, design: &Design) -> Row {
    let file = plan.patches.join(format!("{}.patch", design.name));
    let but_for = Header::read(&file).unwrap_or_else(|what| panic!("{what}")).but_for;
    let is_judged = |scenario: &&Scenario| {
        let wanted = plan.parts.is_empty() || plan.parts.contains(&scenario.part);
        wanted && design.can_play(scenario) && !but_for.iter().any(|name| name == scenario.name)
    };
    let name = design.name;
    let mut row = Row { name, runs: 0, cpu_s: 0.0, failed: Vec::new(), tests: BTreeSet::new() };
    for schedule in &plan.schedules {
        for seed in plan.first..plan.first + plan.seeds {
            for scenario in SCENARIOS.iter().filter(is_judged) {
                let config = RunConfig { seed, schedule: *schedule, ..RunConfig::default() };
                let report = lab::run_scenario(scenario, design, &config);
                row.runs += 1;
                row.cpu_s += report.cpu.as_secs_f64();
                if let Some(failure) = what_failed(&report) {
                    row.failed.push(failure);
                    row.tests.insert(scenario.name);
                }
            }
        }
    }
    row
}

fn what_failed(report: &Report) -> Option<String> {
    let failure = report.failure.as_ref()?;
    let (test, schedule, seed) = (report.test, report.schedule, report.seed);
    let words: String =
        failure.message.lines().next().unwrap_or_default().chars().take(160).collect();
    Some(format!("{test} {schedule} {seed}: {}: {words}", failure.name))
}
