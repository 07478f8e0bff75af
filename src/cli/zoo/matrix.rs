//! The file that `--out` names: the figures of every bug and test, as JSON or CSV.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::figures::{BugFigures, TestFigures, Until, Verdict};
use crate::cli::exit::Trouble;
use crate::cli::table::csv_field;

/// The file, opened before the first run, so that a bad path costs no time.
pub(super) struct File {
    path: PathBuf,
    file: std::fs::File,
}

impl File {
    /// Opens the file, and leaves its contents until there are new figures.
    pub(super) fn open(path: &Path) -> Result<File, Trouble> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| {
            let advice = "give --out a file that can be written to";
            Trouble::Input(format!("cannot write to {}: {error}; {advice}", path.display()))
        })?;
        Ok(File { path: path.to_path_buf(), file })
    }

    /// Replaces the contents by `figures`, which were made with seeds from `seed` on.
    pub(super) fn write(mut self, figures: &[BugFigures], seed: u64) -> Result<(), Trouble> {
        let is_csv = self.path.extension().is_some_and(|it| it == "csv");
        let text = if is_csv { csv(figures) } else { json(figures, seed) };
        let written = self.file.set_len(0).and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|error| {
            Trouble::Machine(format!("cannot write to {}: {error}", self.path.display()))
        })
    }
}

#[derive(Serialize)]
struct Matrix<'a> {
    seed: u64,
    bugs: Vec<BugRow<'a>>,
}

#[derive(Serialize)]
struct BugRow<'a> {
    name: &'a str,
    kind: &'a str,
    bug: &'a str,
    verdict: Verdict,
    schedule: &'a str,
    cpu_ms: u64,
    /// All its tests together.
    whole: TestRow<'a>,
    tests: Vec<TestRow<'a>>,
}

#[derive(Serialize)]
struct TestRow<'a> {
    test: &'a str,
    runs: u64,
    failed: usize,
    first_failed: Option<u64>,
    /// Seeds until the bug is caught; `null` if it took more than were run.
    median: Option<u64>,
    percentile_95: Option<u64>,
    by: &'a str,
}

fn number(until: Until) -> Option<u64> {
    (!until.more).then_some(until.seeds)
}

impl<'a> From<&'a TestFigures> for TestRow<'a> {
    fn from(it: &'a TestFigures) -> TestRow<'a> {
        TestRow {
            test: &it.name,
            runs: it.runs,
            failed: it.failed,
            first_failed: it.first_failed,
            median: number(it.median),
            percentile_95: number(it.most),
            by: &it.by,
        }
    }
}

impl<'a> From<&'a BugFigures> for BugRow<'a> {
    fn from(it: &'a BugFigures) -> BugRow<'a> {
        BugRow {
            name: it.bug.name(),
            kind: it.bug.kind.name(),
            bug: &it.bug.header.bug,
            verdict: it.verdict,
            schedule: &it.bug.header.schedule,
            cpu_ms: it.cpu_ms,
            whole: (&it.whole).into(),
            tests: it.tests.iter().map(TestRow::from).collect(),
        }
    }
}

fn json(figures: &[BugFigures], seed: u64) -> String {
    let matrix = Matrix { seed, bugs: figures.iter().map(BugRow::from).collect() };
    serde_json::to_string_pretty(&matrix).expect("figures have string keys only") + "\n"
}

/// A row for each bug and test; the test `any` stands for all of them together.
fn csv(figures: &[BugFigures]) -> String {
    let mut text = "bug,kind,test,runs,failed,first_failed,median,percentile_95,by\n".to_string();
    for it in figures {
        let any = TestFigures { name: "any".to_string(), ..it.whole.clone() };
        for test in [&any].into_iter().chain(&it.tests) {
            let TestFigures { name, runs, failed, median, most, .. } = test;
            let first = test.first_failed.map(|seed| seed.to_string()).unwrap_or_default();
            let _ = writeln!(
                text,
                "{},{},{name},{runs},{failed},{first},{},{},{}",
                it.bug.name(),
                it.bug.kind.name(),
                median.shown(),
                most.shown(),
                csv_field(&test.by),
            );
        }
    }
    text
}
