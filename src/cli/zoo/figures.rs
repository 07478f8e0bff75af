//! The figures: for each bug and test, how many seeds it takes until the test catches the bug.
//!
//! The seeds of a test are cut after each failure. The pieces are disjoint blocks, each with the
//! seeds that it took to catch the bug once more:
//!
//! ```text
//! seed      1  2  3  4  5  6  7  8  9 10
//! fails           x        x     x
//! block    ------- -------- ----- ------     3, 3, 2, and more than 2 seeds
//! ```
//!
//! The last block may end without a failure: then it took more seeds than the block has.

use serde::Serialize;

use super::bugs::{Bug, Kind};
use super::results::Found;

/// A number of seeds until a bug is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Until {
    /// Number of seeds that were run, the catching one included.
    pub seeds: u64,
    /// Whether the last of them did not catch the bug either.
    pub more: bool,
}

impl Until {
    /// Whether at most `seeds` seeds caught the bug.
    pub(super) const fn is_within(self, seeds: u64) -> bool {
        !self.more && self.seeds <= seeds
    }

    /// For people: `3`, or `>20`.
    pub(super) fn shown(self) -> String {
        format!("{}{}", if self.more { ">" } else { "" }, self.seeds)
    }
}

/// The seeds of one test, or of all of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocks(Vec<Until>);

impl Blocks {
    /// Cuts the `count` seeds from `first` on after each one in `failed`, which is sorted.
    pub(super) fn of(first: u64, count: u64, failed: &[u64]) -> Blocks {
        let mut begins = first;
        let mut blocks = Vec::new();
        for seed in failed {
            blocks.push(Until { seeds: seed + 1 - begins, more: false });
            begins = seed + 1;
        }
        if begins < first + count {
            blocks.push(Until { seeds: first + count - begins, more: true });
        }
        blocks.sort_unstable();
        Blocks(blocks)
    }

    /// The number of seeds that is enough for `percent` of a hundred blocks; 0 without any seed.
    pub(super) fn percentile(&self, percent: usize) -> Until {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        let last = Until { seeds: 0, more: true };
        self.0.get(rank - 1).copied().unwrap_or(last)
    }
}

/// The figures of one test on one bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestFigures {
    /// The test.
    pub name: String,
    /// Number of seeds.
    pub runs: u64,
    /// Number of seeds with which the test failed.
    pub failed: usize,
    /// The first of them.
    pub first_failed: Option<u64>,
    /// Seeds until the test catches the bug, in half of all cases.
    pub median: Until,
    /// The same for 95 of 100 cases.
    pub most: Until,
    /// What the first failure broke; empty if there is none.
    pub by: String,
}

/// What became of a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// A test failed, as it must.
    Caught,
    /// No test failed; none need to, or it is healthy.
    Unseen,
    /// No test failed, but one must; or a test passed that the tick core's bug must not pass.
    Missed,
    /// The variant has no bug, but a test failed.
    Accused,
}

impl Verdict {
    /// Whether it is what ought to happen.
    pub(super) const fn is_right(self) -> bool {
        matches!(self, Verdict::Caught | Verdict::Unseen)
    }
}

/// The figures of one bug.
#[derive(Debug, Clone)]
pub(super) struct BugFigures {
    /// The bug.
    pub bug: Bug,
    /// What became of it.
    pub verdict: Verdict,
    /// All its tests together: the first one that catches it, and seeds until any of them does.
    pub whole: TestFigures,
    /// Each of its tests, in the suite's order; of the tick core's only those that failed.
    pub tests: Vec<TestFigures>,
    /// CPU time of all runs.
    pub cpu_ms: u64,
}

impl BugFigures {
    /// The figures of `bug`, whose tests `found` this. Each test has its number of seeds from
    /// `first` on.
    pub(super) fn new(bug: &Bug, first: u64, found: &[(Found, u64)], cpu_ms: u64) -> BugFigures {
        let tests: Vec<_> = found.iter().map(|(found, runs)| of(first, *runs, found)).collect();
        let mut failed: Vec<u64> = found.iter().flat_map(|(it, _)| it.failed.clone()).collect();
        failed.sort_unstable();
        failed.dedup();
        let catcher = found
            .iter()
            .find(|(it, _)| failed.first().is_some_and(|seed| it.failed.first() == Some(seed)));
        let (test, by) =
            catcher.map_or_else(Default::default, |(it, _)| (it.test.clone(), it.by.clone()));
        // A test that always fails may have fewer seeds than the others; it would fail with those.
        let always = found.iter().filter(|(it, runs)| it.failed.len() as u64 == *runs);
        let always = always.map(|(_, runs)| *runs).max();
        let most = found.iter().map(|(_, runs)| *runs).max().unwrap_or(1);
        let runs = always.unwrap_or(most);
        failed.retain(|seed| *seed < first.saturating_add(runs));
        let whole = of(first, runs, &Found { test, failed, by });
        let verdict = verdict(bug, &tests, whole.failed > 0);
        BugFigures { bug: bug.clone(), verdict, whole, tests, cpu_ms }
    }

    /// The test that catches the bug with the fewest seeds, the first one in the suite's order.
    pub(super) fn best(&self) -> Option<&TestFigures> {
        let catching = self.tests.iter().filter(|test| test.failed > 0);
        catching.min_by_key(|test| (test.median, test.most))
    }

    /// Number of tests that catch it.
    pub(super) fn catching(&self) -> usize {
        self.tests.iter().filter(|test| test.failed > 0).count()
    }

    /// The tests of the tick core that pass although the patch says that they fail.
    pub(super) fn passing(&self) -> Vec<&str> {
        if self.bug.kind != Kind::Core {
            return Vec::new();
        }
        let failed = |name: &&str| self.tests.iter().any(|test| test.name == *name);
        let named = self.bug.header.caught_by.iter().map(String::as_str);
        named.filter(|name| !failed(name)).collect()
    }
}

fn of(first: u64, runs: u64, found: &Found) -> TestFigures {
    let blocks = Blocks::of(first, runs, &found.failed);
    TestFigures {
        name: found.test.clone(),
        runs,
        failed: found.failed.len(),
        first_failed: found.failed.first().copied(),
        median: blocks.percentile(50),
        most: blocks.percentile(95),
        by: found.by.clone(),
    }
}

fn verdict(bug: &Bug, tests: &[TestFigures], caught: bool) -> Verdict {
    let named = |name: &String| tests.iter().any(|test| test.name == *name && test.failed > 0);
    if caught && bug.is_healthy() {
        Verdict::Accused
    } else if bug.kind == Kind::Core && !bug.header.caught_by.iter().all(named) {
        Verdict::Missed
    } else if caught {
        Verdict::Caught
    } else if bug.must_be_caught() {
        Verdict::Missed
    } else {
        Verdict::Unseen
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::bugs::tests::bug;
    use super::*;

    /// The figures of a bug, whose tests failed with these seeds of 1 to 4.
    pub(in crate::cli::zoo) fn figures(
        name: &str,
        healthy: bool,
        tests: &[(&str, &[u64])],
    ) -> BugFigures {
        let found = tests.iter().map(|(test, failed)| {
            let by = "rule".to_string();
            (Found { test: (*test).to_string(), failed: failed.to_vec(), by }, 4)
        });
        BugFigures::new(&bug(Kind::Raft, name, healthy), 1, &found.collect::<Vec<_>>(), 0)
    }

    #[test]
    fn seeds_are_cut_after_each_failure() {
        let until = |seeds, more| Until { seeds, more };
        let blocks = Blocks::of(1, 10, &[3, 6, 8]);
        let expected = vec![until(2, false), until(2, true), until(3, false), until(3, false)];
        assert_eq!(blocks, Blocks(expected), "as in the module's picture");
        assert_eq!(Blocks::of(5, 2, &[5, 6]), Blocks(vec![until(1, false), until(1, false)]));
        assert_eq!(Blocks::of(5, 3, &[]), Blocks(vec![until(3, true)]));
    }

    #[test]
    fn a_percentile_is_enough_for_that_part_of_the_blocks() {
        let blocks = Blocks::of(1, 10, &[3, 6, 8]);
        assert_eq!(blocks.percentile(50).shown(), ">2", "the second of four");
        assert_eq!(blocks.percentile(75).shown(), "3");
        let blocks = Blocks::of(1, 20, &(1..=18).chain([20]).collect::<Vec<_>>());
        assert_eq!(
            (blocks.percentile(50).shown(), blocks.percentile(95).shown()),
            ("1".into(), "2".into())
        );
        assert!(!Until { seeds: 2, more: true }.is_within(9), "nobody knows how many it takes");
    }

    #[test]
    fn a_bug_is_caught_by_any_test_and_named_after_the_first_of_the_suite() {
        let it = figures("x", false, &[("a_2a", &[3]), ("b_2a", &[2]), ("c_2a", &[2, 3, 4])]);
        assert_eq!(it.whole.name, "b_2a", "with the first seed that fails, in the suite's order");
        assert_eq!((it.whole.first_failed, it.whole.failed), (Some(2), 3));
        assert_eq!((it.whole.median.seeds, it.whole.most.seeds), (1, 2));
        assert_eq!(it.best().map(|test| test.name.as_str()), Some("c_2a"));
        assert_eq!((it.catching(), it.verdict), (3, Verdict::Caught));
    }

    #[test]
    fn verdicts_follow_from_what_must_happen() {
        let verdict = |healthy, failed: &[u64]| figures("x", healthy, &[("a_2a", failed)]).verdict;
        assert_eq!(verdict(true, &[]), Verdict::Unseen);
        assert_eq!(verdict(true, &[1]), Verdict::Accused);
        assert_eq!(verdict(false, &[]), Verdict::Missed);
        let mut rare = bug(Kind::Raft, "rare", false);
        rare.header.unseen = Some("harmless".to_string());
        assert_eq!(BugFigures::new(&rare, 1, &[], 0).verdict, Verdict::Unseen);
    }

    #[test]
    fn a_bug_of_the_core_must_fail_every_test_that_its_patch_names() {
        let mut core = bug(Kind::Core, "x", false);
        core.header.caught_by = vec!["a".to_string(), "b".to_string()];
        let failed =
            |test: &str| (Found { test: test.to_string(), failed: vec![1], by: String::new() }, 1);
        let one = BugFigures::new(&core, 1, &[failed("a"), failed("c")], 0);
        assert_eq!((one.verdict, one.passing()), (Verdict::Missed, vec!["b"]));
        let both = BugFigures::new(&core, 1, &[failed("a"), failed("b")], 0);
        assert_eq!((both.verdict, both.passing()), (Verdict::Caught, vec![]));
    }
}
