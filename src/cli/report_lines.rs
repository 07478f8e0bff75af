//! The lines of a report file: what `raftlab test` writes and what other commands read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lab::{Report, Scenario};
use crate::runtime::{Choices, Clock, Failure, FailureKind, Kept, Schedule, Turns};

use crate::cli::tally::Tally;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunLine {
    pub test: String,
    pub part: String,
    pub design: String,
    pub clock: String,
    pub schedule: String,
    pub seed: u64,
    pub ok: bool,
    pub undecided: bool,
    pub cut_short: bool,
    /// Seconds on the run's own clock.
    pub virtual_s: f64,
    pub wall_ms: f64,
    /// `None` if the system does not report CPU time.
    pub cpu_ms: Option<f64>,
    pub rpcs: u64,
    pub bytes: u64,
    pub commits: u64,
    /// 16 hexadecimal digits; `None` on the real clock.
    pub hash: Option<String>,
    pub failure: Option<FailureLine>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FailureLine {
    pub kind: String,
    pub name: String,
    pub message: String,
    /// Seconds on the run's own clock.
    pub at_s: f64,
    /// `None` on the real clock.
    pub replay: Option<String>,
}

/// The last line of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SummaryLine {
    pub summary: Summary,
}

/// All runs of a report together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    pub tests: usize,
    pub runs: u64,
    pub failed: u64,
    pub undecided: u64,
    pub cut_short: u64,
    /// Whether Ctrl-C ended the campaign.
    pub interrupted: bool,
    pub virtual_s: f64,
    pub cpu_ms: Option<f64>,
}

impl From<&Report> for RunLine {
    fn from(report: &Report) -> RunLine {
        RunLine {
            test: report.test.to_string(),
            part: report.part.name().to_string(),
            design: report.design.to_string(),
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

fn of_failure(failure: &Failure, report: &Report) -> FailureLine {
    FailureLine {
        kind: failure.kind.to_string(),
        name: failure.name.clone(),
        message: failure.message.clone(),
        at_s: rounded(failure.at.as_secs_f64()),
        replay: (report.clock == Clock::Virtual).then(|| report.replay_line()),
    }
}

impl RunLine {
    /// The line as a report, as far as the line has it: no record, no situations, and of a failure
    /// neither task nor place. `test` is the test that the line names; `design` and `strict` are
    /// those of its campaign.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub(super) fn report(
        &self,
        test: &'static Scenario,
        design: &'static str,
        strict: bool,
    ) -> Result<Report, String> {
        let hash = self.hash.as_deref().unwrap_or("0");
        Ok(Report {
            test: test.name,
            part: test.part,
            servers: test.servers,
            design,
            strict,
            clock: known(&[Clock::Virtual, Clock::Real], "clock", &self.clock)?,
            schedule: schedule(&self.schedule)?,
            seed: self.seed,
            kept: Kept::default(),
            choices: Choices::default(),
            turns: Turns::default(),
            missed_turns: 0,
            pending: Vec::new(),
            ok: self.ok,
            undecided: self.undecided.then(|| "the replay says what was not enough".to_string()),
            cut_short: self.cut_short.then(String::new),
            elapsed: seconds("virtual_s", self.virtual_s)?,
            wall: seconds("wall_ms", self.wall_ms / 1e3)?,
            cpu: seconds("cpu_ms", self.cpu_ms.unwrap_or(0.0) / 1e3)?,
            rpcs: self.rpcs,
            bytes: self.bytes,
            commits: self.commits,
            hash: u64::from_str_radix(hash, 16)
                .map_err(|_| format!("{hash:?} is no hash of 16 hexadecimal digits"))?,
            thread_left: false,
            failure: self.failure.as_ref().map(FailureLine::failure).transpose()?,
            situations: BTreeMap::new(),
            histories: Vec::new(),
            record: Vec::new(),
        })
    }

    /// Whether two lines are of the same run with the same result. Only the times that the machine
    /// took may differ.
    pub(super) fn agrees_with(&self, other: &RunLine) -> bool {
        let timeless = |line: &RunLine| RunLine { wall_ms: 0.0, cpu_ms: None, ..line.clone() };
        timeless(self) == timeless(other)
    }
}

impl FailureLine {
    fn failure(&self) -> Result<Failure, String> {
        use FailureKind::{Assertion, Deadlock, Limit, Livelock, Observer, Panic};

        let kinds = [Observer, Assertion, Panic, Deadlock, Livelock, Limit];
        Ok(Failure {
            kind: known(&kinds, "kind of failure", &self.kind)?,
            name: self.name.clone(),
            message: self.message.clone(),
            task: String::new(),
            label: None,
            place: String::new(),
            at: seconds("at_s", self.at_s)?,
        })
    }
}

impl SummaryLine {
    /// The summary of the runs in `tally`.
    pub(super) fn of(tally: &Tally, interrupted: bool) -> SummaryLine {
        SummaryLine {
            summary: Summary {
                tests: tally.tests.len(),
                runs: tally.runs(),
                failed: tally.failed(),
                undecided: tally.undecided(),
                cut_short: tally.cut_short(),
                interrupted,
                virtual_s: rounded(tally.elapsed.as_secs_f64()),
                cpu_ms: known_ms(tally.cpu),
            },
        }
    }
}

/// The schedule called `name`.
pub(super) fn schedule(name: &str) -> Result<Schedule, String> {
    known(&[Schedule::Fifo, Schedule::Random, Schedule::Hostile], "schedule", name)
}

/// The one of `all` that is written as `name`.
fn known<T: Copy + ToString>(all: &[T], what: &str, name: &str) -> Result<T, String> {
    let found = all.iter().find(|one| one.to_string() == name);
    found.copied().ok_or_else(|| format!("no {what} is called {name:?}"))
}

/// A time in seconds, of the field `field`.
fn seconds(field: &str, value: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value).map_err(|error| format!("{field}: {error}"))
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
    use crate::lab::find_scenario;

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

    /// The line of `report`, read again as a report.
    fn read(report: &Report) -> Result<Report, String> {
        let line: RunLine = serde_json::from_str(&json(report)).unwrap();
        line.report(find_scenario("figure8_2c").unwrap(), "rpc", report.strict)
    }

    #[test]
    fn a_line_that_is_read_gives_the_same_line_again() {
        let cut = Report { cut_short: Some("no leader".into()), ..sample::passed(1) };
        let strict = Report { strict: true, ..sample::failed(3) };
        let hostile = Report { schedule: Schedule::Hostile, ..sample::failed(3) };
        let real = Report { clock: Clock::Real, cpu: Duration::ZERO, ..sample::failed(3) };
        for report in [sample::passed(1), sample::undecided(2), cut, strict, hostile, real] {
            assert_eq!(json(&read(&report).unwrap()), json(&report));
        }
    }

    #[test]
    fn a_line_with_impossible_values_is_refused() {
        let line = RunLine::from(&sample::failed(7));
        let test = find_scenario("figure8_2c").unwrap();
        let refused = |line: RunLine| line.report(test, "rpc", false).unwrap_err();
        let clock = RunLine { clock: "sundial".into(), ..line.clone() };
        assert_eq!(refused(clock), r#"no clock is called "sundial""#);
        let time = RunLine { virtual_s: -1.0, ..line.clone() };
        assert!(refused(time).starts_with("virtual_s: "), "a negative time");
        let hash = RunLine { hash: Some("xyz".into()), ..line };
        assert_eq!(refused(hash), r#""xyz" is no hash of 16 hexadecimal digits"#);
    }

    #[test]
    fn copies_of_a_run_may_differ_in_the_machines_time_only() {
        let line = RunLine::from(&sample::passed(7));
        let slower = RunLine { wall_ms: 9.0, cpu_ms: Some(8.0), ..line.clone() };
        assert!(line.agrees_with(&slower), "another machine is slower");
        let hash = RunLine { hash: Some("0".repeat(16)), ..line.clone() };
        assert!(!line.agrees_with(&hash), "another hash is another course");
        assert!(!line.agrees_with(&RunLine { ok: false, ..line.clone() }), "another outcome");
    }
}
