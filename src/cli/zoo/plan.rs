//! What to run: for each bug its tests, with how many seeds, and what is known of them already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::bugs::{Bug, Kind};
use super::copies;
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

/// A test whose first so many seeds all fail gets no more: it always fails, and costs the most.
const ALWAYS: u64 = 5;

/// The part whose tests only a build with a database has.
pub(super) const STORE: &str = "store";

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
            return vec![Piece { test: None, seeds: Seeds { first: 1, count: 1, always: None } }];
        }
        let mut pieces = Vec::new();
        for (test, count) in &self.tests {
            let mut done = 0;
            while done < *count {
                let size = BLOCK.min(count - done);
                // The seeds of a test have no gaps.
                let always = (*count <= BLOCK).then_some(ALWAYS);
                let seeds = Seeds { first: self.first + done, count: size, always };
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
        let design = match self.bug.kind {
            Kind::Store => copies::DESIGN.to_string(),
            _ => self.bug.name().to_string(),
        };
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
        let stopped = blocks.iter().filter_map(|block| Some((block.found.first()?, block.runs?)));
        let stopped: BTreeMap<&str, u64> =
            stopped.map(|(found, runs)| (found.test.as_str(), runs)).collect();
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
        let runs = |name: &str, planned| stopped.get(name).copied().unwrap_or(planned);
        let found = tests.filter_map(|(name, planned)| {
            Some((joined.remove(name.as_str())?, runs(name, *planned)))
        });
        BugFigures::new(&self.bug, self.first, &found.collect::<Vec<_>>(), cpu_ms)
    }

    /// Whether more seeds may show the bug, which must be caught.
    pub(super) fn needs_more(&self, results: &Results) -> bool {
        self.bug.kind != Kind::Core && self.figures(results).verdict == Verdict::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::super::bugs::tests::bug;
    use super::super::figures::Until;
    use super::*;

    fn subject(caught_by: &[&str], seeds: Option<u64>, runs: Option<u64>) -> Subject {
        let mut rare = bug(Kind::Raft, "rare", false);
        rare.header.caught_by = caught_by.iter().map(ToString::to_string).collect();
        rare.header.seeds = seeds;
        let test = |name: &str, part: &str| Test { name: name.to_string(), part: part.to_string() };
        let tests = [test("a_2a", "2A"), test("b_2b", "2B"), test("c_3a", "3A")];
        Subject::new(&rare, (PathBuf::from("program"), 7), &tests, None, (1, runs))
    }

    fn counts(subject: &Subject) -> Vec<(&str, u64)> {
        subject.tests.iter().map(|(name, count)| (name.as_str(), *count)).collect()
    }

    #[test]
    fn a_rare_bug_has_more_seeds_of_the_tests_that_it_names() {
        let by = ["OneVotePerTerm", "b_2b"];
        assert_eq!(counts(&subject(&by, None, None)), [("a_2a", 20), ("b_2b", 20)]);
        assert_eq!(counts(&subject(&by, Some(90), None)), [("a_2a", 20), ("b_2b", 90)]);
        assert_eq!(counts(&subject(&by[..1], Some(90), None)), [("a_2a", 90), ("b_2b", 90)]);
        assert_eq!(counts(&subject(&by, Some(90), Some(3))), [("a_2a", 3), ("b_2b", 3)]);
    }

    #[test]
    fn a_bug_that_was_not_caught_has_more_seeds_up_to_a_thousand() {
        let mut subject = subject(&["b_2b"], None, None);
        assert!(subject.extend());
        assert_eq!(counts(&subject), [("a_2a", 20), ("b_2b", 40)]);
        let blocks = subject.len();
        while subject.extend() {}
        assert_eq!(counts(&subject)[1], ("b_2b", SEEDS_MAX));
        assert!(subject.len() > blocks, "the seeds are further blocks");
    }

    #[test]
    fn a_test_that_always_fails_has_the_seeds_that_were_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let mut results = Results::open(&path, false).unwrap_or_else(|it| panic!("{it}"));
        let subject = subject(&["b_2b"], None, None);
        for (key, _) in subject.tasks(&results) {
            let always = key.contains("b_2b");
            let test = if always { "b_2b" } else { "a_2a" }.to_string();
            let failed = if always { (1..=5).collect() } else { vec![7] };
            let found = vec![Found { test, failed, by: "rule".into() }];
            let block = Block { found, cpu_ms: 4, runs: always.then_some(5) };
            results.add(key, block).unwrap_or_else(|it| panic!("{it}"));
        }
        let figures = subject.figures(&results);
        let runs: Vec<_> = figures.tests.iter().map(|it| (&*it.name, it.failed, it.runs)).collect();
        assert_eq!(runs, [("a_2a", 1, 20), ("b_2b", 5, 5)]);
        let first = Until { seeds: 1, more: false };
        assert_eq!((figures.tests[1].most, figures.whole.most), (first, first), "none passed");
    }

    #[test]
    fn results_of_blocks_are_put_together_and_not_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let mut results = Results::open(&path, false).unwrap_or_else(|it| panic!("{it}"));
        let subject = subject(&["b_2b"], Some(40), None);
        let keys: Vec<String> = subject.tasks(&results).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 3, "two blocks of one test, and one of the other: {keys:?}");
        for key in &keys[1..] {
            let seed = if key.ends_with("21+20") { 25 } else { 5 };
            let found = Found { test: "b_2b".into(), failed: vec![seed], by: "rule".into() };
            let block = Block { found: vec![found], cpu_ms: 4, runs: None };
            results.add(key.clone(), block).unwrap_or_else(|it| panic!("{it}"));
        }
        assert_eq!(subject.tasks(&results).len(), 1);
        let figures = subject.figures(&results);
        assert_eq!((figures.whole.failed, figures.whole.runs, figures.cpu_ms), (2, 40, 8));
        assert_eq!(figures.whole.median.seeds, 15, "of 5, 20 and more than 15");
    }
}
