//! The mark of one submission: the one result that every file is written from.

use serde::Serialize;

use super::policy::{Entry, Policy};
use super::trial::Judged;
use crate::lab::Scenario;

/// The result of one submission.
#[derive(Debug, Serialize)]
pub(super) struct Grade {
    pub(super) course: String,
    pub(super) name: String,
    /// Points, lateness counted.
    pub(super) points: f64,
    /// Points without lateness.
    pub(super) points_in_time: f64,
    pub(super) points_max: f64,
    pub(super) days_late: u64,
    /// Why no test could be run, if none could.
    pub(super) refused: Option<String>,
    /// Files of the submission that are changed or new, and were not used.
    pub(super) ignored: Vec<String>,
    /// What the machine could not keep from the programs.
    pub(super) sandbox: Option<&'static str>,
    /// CPU seconds of all runs.
    pub(super) cpu_s: f64,
    /// CPU seconds of the compiler; 0 if the submission was refused.
    pub(super) build_cpu_s: f64,
    /// The most memory that one process had, the compiler's included, in MB; 0 if the submission
    /// was refused.
    pub(super) memory_mb: u64,
    pub(super) tests: Vec<TestGrade>,
}

/// The result of one test.
#[derive(Debug, Serialize)]
pub(super) struct TestGrade {
    pub(super) test: &'static str,
    pub(super) part: &'static str,
    pub(super) points: f64,
    pub(super) points_max: f64,
    /// Runs that must pass.
    pub(super) need: u64,
    pub(super) passed: u64,
    pub(super) runs: Vec<Judged>,
}

impl TestGrade {
    /// Whether enough runs passed.
    pub(super) fn is_passed(&self) -> bool {
        self.passed >= self.need
    }

    /// The first run that failed with a seed that students know.
    pub(super) fn first_public_failure(&self) -> Option<&Judged> {
        self.runs.iter().find(|run| run.public && !run.passed)
    }

    /// The first run that failed.
    pub(super) fn first_failure(&self) -> Option<&Judged> {
        self.first_public_failure().or_else(|| self.runs.iter().find(|run| !run.passed))
    }
}

/// Marks the tests of an entry, given the runs of each; no runs if the submission was refused.
pub(super) fn entry(
    entry: &Entry<'_>,
    policy: &Policy,
    mut runs_of: impl FnMut(&'static Scenario) -> Vec<Judged>,
) -> Vec<TestGrade> {
    let need = entry.points.need.unwrap_or(policy.public + policy.private);
    let share = entry.points.points / entry.tests.len() as f64;
    let mut grades: Vec<TestGrade> = Vec::new();
    for test in &entry.tests {
        let runs = runs_of(test);
        let passed = runs.iter().filter(|run| run.passed).count() as u64;
        let points = if passed >= need { share } else { 0.0 };
        let (test, part) = (test.name, test.part.name());
        grades.push(TestGrade { test, part, points, points_max: share, need, passed, runs });
    }
    if entry.points.all_or_nothing && !grades.iter().all(TestGrade::is_passed) {
        grades.iter_mut().for_each(|grade| grade.points = 0.0);
    }
    grades
}

impl Grade {
    /// Adds up the tests. `days_late` of the command line counts if the policy has none.
    pub(super) fn of(name: &str, policy: &Policy, days_late: u64, tests: Vec<TestGrade>) -> Grade {
        let in_time: f64 = tests.iter().map(|test| test.points).sum();
        let days_late = policy.late.days.get(name).copied().unwrap_or(days_late);
        let too_late = policy.late.days_max.is_some_and(|most| days_late > most);
        let lost = (days_late as f64 * policy.late.percent_per_day / 100.0).min(1.0);
        let points = if too_late { 0.0 } else { in_time * (1.0 - lost) };
        let cpu_ms: f64 = tests.iter().flat_map(|test| &test.runs).map(|run| run.cpu_ms).sum();
        Grade {
            course: policy.title.clone(),
            name: name.to_string(),
            points: cents(points),
            points_in_time: cents(in_time),
            points_max: cents(tests.iter().map(|test| test.points_max).sum()),
            days_late,
            refused: None,
            ignored: Vec::new(),
            sandbox: None,
            cpu_s: cents(cpu_ms / 1e3),
            build_cpu_s: 0.0,
            memory_mb: 0,
            tests,
        }
    }

    /// Tests that passed, and all tests.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.tests.iter().filter(|test| test.is_passed()).count(), self.tests.len())
    }
}

/// Rounds to two decimal places.
pub(super) fn cents(points: f64) -> f64 {
    // No negative zero, which a sum of nothing is.
    (points * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
pub(super) mod testing {
    use super::{Grade, Policy, entry};
    use crate::cli::grade::trial::testing::judged;

    /// The grade if the runs of the first test of each entry end so, and all others pass.
    pub(crate) fn graded(policy: &Policy, first: [bool; 4], days_late: u64) -> Grade {
        let entries = policy.entries().unwrap();
        let tests = entries.iter().flat_map(|it| {
            let first_test = it.tests[0].name;
            entry(it, policy, |test| {
                let runs = if test.name == first_test { first } else { [true; 4] };
                runs.iter().map(|passed| judged(*passed)).collect()
            })
        });
        let tests = tests.collect();
        Grade::of("ann", policy, days_late, tests)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::graded;
    use crate::cli::grade::policy::testing::policy;

    #[test]
    fn a_test_passes_with_k_of_n_seeds() {
        let need_3 = policy("[[points]]\nof = ['2A']\npoints = 20\nneed = 3\n");
        let full = graded(&need_3, [true, true, false, true], 0);
        assert_eq!((full.points, full.points_max), (20.0, 20.0));
        let less = graded(&need_3, [true, false, false, true], 0);
        assert!(less.points < 20.0 && less.points > 15.0, "{}", less.points);
        let all = policy("[[points]]\nof = ['2A']\npoints = 20\n");
        assert!(graded(&all, [true, true, false, true], 0).points < 20.0, "all by default");
    }

    #[test]
    fn all_or_nothing_is_nothing_if_one_test_fails() {
        let all = policy("[[points]]\nof = ['2A']\npoints = 20\nall_or_nothing = true\n");
        assert_eq!(graded(&all, [true; 4], 0).points, 20.0);
        assert_eq!(graded(&all, [false, true, true, true], 0).points, 0.0);
    }

    #[test]
    fn each_late_day_costs_its_part() {
        let points = "[[points]]\nof = ['2A']\npoints = 20\n";
        let late = "[late]\npercent_per_day = 10\ndays_max = 3\n";
        let policy_of = |days: &str| policy(&format!("{points}{late}{days}"));
        assert_eq!(graded(&policy_of(""), [true; 4], 2).points, 16.0);
        assert_eq!(graded(&policy_of(""), [true; 4], 4).points, 0.0, "too late");
        let named = policy_of("[late.days]\nann = 1\n");
        assert_eq!(graded(&named, [true; 4], 0).points, 18.0);
    }
}
