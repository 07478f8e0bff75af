//! Divides a campaign among many machines: each does one shard, `raftlab merge` puts them together.

#[cfg(feature = "solutions")]
mod parts;
mod plan;

use std::num::NonZeroU64;

use clap::Args;

use crate::cli::args::at_least_one;
use crate::cli::course::seed;
use crate::cli::exit::Trouble;
#[cfg(feature = "solutions")]
pub(super) use parts::{EndLine, List, Part, PartArgs, PartFile, PartLine, Row};
pub(super) use plan::{Plan, PlanLine};

/// Arguments that select one shard of a campaign.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Many machines")]
pub(super) struct ShardArgs {
    /// Do only this shard, from 0 to N-1
    #[arg(long, value_name = "I", allow_negative_numbers = true, value_parser = seed,
          requires_all = ["job_count", "report"],
          conflicts_with_all = ["until_fail", "fail_fast", "classic"])]
    job_index: Option<u64>,
    /// Divide all runs into N shards, for `raftlab merge`. FILE appears when the shard is complete;
    /// then the exit status is 0, even if runs failed
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one,
          requires = "job_index")]
    job_count: Option<NonZeroU64>,
}

impl ShardArgs {
    /// The shard that the arguments select, if they do.
    pub(super) fn shard(&self) -> Result<Option<Shard>, Trouble> {
        match (self.job_index, self.job_count) {
            (Some(index), Some(count)) if index >= count.get() => Err(Trouble::Input(format!(
                "there is no shard {index} of {count}: shards are counted from 0; give \
                 --job-index a number from 0 to {}",
                count.get() - 1
            ))),
            (Some(index), Some(count)) => Ok(Some(Shard { index, count })),
            _ => Ok(None),
        }
    }
}

/// One of the equal parts of a campaign.
///
/// A campaign with R runs of each test has numbers for its runs: the first test has 0 to R - 1, in
/// the order of the seeds, the second test R to 2R - 1, and so on. Run q is in shard q mod N.
///
/// So the shards' sizes differ by one run at most. Since the runs of one test have consecutive
/// numbers, they too are spread evenly: of each test, one shard has at most one run more than
/// another. That holds for every N. With numbers in the order in which a campaign starts its runs,
/// test after test for each seed, it would not: if N divided the number of tests, each shard would
/// have all runs of a few tests, and the slow tests would be in the same shard for every seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    /// Its place among the shards; less than `count`.
    pub index: u64,
    /// The number of shards.
    pub count: NonZeroU64,
}

impl Shard {
    /// The place of the test, and the number of the seed, of the shard's run `number`. The place
    /// may be beyond the last test: then the shard has no such run.
    pub(super) fn run(self, number: u64, runs: NonZeroU64) -> (u64, u64) {
        let count = u128::from(self.count.get());
        let run = u128::from(self.index) + u128::from(number) * count;
        let runs = u128::from(runs.get());
        // Of the greatest numbers only the place can be too large for the type.
        let place = u64::try_from(run / runs).unwrap_or(u64::MAX);
        (place, u64::try_from(run % runs).expect("less than a number of this type"))
    }

    /// The index of the shard, of `count`, that does the run `number` of the plan.
    pub(super) fn of(number: u128, count: NonZeroU64) -> u64 {
        let index = number % u128::from(count.get());
        u64::try_from(index).expect("less than a number of this type")
    }

    /// The number of the shard's runs among the first `tests` tests.
    pub(super) fn runs_before(self, tests: u64, runs: NonZeroU64) -> u64 {
        let all = u128::from(tests) * u128::from(runs.get());
        let others = u128::from(self.count.get()) - 1 - u128::from(self.index);
        let own = (all + others) / u128::from(self.count.get());
        u64::try_from(own).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const fn number(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).expect("not 0")
    }

    /// The runs of a shard: place and round.
    fn runs(shard: Shard, tests: u64, runs: NonZeroU64) -> Vec<(u64, u64)> {
        let all = (0..).map(|number| shard.run(number, runs));
        all.take_while(|(place, _)| *place < tests).collect()
    }

    fn shards(count: u64) -> impl Iterator<Item = Shard> {
        (0..count).map(move |index| Shard { index, count: number(count) })
    }

    /// Numbers of tests, runs and shards, with and without common factors.
    const SIZES: [(u64, u64, u64); 8] = [
        (1, 1, 1),
        (6, 10, 3),
        (6, 10, 6),
        (6, 10, 7),
        (12, 4, 12),
        (5, 3, 20),
        (20, 100, 10),
        (7, 64, 16),
    ];

    #[test]
    fn every_run_is_in_one_shard() {
        for (tests, seeds, count) in SIZES {
            let all = shards(count).flat_map(|shard| runs(shard, tests, number(seeds)));
            let mut all: Vec<_> = all.collect();
            all.sort_unstable();
            let expected = (0..tests).flat_map(|place| (0..seeds).map(move |round| (place, round)));
            assert_eq!(all, expected.collect::<Vec<_>>(), "{tests} tests, {seeds} seeds, {count}");
        }
    }

    #[test]
    fn shards_are_even_for_each_test() {
        for (tests, seeds, count) in SIZES {
            let mut of_test = BTreeMap::<u64, Vec<usize>>::new();
            let mut sizes = Vec::new();
            for shard in shards(count) {
                let runs = runs(shard, tests, number(seeds));
                sizes.push(runs.len());
                for test in 0..tests {
                    let share = runs.iter().filter(|(place, _)| *place == test).count();
                    of_test.entry(test).or_default().push(share);
                }
            }
            let even =
                |shares: &[usize]| shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1;
            assert!(even(&sizes), "{tests} tests, {seeds} seeds: {sizes:?}");
            for (test, shares) in of_test {
                assert!(even(&shares), "{tests} tests, {seeds} seeds, test {test}: {shares:?}");
            }
        }
    }

    #[test]
    fn a_shard_knows_its_size_before_it_begins() {
        for (tests, seeds, count) in SIZES {
            for shard in shards(count) {
                for tests in 0..=tests {
                    let size = runs(shard, tests, number(seeds)).len() as u64;
                    assert_eq!(shard.runs_before(tests, number(seeds)), size, "{shard:?}");
                }
            }
        }
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        let shard = Shard { index: u64::MAX - 1, count: NonZeroU64::MAX };
        assert_eq!(shard.run(u64::MAX, NonZeroU64::MIN).0, u64::MAX);
        assert_eq!(shard.runs_before(u64::MAX, NonZeroU64::MAX), u64::MAX);
        let first = Shard { index: 0, count: NonZeroU64::MIN };
        assert_eq!(first.runs_before(2, NonZeroU64::MAX), u64::MAX, "more than can be counted");
    }
}
