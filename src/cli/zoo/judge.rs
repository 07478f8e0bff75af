//! Runs a block of seeds on one variant, in processes of their own: a bug may end its process.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this code is outside any run: it waits for processes"
)]

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::results::{Block, Found};
use crate::cli::exit::Trouble;

/// How long the unit tests of a variant may take. A bug may make a test run for ever.
const UNIT_TESTS_MAX: Duration = Duration::from_secs(60);

/// How often a process that has a limit is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A block of seeds to run.
#[derive(Debug, Clone)]
pub(super) struct Seeds {
    /// The first seed.
    pub first: u64,
    /// Number of seeds.
    pub count: u64,
    /// If the first so many all fail, the others are not run.
    pub always: Option<u64>,
}

/// A run, as the report of `raftlab test` has it.
#[derive(Deserialize)]
struct Run {
    seed: u64,
    cpu_ms: Option<f64>,
    failure: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    kind: String,
    name: String,
    message: String,
}

/// Runs the test called `test` with all `seeds` on the design called `design` of `program`.
///
/// A process that dies in a run counts as a failure of that run.
///
/// # Errors
/// The process cannot be started, or says that the machine failed.
pub(super) fn suite(
    program: &Path,
    design: &str,
    test: &str,
    schedule: &str,
    seeds: &Seeds,
) -> Result<Block, Trouble> {
    let mut found = Found { test: test.to_string(), failed: Vec::new(), by: String::new() };
    let mut cpu = Duration::ZERO;
    let whole = seeds.first + seeds.count;
    let few = seeds.always.filter(|few| *few < seeds.count);
    let mut end = few.map_or(whole, |few| seeds.first + few);
    let mut next = seeds.first;
    let mut runs_done = None;
    while next < end {
        let mut command = Command::new(program);
        command
            .args(["test", test, "--design", design, "--schedule", schedule])
            .args(["--seed", &next.to_string(), "--runs", &(end - next).to_string()])
            .args(["--jobs", "1", "--quiet", "--report"]);
        let (runs, status, errors) = report(command)?;
        for run in runs {
            next = run.seed + 1;
            cpu += Duration::from_secs_f64(run.cpu_ms.unwrap_or(0.0) / 1000.0);
            if let Some(failure) = &run.failure {
                add(&mut found, run.seed, || broken(failure));
            }
        }
        match status.code() {
            // It may have ended early because a run left a thread behind that spins.
            Some(0 | 1 | 3) => {}
            Some(2 | 4 | 130) => return Err(Trouble::Machine(format!("{test}: {errors}"))),
            _ if next < end => {
                add(&mut found, next, || format!("the process died ({status}): {errors}"));
                next += 1;
            }
            _ => {}
        }
        if next == end && end < whole {
            match few.filter(|few| found.failed.len() as u64 == *few) {
                Some(few) => runs_done = Some(few),
                None => end = whole,
            }
        }
    }
    let cpu_ms = u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX);
    Ok(Block { found: vec![found], cpu_ms, runs: runs_done })
}

fn add(found: &mut Found, seed: u64, by: impl FnOnce() -> String) {
    if found.failed.is_empty() {
        found.by = by();
    }
    found.failed.push(seed);
}

/// Lets `command` write its report to a file; returns the report's runs, how the process ended, and
/// the last line of its errors.
fn report(mut command: Command) -> Result<(Vec<Run>, ExitStatus, String), Trouble> {
    let file = tempfile::NamedTempFile::new().map_err(|error| cannot("make a file", &error))?;
    let output = command
        .arg(file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| cannot("start a variant", &error))?;
    let text = fs::read_to_string(file.path()).map_err(|error| cannot("read a report", &error))?;
    // The last line is a summary, or cut short by the end of the process.
    let runs = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().last().unwrap_or_default().to_string();
    Ok((runs, output.status, last))
}

fn cannot(what: &str, error: &io::Error) -> Trouble {
    Trouble::Machine(format!("cannot {what}: {error}"))
}

/// What a failure broke, without its numbers: failures of one kind read alike.
fn broken(failure: &Failure) -> String {
    if failure.kind == "observer" {
        return failure.name.clone();
    }
    let first_line = failure.message.lines().next().unwrap_or_default();
    let words = first_line.split_whitespace();
    let words = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '/'));
    format!("{}: {}", failure.kind, words.take(8).collect::<Vec<_>>().join(" "))
}

/// Runs the unit tests of a variant of the tick core; what failed, failed with seed 1.
///
/// # Errors
/// The process cannot be started.
pub(super) fn unit_tests(program: &Path) -> Result<Block, Trouble> {
    let file = tempfile::NamedTempFile::new().map_err(|error| cannot("make a file", &error))?;
    let output = file.reopen().map_err(|error| cannot("open a file", &error))?;
    let mut child = Command::new(program)
        // One by one, so that the last line names the test that never ends.
        .args(["--test-threads", "1"])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| cannot("start a variant", &error))?;
    wait(&mut child).map_err(|error| cannot("wait for a variant", &error))?;
    let text = fs::read_to_string(file.path()).map_err(|error| cannot("read a report", &error))?;
    let found = text.lines().filter_map(unit_test).collect();
    Ok(Block { found, cpu_ms: 0, runs: None })
}

/// Waits until the process ends, and ends it if it takes too long.
fn wait(child: &mut Child) -> io::Result<()> {
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > UNIT_TESTS_MAX {
            child.kill()?;
            child.wait()?;
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// The test that has not passed, by a line `test tick::tests::x::name ... FAILED`.
fn unit_test(line: &str) -> Option<Found> {
    let (path, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let by = match end {
        "ok" | "ignored" => return None,
        "FAILED" => "assertion",
        _ => "the process died, or the test did not end",
    };
    // A test that must panic has a mark behind its name.
    let path = path.split(" - ").next().unwrap_or(path);
    let test = path.rsplit("::").next().unwrap_or(path).to_string();
    Some(Found { test, failed: vec![1], by: by.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_test_fails_unless_it_says_ok() {
        let failed = |line| unit_test(line).map(|it| it.test);
        assert_eq!(failed("test tick::tests::a::b_2aa ... ok"), None);
        assert_eq!(failed("test tick::tests::a::b_2aa ... FAILED"), Some("b_2aa".to_string()));
        assert_eq!(failed("test tick::tests::c - should panic ... FAILED"), Some("c".to_string()));
        assert_eq!(failed("test tick::tests::b_2ab ... "), Some("b_2ab".to_string()), "killed");
        assert_eq!(failed("test result: FAILED. 1 passed; 1 failed"), None);
        assert_eq!(failed("running 12 tests"), None);
    }

    #[test]
    fn failures_of_one_kind_read_alike() {
        let failure = |kind: &str, message: &str| Failure {
            kind: kind.to_string(),
            name: "OneVotePerTerm".to_string(),
            message: message.to_string(),
        };
        assert_eq!(broken(&failure("observer", "S1 voted twice")), "OneVotePerTerm");
        let one = broken(&failure("limit", "no leader after 5 s\nmore"));
        assert_eq!(one, "limit: no leader after s");
        assert_eq!(one, broken(&failure("limit", "no leader after 17 s")));
    }
}
