//! Programs made from seeds, as hostile as the safe code of a student's server can be.
//!
//! Destructors lock, send, wait, sleep, start tasks and panic, at every stage of a run; programs
//! catch panics and continue. The runtime promises that every run ends, and with the right outcome.
//! [`generate`] makes a program as a tree ([`program`]). [`steps`] takes its steps on the runtime's
//! public API, with the objects of [`world`]. [`judge`] compares the outcome with what the program
//! did. [`runner`] does all this in child processes. `scripts/hostile` runs many programs, or shows
//! one; [`named`] has the smallest ones.
//!
//! The programs do nothing that no runtime can catch in its own process: `exit`, `abort`, the end
//! of the stack or of memory, and a panic in the destructor of a thread-local.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod generate;
mod judge;
mod named;
mod program;
mod runner;
mod steps;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;

use runner::{Finding, Kind};

/// Maximum number of findings that are printed in full.
const PRINTED: usize = 40;

fn number(variable: &str, default: u64) -> u64 {
    let given = env::var(variable).ok();
    given.map_or(default, |text| text.parse().expect("the variable is a whole number"))
}

/// CPU time of all child processes that have ended, in seconds, if the system reports it.
fn cpu_of_children() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may contain blanks; after it come state, parent, … with the children's
    // user and system time as 14th and 15th, in hundredths.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(13)?.parse::<f64>().ok()? + fields.get(14)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Counts the programs that have a finding of that kind.
fn count(findings: &[Finding], kind: Kind) -> usize {
    let of_kind = findings.iter().filter(|finding| finding.kind == kind);
    of_kind.map(|finding| finding.seed).collect::<BTreeSet<u64>>().len()
}

#[test]
fn hostile_programs_end_with_a_right_report() {
    let (first, programs) = (number("RAFTLAB_HOSTILE_FIRST", 1), number("RAFTLAB_HOSTILE", 600));
    let progress = env::var_os("RAFTLAB_HOSTILE").is_some();
    let findings = runner::campaign(first, programs, progress);
    findings.iter().take(PRINTED).for_each(|finding| println!("{finding}"));
    let mut sorts = BTreeMap::<String, Vec<u64>>::new();
    for finding in &findings {
        sorts.entry(finding.sort()).or_default().push(finding.seed);
    }
    for (sort, seeds) in &sorts {
        println!("{} x {sort}: {:?}", seeds.len(), &seeds[..seeds.len().min(5)]);
    }
    let [failed, hangs, crashes, slow] =
        [Kind::Failed, Kind::Hang, Kind::Crash, Kind::Slow].map(|kind| count(&findings, kind));
    let cpu = cpu_of_children().map_or("unknown".to_string(), |cpu| format!("{cpu:.1}"));
    println!(
        "{programs} programs from {first} on: {failed} failed, {hangs} hangs, {crashes} crashes, \
         {slow} slow; {cpu} CPU seconds"
    );
    assert_eq!(failed + hangs + crashes, 0, "the runtime broke its promise; see above");
}

/// Does nothing unless a campaign started this process; see [`runner`].
#[test]
fn programs_of_a_batch() {
    if let Ok(batch) = env::var(runner::BATCH) {
        runner::be_a_child(&batch);
    }
}

/// Prints the program that `RAFTLAB_HOSTILE_SHOW` names.
#[test]
fn a_program_can_be_shown() {
    let seed = number("RAFTLAB_HOSTILE_SHOW", 2);
    let text = generate::program(seed).to_string();
    println!("{text}");
    assert_eq!(text, generate::program(seed).to_string(), "a program is a function of its seed");
}
