//! The policy of a course: which runs count, and what they are worth. A file in TOML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hmac_sha256::HMAC;
use serde::Deserialize;

use crate::cli::exit::Trouble;
use crate::cli::handout::files::Track;
use crate::lab::{self, DESIGNS, Part, Scenario};

/// The variable that has the secret, if the policy has none.
const SECRET_VARIABLE: &str = "RAFTLAB_SECRET";

/// The policy of a course.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// The course, for headings.
    pub(super) title: String,
    /// The project that students hand in: raft or tick.
    #[serde(default)]
    pub(super) track: Track,
    /// The schedule of all runs: fifo, random or hostile.
    #[serde(default = "random")]
    pub(super) schedule: String,
    /// Runs of each test with the seeds 1, 2, …, which students know.
    #[serde(default = "three")]
    pub(super) public: u64,
    /// Runs of each test with seeds that follow from the secret.
    #[serde(default)]
    pub(super) private: u64,
    /// Whether each submission has private seeds of its own.
    #[serde(default)]
    pub(super) per_submission: bool,
    /// The secret. Without it, and without the variable `RAFTLAB_SECRET`, there are no private
    /// runs.
    secret: Option<String>,
    /// Runs of each test that are done twice, in two processes, to see whether they are the same.
    #[serde(default = "one")]
    pub(super) twice: u64,
    /// What the programs of a submission may use.
    #[serde(default)]
    pub(super) limits: Limits,
    /// What the tests are worth.
    pub(super) points: Vec<Points>,
    /// What a late submission loses.
    #[serde(default)]
    pub(super) late: Late,
}

/// What the programs of a submission may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// CPU seconds of one process, which does all runs of one test.
    pub(super) cpu_s: u64,
    /// Seconds of wall time of one process.
    pub(super) wall_s: u64,
    /// Address space of one process, in MB.
    pub(super) memory_mb: u64,
    /// What one process may print, in kB, results included.
    pub(super) output_kb: u64,
    /// Processes and threads of one submission at a time.
    pub(super) processes: u64,
    /// CPU seconds of the compiler.
    pub(super) build_cpu_s: u64,
    /// Address space of the compiler, in MB.
    pub(super) build_memory_mb: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            cpu_s: 300,
            wall_s: 1200,
            memory_mb: 4096,
            output_kb: 4096,
            processes: 64,
            build_cpu_s: 600,
            build_memory_mb: 8192,
        }
    }
}

/// What some tests are worth.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Points {
    /// Parts or tests. A test that an entry names does not count in the entry of its part.
    pub(super) of: Vec<String>,
    /// Points, divided equally among the tests.
    pub(super) points: f64,
    /// Runs of a test that must pass (default: all of them).
    pub(super) need: Option<u64>,
    /// Whether one test that does not pass costs all points of the entry.
    #[serde(default)]
    pub(super) all_or_nothing: bool,
}

/// What a late submission loses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Late {
    /// Part of the points, in percent, that each day costs.
    pub(super) percent_per_day: f64,
    /// The number of days after which a submission has no points.
    pub(super) days_max: Option<u64>,
    /// The days by which each submission is late, by its name.
    pub(super) days: BTreeMap<String, u64>,
}

fn random() -> String {
    "random".to_string()
}

const fn one() -> u64 {
    1
}

const fn three() -> u64 {
    3
}

/// Whether the project of `track` has `test`. A tick core has no key/value service, and some tests
/// of the course are about calls that it does not make.
fn has(track: Track, test: &Scenario) -> bool {
    let tick = || DESIGNS.iter().find(|design| design.name == "tick");
    match track {
        Track::Raft => true,
        Track::Tick => test.part <= Part::P2D && tick().is_some_and(|tick| tick.can_play(test)),
    }
}

/// An entry of the policy, with its tests.
pub(super) struct Entry<'a> {
    pub(super) points: &'a Points,
    pub(super) tests: Vec<&'static Scenario>,
}

impl Policy {
    /// Reads the policy in `file`.
    pub(super) fn read(file: &Path) -> Result<Policy, Trouble> {
        let refused = |why: String| Trouble::Input(format!("{}: {why}", file.display()));
        let text = fs::read_to_string(file).map_err(|error| {
            refused(format!("{error}; docs/grading.md has a policy to begin with"))
        })?;
        let secret = std::env::var(SECRET_VARIABLE).ok();
        Policy::of(&text, secret).map_err(refused)
    }

    fn of(text: &str, secret: Option<String>) -> Result<Policy, String> {
        let mut policy: Policy = toml::from_str(text).map_err(|error| error.to_string())?;
        policy.secret = policy.secret.or(secret).filter(|secret| !secret.is_empty());
        if !["fifo", "random", "hostile"].contains(&policy.schedule.as_str()) {
            let schedule = &policy.schedule;
            return Err(format!("schedule = {schedule:?}: say fifo, random or hostile"));
        }
        if policy.private > 0 && policy.secret.is_none() {
            let what = format!("private = {}, but there is no secret", policy.private);
            return Err(format!("{what}: set secret, or the variable {SECRET_VARIABLE}"));
        }
        let runs = policy.public + policy.private;
        if runs == 0 {
            return Err("no runs: set public or private".to_string());
        }
        for entry in &policy.points {
            if entry.need.is_some_and(|need| need == 0 || need > runs) {
                let need = entry.need.unwrap_or_default();
                return Err(format!("need = {need}, but a test has {runs} runs: say 1 to {runs}"));
            }
            if !(entry.points.is_finite() && entry.points >= 0.0) {
                return Err(format!("points = {}: say a number from 0 on", entry.points));
            }
        }
        let late = policy.late.percent_per_day;
        if !(0.0..=100.0).contains(&late) {
            return Err(format!("percent_per_day = {late}: say a number from 0 to 100"));
        }
        policy.entries()?;
        Ok(policy)
    }

    /// The entries with their tests. No test is in two of them.
    pub(super) fn entries(&self) -> Result<Vec<Entry<'_>>, String> {
        let is_named = |test: &Scenario| {
            self.points.iter().flat_map(|entry| &entry.of).any(|word| word == test.name)
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut entries = Vec::new();
        for points in &self.points {
            let mut tests: Vec<&'static Scenario> = Vec::new();
            for word in &points.of {
                let all = lab::SCENARIOS.iter().filter(|test| has(self.track, test));
                let found = all.filter(|test| match test.name == word {
                    true => true,
                    false => test.part.name().eq_ignore_ascii_case(word) && !is_named(test),
                });
                let before = tests.len();
                tests.extend(found);
                if tests.len() == before {
                    return Err(format!(
                        "of = {word:?}: no part or test of this track; `raftlab list` has them"
                    ));
                }
            }
            if let Some(test) = tests.iter().find(|test| seen.contains(&test.name)) {
                return Err(format!("{} has points in two entries; name it once", test.name));
            }
            seen.extend(tests.iter().map(|test| test.name));
            entries.push(Entry { points, tests });
        }
        Ok(entries)
    }

    /// What tells two policies apart, without the secret: machines that share a class must agree.
    pub(super) fn digest(&self) -> String {
        let words = format!("{:?}", Policy { secret: None, ..self.clone() });
        let mac = HMAC::mac(words, self.secret.as_deref().unwrap_or_default());
        mac.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The seeds of `test` for `submission`, the public ones first.
    pub(super) fn seeds(&self, submission: &str, test: &str) -> Vec<u64> {
        let secret = self.secret.as_deref().unwrap_or_default();
        let whose = if self.per_submission { submission } else { "" };
        let private = (0..self.private).map(|number| {
            let words = format!("{whose}\n{test}\n{number}");
            let mac = HMAC::mac(words, secret);
            mac.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
        });
        (1..=self.public).chain(private).collect()
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::Policy;

    /// A course with four runs of each test, and these points.
    pub(crate) fn policy(points: &str) -> Policy {
        Policy::of(&format!("title = 'Raft'\npublic = 4\n{points}"), None).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: &str = "title = 'Raft'\npublic = 2\nprivate = 3\nsecret = 's'\n\
                          per_submission = true\n[[points]]\nof = ['2A']\npoints = 10\n";

    #[test]
    fn a_test_that_is_named_does_not_count_in_its_part() {
        let text =
            format!("{COURSE}[[points]]\nof = ['initial_election_2a']\npoints = 5\nneed = 4\n");
        let policy = Policy::of(&text, None).unwrap();
        let entries = policy.entries().unwrap();
        let names =
            |entry: &Entry<'_>| entry.tests.iter().map(|test| test.name).collect::<Vec<_>>();
        assert!(!names(&entries[0]).contains(&"initial_election_2a"));
        assert_eq!(names(&entries[1]), ["initial_election_2a"]);
    }

    #[test]
    fn a_core_is_marked_by_the_tests_that_its_project_has() {
        let of = |parts: &str| {
            let points = format!("[[points]]\nof = {parts}\npoints = 1\n");
            Policy::of(&format!("title = 'Raft'\ntrack = 'tick'\n{points}"), None)
        };
        let policy = of("['2A', '2B', '2C', '2D']").unwrap();
        let marked = policy.entries().unwrap().remove(0).tests;
        let raft = lab::SCENARIOS.iter().filter(|test| test.part <= Part::P2D);
        let missing = raft.filter(|test| marked.iter().all(|it| it.name != test.name));
        let missing: Vec<_> = missing.map(|test| (test.name, test.puppets)).collect();
        assert!(missing.iter().all(|(_, puppets)| *puppets), "{missing:?}");
        assert!(of("['3A']").is_err(), "it has no service");
    }

    #[test]
    fn private_seeds_differ_by_secret_submission_and_test() {
        let policy = Policy::of(COURSE, None).unwrap();
        let seeds = policy.seeds("ann", "a");
        assert_eq!((seeds.len(), &seeds[..2]), (5, &[1, 2][..]));
        assert_eq!(seeds, policy.seeds("ann", "a"), "the same whenever it is asked");
        assert_ne!(seeds[2..], policy.seeds("bob", "a")[2..]);
        assert_ne!(seeds[2..], policy.seeds("ann", "b")[2..]);
        let other = Policy { secret: Some("t".to_string()), ..policy.clone() };
        assert_ne!(seeds[2..], other.seeds("ann", "a")[2..]);
        let all = Policy { per_submission: false, ..policy };
        assert_eq!(all.seeds("ann", "a"), all.seeds("bob", "a"));
    }

    #[test]
    fn a_mistake_is_named_with_what_is_possible() {
        let wrong = |from: &str, to: &str| Policy::of(&COURSE.replace(from, to), None).unwrap_err();
        assert!(wrong("'2A'", "'2X'").contains("\"2X\": no part or test"));
        assert!(wrong("title", "track = 'go'\ntitle").contains("unknown variant `go`"));
        assert!(wrong("secret = 's'", "").contains("there is no secret"));
        assert!(wrong("points = 10", "points = 10\nneed = 6").contains("say 1 to 5"));
        assert!(wrong("points = 10", "points = -1").contains("from 0 on"));
        assert!(wrong("points = 10", "points = 10\nworth = 1").contains("worth"));
        assert!(wrong("title", "schedule = 'wild'\ntitle").contains("fifo, random or hostile"));
        let twice = COURSE.to_string() + "[[points]]\nof = ['2A']\npoints = 1\n";
        assert!(Policy::of(&twice, None).unwrap_err().contains("two entries"));
    }

    #[test]
    fn policies_that_differ_have_different_digests_which_do_not_show_the_secret() {
        let policy = |text: &str, secret: &str| {
            let text = format!(
                "title = 'Raft'\nprivate = 1\n{text}[[points]]\nof = ['2A']\npoints = 10\n"
            );
            Policy::of(&text, Some(secret.to_string())).unwrap().digest()
        };
        let one = policy("", "chalk");
        assert_eq!(one, policy("# the same\n", "chalk"));
        assert_ne!(one, policy("public = 5\n", "chalk"));
        assert_ne!(one, policy("", "cheese"));
        assert_eq!(one.len(), 8, "{one}");
    }

    #[test]
    fn the_secret_may_come_from_the_environment() {
        let without = COURSE.replace("secret = 's'\n", "");
        assert!(Policy::of(&without, Some("t".to_string())).is_ok());
        assert!(Policy::of(&without, Some(String::new())).is_err(), "an empty one is none");
    }
}
