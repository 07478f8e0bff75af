//! The report file: one JSON object per run, written when the run ends, and a summary at the end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::lab::Report;
use crate::runtime::{Clock, Failure};
use serde::Serialize;

use crate::cli::exit::{Status, Trouble};
use crate::cli::tally::Tally;

#[derive(Serialize)]
struct RunLine<'a> {
    test: &'a str,
    part: &'a str,
    design: &'a str,
    clock: String,
    schedule: String,
    seed: u64,
    ok: bool,
    undecided: bool,
    cut_short: bool,
    virtual_s: f64,
    wall_ms: f64,
    cpu_ms: Option<f64>,
    rpcs: u64,
    bytes: u64,
    commits: u64,
    hash: Option<String>,
    failure: Option<FailureLine<'a>>,
}

#[derive(Serialize)]
struct FailureLine<'a> {
    kind: String,
    name: &'a str,
    message: &'a str,
    at_s: f64,
    replay: Option<String>,
}

#[derive(Serialize)]
struct SummaryLine {
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    tests: usize,
    runs: u64,
    failed: u64,
    undecided: u64,
    cut_short: u64,
    interrupted: bool,
    virtual_s: f64,
    cpu_ms: Option<f64>,
}

/// The line of one run, without its end.
pub(super) fn line(report: &Report) -> String {
    serde_json::to_string(&RunLine::from(report)).expect("it has plain fields")
}

/// A report file that is being written.
pub(super) struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    /// Creates the file. To be called before the first run, so that a bad path costs no time.
    pub(super) fn create(path: &Path) -> Result<ReportFile, Trouble> {
        let file = File::create(path).map_err(|error| {
            let path = path.display();
            Trouble::Input(format!(
                "cannot create the report file {path}: {error}; give --report a file in a \
                 folder that exists and can be written to"
            ))
        })?;
        Ok(ReportFile { path: path.to_path_buf(), file })
    }

    /// Adds the line of one run.
    pub(super) fn run(&mut self, report: &Report) -> Result<(), Trouble> {
        self.line(&RunLine::from(report))
    }

    /// Adds the last line, the summary.
    pub(super) fn summary(&mut self, tally: &Tally, status: Status) -> Result<(), Trouble> {
        self.line(&SummaryLine {
            summary: Summary {
                tests: tally.tests.len(),
                runs: tally.runs(),
                failed: tally.failed(),
                undecided: tally.undecided(),
                cut_short: tally.cut_short(),
                interrupted: status == Status::Interrupted,
                virtual_s: rounded(tally.elapsed.as_secs_f64()),
                cpu_ms: known_ms(tally.cpu),
            },
        })
    }

    /// Writes a line in one call, so that a program that reads the file meanwhile sees whole lines.
    fn line(&mut self, line: &impl Serialize) -> Result<(), Trouble> {
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.write_all(&bytes)?;
            self.file.flush()
        });
        written.map_err(|error| {
            let path = self.path.display();
            Trouble::Machine(format!(
                "cannot write to the report file {path}: {error}; make room, or give --report \
                 a file elsewhere"
            ))
        })
    }
}

impl<'a> From<&'a Report> for RunLine<'a> {
    fn from(report: &'a Report) -> RunLine<'a> {
        RunLine {
            test: report.test,
            part: report.part.name(),
            design: report.design,
            clock: report.clock.to_string(),
            schedule: report.schedule.to_string(),
            seed: report.seed,
            ok: report.ok,
            undecided: report.undecided.is_some(),
            cut_short: report.cut_short.is_some(),
            virtual_s: rounded(report.elapsed.as_secs_f64()),
            wall_ms: rounded(report.wall.as_secs_f64() * 1e3),
            cpu_ms: known_ms(report.cpu),
            rpcs: report.rpcs,
            bytes: report.bytes,
            commits: report.commits,
            hash: (report.clock == Clock::Virtual).then(|| format!("{:016x}", report.hash)),
            failure: report.failure.as_ref().map(|failure| of_failure(failure, report)),
        }
    }
}

fn of_failure<'a>(failure: &'a Failure, report: &Report) -> FailureLine<'a> {
    FailureLine {
        kind: failure.kind.to_string(),
        name: &failure.name,
        message: &failure.message,
        at_s: rounded(failure.at.as_secs_f64()),
        replay: (report.clock == Clock::Virtual).then(|| report.replay_line()),
    }
}

/// CPU time in milliseconds; `None` if the system does not report it.
fn known_ms(cpu: Duration) -> Option<f64> {
    (!cpu.is_zero()).then(|| rounded(cpu.as_secs_f64() * 1e3))
}

/// Rounds to six decimal places: to microseconds, if `value` is in seconds.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample;

    fn json(report: &Report) -> String {
        serde_json::to_string(&RunLine::from(report)).unwrap()
    }

    #[test]
    fn a_run_is_the_line_that_scripts_read() {
        let passed = r#"{"test":"figure8_2c","part":"2C","design":"rpc","clock":"virtual","#
            .to_string()
            + r#""schedule":"random","seed":7,"ok":true,"undecided":false,"cut_short":false,"virtual_s":31.2,"#
            + r#""wall_ms":2.9,"cpu_ms":2.8,"rpcs":959,"bytes":12390,"commits":32,"#
            + r#""hash":"000000000000f00d","failure":null}"#;
        assert_eq!(json(&sample::passed(7)), passed);
    }

    #[test]
    fn a_failure_is_what_scripts_read() {
        let failure = r#""failure":{"kind":"observer","name":"LogMatching","#.to_string()
            + r#""message":"S1 and S2 differ at 4/7\nS1 has 3 bytes, S2 has 5","at_s":3.412078,"#
            + r#""replay":"raftlab replay figure8_2c --seed 7 --design rpc"}}"#;
        let line = json(&sample::failed(7));
        assert!(line.ends_with(&failure), "{line}");
        assert!(line.contains(r#""ok":false"#), "{line}");
    }

    #[test]
    fn a_history_that_cannot_be_judged_is_not_ok() {
        let line = json(&sample::undecided(7));
        assert!(line.contains(r#""ok":false,"undecided":true"#), "{line}");
        assert!(line.ends_with(r#""failure":null}"#), "{line}");
    }

    #[test]
    fn a_run_on_the_real_clock_has_neither_hash_nor_replay() {
        let line = json(&Report { clock: Clock::Real, ..sample::failed(7) });
        assert!(line.contains(r#""hash":null"#), "{line}");
        assert!(line.contains(r#""replay":null"#), "{line}");
    }
}
