//! What to run: for each bug its tests, with how many seeds, and what is known of them already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::bugs::{Bug, Kind};
use super::figures::{BugFigures, Verdict};
use super::judge::{self, Seeds};
use super::results::{Block, Found, Results};
use super::work::Task;
use crate::cli::exit::Trouble;

/// The default number of seeds of each bug and test: 95 % of 20 is a whole number.
pub(super) const RUNS: u64 = 20;

/// Number of seeds that a bug gets at most until a test has caught it.
pub(super) const SEEDS_MAX: u64 = 1000;

/// Number of seeds in a block: of a call that is stopped, at most these are lost for each job.
const BLOCK: u64 = 20;

/// A test of a program, as `raftlab list --json` prints it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Test {
    /// The test's name.
    pub name: String,
    /// The part that it belongs to.
    pub part: String,
}

/// The tests that `program` has, in the suite's order.
pub(super) fn tests(program: &PathBuf) -> Result<Vec<Test>, Trouble> {
    let output = Command::new(program).args(["list", "--json"]).output();
    let output = output.map_err(|error| Trouble::Machine(format!("cannot list tests: {error}")))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Trouble::Machine(format!("cannot read the list of tests: {error}")))
}

/// One variant, and what runs on it.
pub(super) struct Subject {
    bug: Bug,
    program: PathBuf,
    /// A number that differs if the program does.
    hash: u64,
    schedule: String,
    /// The tests, each with its number of seeds; of the tick core none.
    tests: Vec<(String, u64)>,
    first: u64,
}

/// One block of seeds of one subject.
struct Piece {
    test: Option<String>,
    seeds: Seeds,
}

impl Subject {
    /// What to run on `bug`: `runs` seeds from `first` on, or as many as its header says.
    pub(super) fn new(
        bug: &Bug,
        (program, hash): (PathBuf, u64),
        tests: &[Test],
        schedule: Option<&str>,
        (first, runs): (u64, Option<u64>),
    ) -> Subject {
        let judges = tests.iter().filter(|test| bug.is_judged_by(&test.part));
        let judges: Vec<String> = judges.map(|test| test.name.clone()).collect();
        let named: Vec<&String> =
            judges.iter().filter(|name| bug.header.caught_by.contains(name)).collect();
        let count = |name: &String| match (runs, bug.header.seeds) {
            (Some(runs), _) => runs,
            // A rare bug needs many seeds, but only of the tests that are made for it.
            (None, Some(seeds)) if named.is_empty() || named.contains(&name) => seeds.max(RUNS),
            _ => RUNS,
        };
        let tests = judges.iter().map(|name| (name.clone(), count(name))).collect();
        let schedule = schedule.unwrap_or(&bug.header.schedule).to_string();
        Subject { bug: bug.clone(), program, hash, schedule, tests, first }
    }

    /// Adds a block of seeds to the tests that have most of them already, unless they have enough.
    pub(super) fn extend(&mut self) -> bool {
        let most = self.tests.iter().map(|(_, count)| *count).max().unwrap_or(SEEDS_MAX);
        if most >= SEEDS_MAX {
            return false;
        }
        let named = |name: &String| self.bug.header.caught_by.contains(name);
        let any_named = self.tests.iter().any(|(name, _)| named(name));
        for (name, count) in &mut self.tests {
            if !any_named || self.bug.header.caught_by.contains(name) {
                *count = (most + BLOCK).min(SEEDS_MAX);
            }
        }
        true
    }

    fn pieces(&self) -> Vec<Piece> {
        if self.bug.kind == Kind::Core {
            return vec![Piece { test: None, seeds: Seeds { first: 1, count: 1 } }];
        }
        let mut pieces = Vec::new();
        for (test, count) in &self.tests {
            let mut done = 0;
            while done < *count {
                let size = BLOCK.min(count - done);
                let seeds = Seeds { first: self.first + done, count: size };
                pieces.push(Piece { test: Some(test.clone()), seeds });
                done += size;
            }
        }
        pieces
    }

    fn key(&self, piece: &Piece) -> String {
        let Piece { test, seeds } = piece;
        let test = test.as_deref().unwrap_or("unit-tests");
        let (first, count) = (seeds.first, seeds.count);
        format!("{} {:016x} {test} {} {first}+{count}", self.bug.name(), self.hash, self.schedule)
    }

    /// Number of blocks.
    pub(super) fn len(&self) -> usize {
        self.pieces().len()
    }

    /// The blocks that are not known yet, with their keys.
    pub(super) fn tasks(&self, results: &Results) -> Vec<(String, Task)> {
        let pieces = self.pieces().into_iter().map(|piece| (self.key(&piece), piece));
        let unknown = pieces.filter(|(key, _)| results.get(key).is_none());
        unknown.map(|(key, piece)| (key, self.task(piece))).collect()
    }

    fn task(&self, piece: Piece) -> Task {
        let (program, schedule) = (self.program.clone(), self.schedule.clone());
        let design = self.bug.name().to_string();
        match piece.test {
            None => Box::new(move || judge::unit_tests(&program)),
            Some(test) => {
                Box::new(move || judge::suite(&program, &design, &test, &schedule, &piece.seeds))
            }
        }
    }

    /// The figures of what is known.
    pub(super) fn figures(&self, results: &Results) -> BugFigures {
        let blocks = self.pieces().into_iter().filter_map(|piece| results.get(&self.key(&piece)));
        let blocks: Vec<&Block> = blocks.collect();
        let cpu_ms = blocks.iter().map(|block| block.cpu_ms).sum();
        let all = blocks.iter().flat_map(|block| &block.found);
        if self.bug.kind == Kind::Core {
            let found: Vec<_> = all.map(|found| (found.clone(), 1)).collect();
            return BugFigures::new(&self.bug, 1, &found, cpu_ms);
        }
        let mut joined: BTreeMap<&str, Found> = BTreeMap::new();
        for found in all {
            match joined.get_mut(found.test.as_str()) {
                None => drop(joined.insert(&found.test, found.clone())),
                Some(before) if before.failed.is_empty() => *before = found.clone(),
                Some(before) => before.failed.extend(&found.failed),
            }
        }
        let tests = self.tests.iter();
        let found = tests.filter_map(|(name, runs)| Some((joined.remove(name.as_str())?, *runs)));
        BugFigures::new(&self.bug, self.first, &found.collect::<Vec<_>>(), cpu_ms)
    }

    /// Whether more seeds may show the bug, which must be caught.
    pub(super) fn needs_more(&self, results: &Results) -> bool {
        self.bug.kind != Kind::Core && self.figures(results).verdict == Verdict::Missed
    }
}
