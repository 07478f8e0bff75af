//! Asks the checker about a run's history.

use crate::checker::describe::Describe;
use crate::checker::{Budget, Operation, Verdict, Why, check, explain};
use crate::history::{self, History};

/// How often the checker may try an operation in a state. Counted, not timed, so that a verdict
/// does not depend on the machine: some seconds, a thousand times what histories of the suite take.
const STEPS_MAX: u64 = 10_000_000;

/// About how many bytes the checker may remember.
const MEMORY_MAX: usize = 512 << 20;

/// How wide a counterexample is drawn.
const WIDTH: usize = 96;

/// What the checker says of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Judgement {
    /// It is linearizable.
    Legal,
    /// It is not, and here is why.
    Illegal(String),
    /// It would have taken more than there was. Says what.
    Undecided(String),
}

/// Judges all of a run's histories.
pub(in crate::lab) fn judge(histories: &[History]) -> Judgement {
    let mut verdict = Judgement::Legal;
    for history in histories {
        match history.judge(Ask) {
            Judgement::Legal => {}
            illegal @ Judgement::Illegal(_) => return illegal,
            undecided @ Judgement::Undecided(_) => verdict = undecided,
        }
    }
    verdict
}

struct Ask;

impl history::Judge for Ask {
    type Output = Judgement;

    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Judgement {
        let budget = Budget { steps: STEPS_MAX, memory: MEMORY_MAX, ..Budget::default() };
        match check(model, operations, &budget) {
            Verdict::Ok => Judgement::Legal,
            Verdict::Illegal(counterexample) => {
                let all = operations.len();
                let text = explain::render(model, operations, &counterexample, WIDTH);
                Judgement::Illegal(format!("no order of the {all} operations explains\n{text}"))
            }
            Verdict::Unknown(why) => {
                let spent = match why {
                    Why::Steps => format!("{STEPS_MAX} steps"),
                    Why::Memory | Why::Stopped => format!("{} MiB", MEMORY_MAX >> 20),
                };
                let count = operations.len();
                Judgement::Undecided(format!("{spent} were not enough to judge {count} operations"))
            }
        }
    }
}
