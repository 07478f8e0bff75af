//! Runs the suite against planted bugs; `scripts/zoo` builds it into a program with all of them.
//!
//! Seed by seed the suite is run on a broken server, or on a broken service, until the first seed
//! that fails it.
//! Every bug has a process of its own, so that one that takes the process down is just another one
//! that was caught.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use raftlab::lab::{self, Design, Report, SCENARIOS, Scenario};
use raftlab::runtime::{RunConfig, Schedule};

use super::header::Header;

/// The name of the server without a bug.
pub const HEALTHY: &str = "healthy";

/// How many seeds the healthy server is run with at most: the campaigns of `raftlab test` are for
/// that.
const HEALTHY_SEEDS_MAX: u64 = 20;

/// What to do with every bug.
struct Plan {
    seeds: u64,
    first: u64,
    /// Instead of each bug's own.
    schedule: Option<String>,
    jobs: usize,
    patches: PathBuf,
    /// Run this one here, and print what came of it for the process that asked.
    only: Option<String>,
}

impl Plan {
    /// The arguments come from `scripts/zoo`, which has checked them.
    fn of(mut arguments: impl Iterator<Item = String>) -> Plan {
        let mut plan = Plan {
            seeds: 200,
            first: 1,
            schedule: None,
            jobs: 2,
            patches: PathBuf::from("tests/zoo"),
            only: None,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} {value}"));
            match name.as_str() {
                "--seeds" => plan.seeds = number(),
                "--seed" => plan.first = number(),
                "--jobs" => plan.jobs = usize::try_from(number()).expect("a small number"),
                "--schedule" => plan.schedule = Some(value),
                "--patches" => plan.patches = PathBuf::from(value),
                "--only" => plan.only = Some(value),
                _ => panic!("no option is called {name}"),
            }
        }
        plan
    }

    fn header(&self, design: &Design) -> Header {
        if design.name == HEALTHY {
            return Header {
                id: HEALTHY.to_string(),
                bug: "none".to_string(),
                catalogue: String::new(),
                caught_by: Vec::new(),
                schedule: "random".to_string(),
                unseen: Some("there is nothing to see".to_string()),
            };
        }
        let file = self.patches.join(format!("{}.patch", design.name));
        Header::read(&file).unwrap_or_else(|what| panic!("{what}"))
    }
}

/// Which parts of the suite a bug is for.
#[derive(Clone, Copy)]
enum Parts {
    /// Of a server: 2A to 2D.
    Server,
    /// Of what is above it: 3A and 3B.
    Service,
    /// All of them.
    All,
}

impl Parts {
    /// What a bug of `design` is for, by the files that its patch changes.
    fn of(plan: &Plan, design: &Design) -> Parts {
        if design.name == HEALTHY {
            return Parts::All;
        }
        let file = plan.patches.join(format!("{}.patch", design.name));
        let patch = std::fs::read_to_string(file).expect("scripts/zoo has just applied it");
        let changes = |path: &str| patch.contains(&format!("\n+++ b/src/{path}"));
        match (changes("kv/"), changes("raft/read_index.rs")) {
            (true, _) => Parts::Service,
            (false, true) => Parts::All,
            (false, false) => Parts::Server,
        }
    }

    fn have(self, scenario: &Scenario) -> bool {
        match self {
            Parts::Server => !scenario.part.chooses_service(),
            Parts::Service => scenario.part.chooses_service(),
            Parts::All => true,
        }
    }
}

/// What came of one bug, as the process that ran it says it and as it is printed.
struct Row {
    header: Header,
    /// `caught`, `missed`, or how the process ended.
    verdict: String,
    /// Seeds until caught, or all.
    seeds: String,
    cpu_s: String,
    /// What failed with that seed.
    by: String,
}

impl Row {
    fn is_as_it_should_be(&self) -> bool {
        match self.verdict.as_str() {
            "missed" => self.header.unseen.is_some(),
            _ => self.header.id != HEALTHY,
        }
    }

    fn print(&self) {
        let mark = if self.is_as_it_should_be() { "  " } else { "! " };
        let Row { header, verdict, seeds, cpu_s, by } = self;
        println!("{mark}{:<44} {verdict:<8} {seeds:>5} {cpu_s:>7}  {by}", header.id);
        let _ = std::io::stdout().flush();
    }
}

/// Runs the suite against every design of `zoo`, and prints a row for each. Fails when a bug that
/// must be caught was not, or when the healthy server was.
#[allow(clippy::disallowed_methods, reason = "no run is on here: each has a process of its own")]
pub fn main(zoo: &[Design]) -> ExitCode {
    let plan = Plan::of(std::env::args().skip(1));
    if let Some(only) = &plan.only {
        let design = zoo.iter().find(|design| design.name == only);
        let design = design.unwrap_or_else(|| panic!("no server here is called {only}"));
        hunt(&plan, design);
        return ExitCode::SUCCESS;
    }
    println!("  {:<44} {:<8} {:>5} {:>7}  caught by", "bug", "", "seeds", "CPU s");
    let headers: Vec<_> = zoo.iter().map(|design| plan.header(design)).collect();
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let rows: Vec<Row> = std::thread::scope(|scope| {
        for _ in 0..plan.jobs {
            let (plan, headers, next, sender) = (&plan, &headers, &next, sender.clone());
            scope.spawn(move || {
                while let Some(header) = headers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = send_out(plan, header.clone());
                    sender.send(row).expect("the receiver waits for all senders");
                }
            });
        }
        drop(sender);
        receiver.iter().inspect(Row::print).collect()
    });
    let caught = rows.iter().filter(|row| row.verdict != "missed").count();
    let wrong: Vec<_> = rows.iter().filter(|row| !row.is_as_it_should_be()).collect();
    println!("\n{} servers, {caught} caught, {} not as it should be", rows.len(), wrong.len());
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one bug in a process of its own.
fn send_out(plan: &Plan, header: Header) -> Row {
    let schedule = plan.schedule.clone().unwrap_or_else(|| header.schedule.clone());
    let program = std::env::current_exe().expect("the program knows where it is");
    let output = Command::new(program)
        .args(["--only", &header.id, "--schedule", &schedule])
        .args(["--seeds", &plan.seeds.to_string(), "--seed", &plan.first.to_string()])
        .output()
        .expect("the program can be started again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut fields = text.lines().last().unwrap_or_default().split('\t').map(str::to_string);
    let mut field = || fields.next().unwrap_or_default();
    let (verdict, seeds, cpu_s, by) = (field(), field(), field(), field());
    if output.status.success() {
        return Row { header, verdict, seeds, cpu_s, by };
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = errors.lines().last().unwrap_or_default().to_string();
    let by = format!("the process died ({}): {last}", output.status);
    Row { header, verdict: "died".to_string(), seeds, cpu_s, by }
}

/// Runs the suite seed by seed, and prints what came of it as the last line.
fn hunt(plan: &Plan, design: &Design) {
    let schedule = match plan.schedule.as_deref() {
        Some("hostile") => Schedule::Hostile,
        Some("fifo") => Schedule::Fifo,
        _ => Schedule::Random,
    };
    let seeds = if design.name == HEALTHY { plan.seeds.min(HEALTHY_SEEDS_MAX) } else { plan.seeds };
    let parts = Parts::of(plan, design);
    let mut cpu_s = 0.0;
    for count in 1..=seeds {
        let seed = plan.first + count - 1;
        let config = RunConfig { seed, schedule, ..RunConfig::default() };
        let mut caught = Vec::new();
        for scenario in
            SCENARIOS.iter().filter(|scenario| parts.have(scenario) && design.can_play(scenario))
        {
            // Should the process die, this is what is left of it.
            print!("\ndied\t{count}\t{cpu_s:.1}\t{}\t", scenario.name);
            let _ = std::io::stdout().flush();
            let report = lab::run_scenario(scenario, design, &config);
            cpu_s += report.cpu.as_secs_f64();
            caught.extend(what_failed(&report));
        }
        if !caught.is_empty() {
            println!("\ncaught\t{count}\t{cpu_s:.1}\t{}", summary(&caught));
            return;
        }
    }
    println!("\nmissed\t{seeds}\t{cpu_s:.1}\t");
}

/// Test, and what it says was broken. Numbers are left out, so that like goes with like.
fn what_failed(report: &Report) -> Option<(&'static str, String)> {
    let failure = report.failure.as_ref()?;
    let first_line = failure.message.lines().next().unwrap_or_default();
    let words = first_line.split_whitespace();
    let words = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '/'));
    let broken = match failure.kind.to_string().as_str() {
        "observer" => failure.name.clone(),
        kind => format!("{kind}: {}", words.take(8).collect::<Vec<_>>().join(" ")),
    };
    Some((report.test, broken))
}

/// The tests by what they found broken, the most frequent first.
fn summary(caught: &[(&str, String)]) -> String {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for (test, broken) in caught {
        match kinds.iter_mut().find(|(kind, _)| kind == broken) {
            Some((_, tests)) => tests.push(test),
            None => kinds.push((broken, vec![test])),
        }
    }
    kinds.sort_by_key(|(_, tests)| std::cmp::Reverse(tests.len()));
    let shown = kinds.iter().take(4).map(|(kind, tests)| {
        let more = if tests.len() > 2 { format!(" +{}", tests.len() - 2) } else { String::new() };
        format!("{kind} [{}{more}]", tests[..tests.len().min(2)].join(" "))
    });
    format!("{} tests: {}", caught.len(), shown.collect::<Vec<_>>().join("; "))
}
