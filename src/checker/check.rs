//! The keys of a history, each with a search of its own, taking turns.

use super::model::Model;
use super::part::{History, Part, by_key};
use super::search::{Progress, Search};
use super::shrink;
use super::verdict::{Budget, Verdict, Why};

/// Steps of the first turn. Each round of turns doubles it, up to [`TURN_MAX`].
const TURN_MIN: u64 = 256;
const TURN_MAX: u64 = 1 << 16;
/// Steps between two looks at the clock and at the memory.
const SLICE: u64 = 1 << 12;

/// Judges whether `history` is linearizable with respect to `model`. The order in which its
/// operations are given does not matter, their times do.
///
/// ```
/// use raftlab::checker::models::{Register, RegisterInput::*, RegisterOutput::*};
/// use raftlab::checker::{Budget, Operation, Verdict, check};
///
/// let register = Register::<u8>::new();
/// let history = [
///     Operation::answered(1, 0, Write(1), 10, Done),
///     Operation::answered(2, 20, Read, 30, Value(Some(1))),
///     Operation::answered(1, 40, Read, 50, Value(None)),
/// ];
/// let Verdict::Illegal(example) = check(&register, &history, &Budget::default()) else {
///     panic!("what was read cannot become unread");
/// };
/// assert_eq!(example.conflict, [1, 2]);
/// ```
///
/// # Panics
/// When an operation returns before it was called.
pub fn check<M: Model>(model: &M, history: &History<M>, budget: &Budget<'_>) -> Verdict {
    let searches = by_key(model, history)
        .into_iter()
        .map(|indices| Search::new(model, Part::new(model, history, &indices, |_| true)));
    let mut turns = Turns::new(searches.collect(), budget);
    match turns.take() {
        Outcome::Ok => Verdict::Ok,
        Outcome::Unknown(why) => Verdict::Unknown(why),
        Outcome::Illegal(search) => {
            // The memo of this search is not needed, and those of the others are not either.
            let (suspects, last) = suspects(&search);
            drop((search, turns));
            Verdict::Illegal(shrink::shrink(model, history, suspects, last, budget))
        }
    }
}

enum Outcome<'a, M: Model> {
    Ok,
    Illegal(Box<Search<'a, M>>),
    Unknown(Why),
}

/// The searches that are still going.
struct Turns<'a, 'b, M: Model> {
    searches: Vec<Search<'a, M>>,
    budget: &'b Budget<'b>,
    steps_left: u64,
    /// A search had to be given up, since all together took too much memory.
    gave_up: bool,
}

impl<'a, 'b, M: Model> Turns<'a, 'b, M> {
    fn new(searches: Vec<Search<'a, M>>, budget: &'b Budget<'b>) -> Turns<'a, 'b, M> {
        Turns { searches, budget, steps_left: budget.steps, gave_up: false }
    }

    /// Takes turns until one search finds that there is no order, or all have ended.
    ///
    /// One hard key must not keep the others from showing that the history is illegal: so each
    /// has the same number of steps in each round.
    fn take(&mut self) -> Outcome<'a, M> {
        let mut turn = TURN_MIN;
        while !self.searches.is_empty() {
            let mut at = 0;
            while at < self.searches.len() {
                match self.turn(at, turn) {
                    Ok(Progress::Going) => at += 1,
                    Ok(Progress::Found) => drop(self.searches.remove(at)),
                    Ok(Progress::Impossible) => {
                        return Outcome::Illegal(Box::new(self.searches.swap_remove(at)));
                    }
                    Err(Why::Memory) => {
                        self.give_up_the_largest();
                        // Those before `at` may have moved: the round is over.
                        break;
                    }
                    Err(why) => return Outcome::Unknown(why),
                }
            }
            turn = (turn * 2).min(TURN_MAX);
        }
        if self.gave_up { Outcome::Unknown(Why::Memory) } else { Outcome::Ok }
    }

    /// Lets one search go on for `turn` steps.
    fn turn(&mut self, at: usize, turn: u64) -> Result<Progress, Why> {
        let mut left = turn;
        loop {
            if self.steps_left == 0 {
                return Err(Why::Steps);
            }
            if self.budget.stop.is_some_and(|stop| stop()) {
                return Err(Why::Stopped);
            }
            let search = &mut self.searches[at];
            let before = search.steps;
            let progress = search.run(SLICE.min(left).min(self.steps_left));
            let used = search.steps - before;
            self.steps_left = self.steps_left.saturating_sub(used);
            left = left.saturating_sub(used);
            if progress != Progress::Going {
                return Ok(progress);
            }
            if self.searches.iter().map(Search::bytes).sum::<usize>() > self.budget.memory {
                return Err(Why::Memory);
            }
            if left == 0 {
                return Ok(progress);
            }
        }
    }

    fn give_up_the_largest(&mut self) {
        let largest = (0..self.searches.len()).max_by_key(|at| self.searches[*at].bytes());
        drop(largest.map(|at| self.searches.remove(at)));
        self.gave_up = true;
    }
}

/// What a search without success leaves to be shrunk: its operations, and the last return whose
/// answer it looked at.
fn suspects<M: Model>(search: &Search<'_, M>) -> (Vec<usize>, u64) {
    let operations = search.part.operations.iter();
    (operations.map(|operation| operation.index).collect(), search.last_seen())
}
