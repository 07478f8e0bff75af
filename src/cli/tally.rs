//! Sums up the results of each test's runs, in constant memory per test.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::lab::{Report, Scenario};

/// Mean and deviation of a stream of numbers, by Welford's method (no sum of squares can overflow).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: u64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    spread: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.spread += distance * (value - self.mean);
    }

    /// The mean; 0 if there are no numbers.
    pub(super) const fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of the sample; `None` for fewer than two numbers.
    pub(super) fn deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.spread / (self.count - 1) as f64).sqrt())
    }
}

/// The results of one test's runs.
pub(super) struct TestTally {
    /// The test.
    pub scenario: &'static Scenario,
    /// The number of the test's runs that have ended.
    pub runs: u64,
    /// The number of runs that failed.
    pub failed: u64,
    /// The number of runs that could not be judged.
    pub undecided: u64,
    /// The number of runs that were cut short.
    pub cut_short: u64,
    /// Seconds on the run's own clock.
    pub seconds: Moments,
    /// CPU milliseconds.
    pub cpu_ms: Moments,
    /// Calls that the servers made.
    pub rpcs: Moments,
    /// Bytes of these calls.
    pub bytes: Moments,
    /// Entries committed.
    pub commits: Moments,
    /// Of the runs that failed, the one with the earliest seed of the campaign.
    pub first_failure: Option<Box<Report>>,
    /// Of the runs that could not be judged, the one with the earliest seed of the campaign.
    pub first_undecided: Option<Box<Report>>,
}

/// The results of a campaign.
pub(super) struct Tally {
    first_seed: u64,
    /// One tally per test, in the order of the list.
    pub tests: Vec<TestTally>,
    /// For each situation, the number of times that it occurred.
    pub situations: BTreeMap<&'static str, u64>,
    /// CPU time of all runs.
    pub cpu: Duration,
    /// The sum of the times of all runs, each on its own clock.
    pub elapsed: Duration,
}

impl Tally {
    /// The tally before any run.
    pub(super) fn new(scenarios: &[&'static Scenario], first_seed: u64) -> Tally {
        let tests = scenarios.iter().map(|scenario| TestTally {
            scenario,
            runs: 0,
            failed: 0,
            undecided: 0,
            cut_short: 0,
            seconds: Moments::default(),
            cpu_ms: Moments::default(),
            rpcs: Moments::default(),
            bytes: Moments::default(),
            commits: Moments::default(),
            first_failure: None,
            first_undecided: None,
        });
        Tally {
            first_seed,
            tests: tests.collect(),
            situations: BTreeMap::new(),
            cpu: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }

    /// Adds the result of one run. The order in which runs arrive makes no difference.
    pub(super) fn add(&mut self, report: Report) {
        for (&situation, times) in &report.situations {
            *self.situations.entry(situation).or_default() += times;
        }
        self.cpu += report.cpu;
        self.elapsed += report.elapsed;
        let first_seed = self.first_seed;
        let test = self
            .tests
            .iter_mut()
            .find(|test| test.scenario.name == report.test)
            .expect("only chosen tests are run");
        test.add(report, first_seed);
    }

    /// The tests of which a run has ended.
    pub(super) fn tests_run(&self) -> Vec<&'static Scenario> {
        self.tests.iter().filter(|test| test.runs > 0).map(|test| test.scenario).collect()
    }

    /// The number of runs that have ended.
    pub(super) fn runs(&self) -> u64 {
        self.tests.iter().map(|test| test.runs).sum()
    }

    /// The number of runs that failed.
    pub(super) fn failed(&self) -> u64 {
        self.tests.iter().map(|test| test.failed).sum()
    }

    /// The number of runs that could not be judged.
    pub(super) fn undecided(&self) -> u64 {
        self.tests.iter().map(|test| test.undecided).sum()
    }

    /// The number of runs that were cut short.
    pub(super) fn cut_short(&self) -> u64 {
        self.tests.iter().map(|test| test.cut_short).sum()
    }
}

impl TestTally {
    fn add(&mut self, report: Report, first_seed: u64) {
        self.runs += 1;
        self.failed += u64::from(report.failure.is_some());
        self.undecided += u64::from(report.undecided.is_some());
        self.cut_short += u64::from(report.cut_short.is_some());
        self.seconds.add(report.elapsed.as_secs_f64());
        self.cpu_ms.add(report.cpu.as_secs_f64() * 1e3);
        self.rpcs.add(report.rpcs as f64);
        self.bytes.add(report.bytes as f64);
        self.commits.add(report.commits as f64);
        let place = match (&report.failure, &report.undecided) {
            (Some(_), _) => &mut self.first_failure,
            (None, Some(_)) => &mut self.first_undecided,
            (None, None) => return,
        };
        let round = |report: &Report| report.seed.wrapping_sub(first_seed);
        if place.as_deref().is_none_or(|first| round(first) >= round(&report)) {
            *place = Some(Box::new(report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sample;
    use crate::lab::find_scenario;

    #[test]
    fn a_campaign_that_ends_early_has_run_only_some_tests() {
        let tests = ["figure8_2c", "basic_agree_2b"].map(|name| find_scenario(name).unwrap());
        let mut tally = Tally::new(&tests, 1);
        assert!(tally.tests_run().is_empty(), "none has ended");
        tally.add(sample::failed(1));
        let names: Vec<_> = tally.tests_run().iter().map(|test| test.name).collect();
        assert_eq!(names, ["figure8_2c"]);
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.deviation()), (0.0, None));
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            moments.add(value);
        }
        assert_eq!(moments.mean(), 5.0);
        let deviation = moments.deviation().unwrap();
        assert!((deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12, "{deviation}");
    }
}
