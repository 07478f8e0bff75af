//! What is known of each test since the last save.

use serde_json::Value;

/// How far a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not run since the last save.
    Waiting,
    /// All runs so far passed: this many, and this many more are to come.
    Passing(u64),
    /// This many runs failed.
    Failed(u64),
}

/// One test.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) state: State,
}

/// A run that failed, or whose histories could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) test: String,
    pub(super) seed: u64,
    /// The rule that was broken, and the mistake; may have several lines.
    pub(super) message: String,
    /// The command line that repeats the run.
    pub(super) replay: String,
}

/// All tests, and the failure that the user should see first.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) tests: Vec<Test>,
    /// The first failure since the last save.
    pub(super) failure: Option<Failure>,
    /// The last failure that was seen, until a run of it has passed.
    pub(super) unsolved: Option<(String, u64)>,
    /// How many runs have ended since the last save.
    pub(super) runs: u64,
}

impl Board {
    pub(super) fn new(names: &[&str]) -> Board {
        let test = |name: &&str| Test { name: (*name).to_string(), state: State::Waiting };
        let tests = names.iter().map(test).collect();
        Board { tests, failure: None, unsolved: None, runs: 0 }
    }

    /// Forgets the results, since the code has changed; the unsolved failure stays.
    pub(super) fn begin_again(&mut self) {
        for test in &mut self.tests {
            test.state = State::Waiting;
        }
        self.failure = None;
        self.runs = 0;
    }

    /// Takes a line of the report. Returns false if it does not describe a run.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let Ok(run) = serde_json::from_str::<Value>(line) else { return false };
        let (Some(name), Some(seed)) = (run["test"].as_str(), run["seed"].as_u64()) else {
            return false;
        };
        let ok = run["ok"].as_bool().unwrap_or(false);
        self.runs += 1;
        if let Some(test) = self.tests.iter_mut().find(|test| test.name == name) {
            test.state = match (test.state, ok) {
                (State::Failed(failed), ok) => State::Failed(failed + u64::from(!ok)),
                (_, false) => State::Failed(1),
                (State::Passing(runs), true) => State::Passing(runs + 1),
                (State::Waiting, true) => State::Passing(1),
            };
        }
        let this = (name.to_string(), seed);
        match ok {
            true if self.unsolved.as_ref() == Some(&this) => self.unsolved = None,
            true => {}
            false => self.note(this, &run),
        }
        true
    }

    fn note(&mut self, (test, seed): (String, u64), run: &Value) {
        let text = |field: &str| run["failure"][field].as_str().unwrap_or_default().to_string();
        let message = match run["failure"].is_object() {
            true => format!("{}: {}", text("name"), text("message")),
            false => "its histories could not be judged".to_string(),
        };
        if self.unsolved.is_none() {
            self.unsolved = Some((test.clone(), seed));
        }
        if self.failure.is_none() {
            self.failure = Some(Failure { test, seed, message, replay: text("replay") });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(test: &str, seed: u64, ok: bool) -> String {
        let failure = r#"{"name":"LogMatching","message":"differs","replay":"raftlab replay"}"#;
        let failure = if ok { "null" } else { failure };
        format!(r#"{{"test":"{test}","seed":{seed},"ok":{ok},"failure":{failure}}}"#)
    }

    #[test]
    fn a_test_that_failed_once_has_failed() {
        let mut board = Board::new(&["one", "two"]);
        for (seed, ok) in [(1, true), (2, false), (3, true), (4, false)] {
            assert!(board.take(&line("one", seed, ok)), "a run");
        }
        assert_eq!(board.tests[0].state, State::Failed(2));
        assert_eq!(board.tests[1].state, State::Waiting);
        assert_eq!((board.runs, board.failure.as_ref().unwrap().seed), (4, 2), "the first one");
    }

    #[test]
    fn a_failure_stays_unsolved_over_saves_until_its_run_passes() {
        let mut board = Board::new(&["one"]);
        board.take(&line("one", 2, false));
        board.begin_again();
        assert_eq!(board.failure, None);
        board.take(&line("one", 1, true));
        assert_eq!(board.unsolved, Some(("one".to_string(), 2)));
        board.take(&line("one", 2, true));
        assert_eq!(board.unsolved, None);
        assert_eq!(board.tests[0].state, State::Passing(2));
    }

    #[test]
    fn what_is_no_run_is_passed_over() {
        let mut board = Board::new(&["one"]);
        for line in ["", "{", r#"{"summary":{"runs":3}}"#, r#"{"test":"one"}"#, "[1]"] {
            assert!(!board.take(line), "{line}");
        }
        assert_eq!(board.runs, 0);
    }
}
