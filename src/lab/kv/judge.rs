//! The judgement of a run's histories by the checker.

use crate::checker::describe::Describe;
use crate::checker::{Budget, Operation, Verdict, Why, check, explain};
use crate::history::{self, History};

/// Maximum number of times that the checker may try an operation in a state: some seconds of work,
/// a thousand times as much as a history of the suite takes. Work is counted, not timed, so that a
/// verdict does not depend on the machine.
const STEPS_MAX: u64 = 10_000_000;

/// Approximate number of bytes that the checker may use.
const MEMORY_MAX: usize = 512 << 20;

/// The width of a drawn counterexample, in columns.
const WIDTH: usize = 96;

/// The checker's judgement of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Judgement {
    /// The history is linearizable.
    Legal,
    /// The history is not linearizable, for this reason.
    Illegal(String),
    /// The checker ran out of steps or memory, as the text says.
    Undecided(String),
}

/// Judges all of a run's histories.
pub(in crate::lab) fn judge(histories: &[History]) -> Judgement {
    judge_within(Ask { steps: STEPS_MAX, memory: MEMORY_MAX }, histories)
}

fn judge_within(ask: Ask, histories: &[History]) -> Judgement {
    let mut verdict = Judgement::Legal;
    for history in histories {
        match history.judge(ask) {
            Judgement::Legal => {}
            illegal @ Judgement::Illegal(_) => return illegal,
            undecided @ Judgement::Undecided(_) => verdict = undecided,
        }
    }
    verdict
}

/// The budget for the judgement of a history.
#[derive(Clone, Copy)]
struct Ask {
    steps: u64,
    memory: usize,
}

impl history::Judge for Ask {
    type Output = Judgement;

    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Judgement {
        let Ask { steps, memory } = self;
        let budget = Budget { steps, memory, ..Budget::default() };
        match check(model, operations, &budget) {
            Verdict::Ok => Judgement::Legal,
            Verdict::Illegal(counterexample) => {
                let all = operations.len();
                let text = explain::render(model, operations, &counterexample, WIDTH);
                Judgement::Illegal(format!("no order of the {all} operations explains\n{text}"))
            }
            Verdict::Unknown(why) => {
                let spent = match why {
                    Why::Steps => format!("{steps} steps"),
                    Why::Memory | Why::Stopped => format!("{} MiB", memory >> 20),
                };
                let count = operations.len();
                Judgement::Undecided(format!("{spent} were not enough to judge {count} operations"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::models::{KvInput, KvOutput};

    /// A put of one value and, later, a get that sees `seen`.
    fn put_and_get(seen: &str) -> History {
        let (key, value) = ("k".to_string(), "v".to_string());
        let put = KvInput::Put { key: key.clone(), value };
        let get = KvInput::Get { key };
        History::Kv(vec![
            Operation::answered(0, 1, put, 2, KvOutput::Done),
            Operation::answered(1, 3, get, 4, KvOutput::Value(seen.to_string())),
        ])
    }

    #[test]
    fn a_legal_history_is_legal_with_enough_steps_only() {
        let history = [put_and_get("v")];
        assert_eq!(judge(&history), Judgement::Legal);
        let why = "0 steps were not enough to judge 2 operations".to_string();
        let ask = Ask { steps: 0, memory: MEMORY_MAX };
        assert_eq!(judge_within(ask, &history), Judgement::Undecided(why));
    }

    /// Appends that all overlap, and a read that misses a letter: the checker must remember every
    /// order.
    #[test]
    fn a_history_that_needs_too_much_memory_is_undecided_and_says_so() {
        let key = || "k".to_string();
        let append = |client: usize| {
            let input = KvInput::Append { key: key(), value: "a".repeat(1 + client % 3) };
            Operation::answered(client as u64, 0, input, 10, KvOutput::Done)
        };
        let seen = KvOutput::Value("a".repeat(47));
        let read = Operation::answered(99, 20, KvInput::Get { key: key() }, 30, seen);
        let history = [History::Kv((0..24).map(append).chain([read]).collect())];
        let why = "1 MiB were not enough to judge 25 operations".to_string();
        let ask = Ask { steps: STEPS_MAX, memory: 1 << 20 };
        assert_eq!(judge_within(ask, &history), Judgement::Undecided(why));
    }

    #[test]
    fn one_illegal_history_is_enough_and_is_drawn() {
        let Judgement::Illegal(text) = judge(&[put_and_get("v"), put_and_get("w")]) else {
            panic!("\"w\" was never written");
        };
        assert!(text.starts_with("no order of the 2 operations explains\n"), "{text}");
        assert!(text.contains(r#"get "k" → "w""#), "{text}");
    }
}
