//! Runs the suite against planted bugs; `scripts/zoo` builds it into a program with all bugs.
//!
//! The program runs the suite on a broken server, or on a broken service, seed by seed, up to the
//! first seed that fails. Every bug has a process of its own: a bug that kills its process counts
//! as caught.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use raftlab::lab::{self, Design, Report, SCENARIOS, Scenario};
use raftlab::runtime::{RunConfig, Schedule};

use super::header::Header;

/// The name of the server without a bug.
pub(crate) const HEALTHY: &str = "healthy";

/// Maximum number of seeds for the healthy server, which `raftlab test` runs with many more.
const HEALTHY_SEEDS_MAX: u64 = 20;

/// How to run every bug.
struct Plan {
    seeds: u64,
    first: u64,
    /// Overrides each bug's own schedule.
    schedule: Option<String>,
    jobs: usize,
    patches: PathBuf,
    /// The bug to run in this process, which prints the result for the process that started it.
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
                unseen: Some("it has no bug".to_string()),
            };
        }
        let file = self.patches.join(format!("{}.patch", design.name));
        Header::read(&file).unwrap_or_else(|what| panic!("{what}"))
    }
}

/// The parts of the suite that run on a bug.
#[derive(Clone, Copy)]
enum Parts {
    /// The server's: 2A to 2D.
    Server,
    /// The service's: 3A and 3B.
    Service,
    /// All parts.
    All,
}

impl Parts {
    /// Chooses the parts for the bug of `design` by the files that its patch changes.
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

/// The result of one bug, as its process reports it and as it is printed.
struct Row {
    header: Header,
    /// `caught`, `missed`, or `died` if its process did.
    verdict: String,
    /// Number of seeds until the bug was caught, or of all seeds.
    seeds: String,
    cpu_s: String,
    /// The failures with that seed.
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

/// Runs the suite against every design of `zoo`, and prints a row for each.
///
/// Fails if the suite misses a bug that must be caught, or fails the healthy server.
#[allow(
    clippy::disallowed_methods,
    reason = "no run is active here: each has a process of its own"
)]
pub(crate) fn main(zoo: &[Design]) -> ExitCode {
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
    println!("\n{} servers, {caught} caught, {} with a wrong verdict", rows.len(), wrong.len());
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one bug in a process of its own.
fn send_out(plan: &Plan, header: Header) -> Row {
    let schedule = plan.schedule.clone().unwrap_or_else(|| header.schedule.clone());
    let program = std::env::current_exe().expect("the program's path is known");
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

/// Runs the suite seed by seed, and prints the result as the last line.
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
            // If the process dies in this run, this line is the last one.
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

/// Returns the test and a description of its failure, without numbers, so that like failures match.
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

/// Groups the tests by failure, the most frequent failure first.
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
