//! Runs the searches of all keys of a history, in turns.

use std::collections::VecDeque;

use super::contradiction::contradiction;
use super::limits::{Left, Limits};
use super::model::Model;
use super::part::{History, Operations, Part, by_key};
use super::search::{Progress, Search};
use super::shrink::shrink;
use super::verdict::{Budget, Verdict, Why};

/// Number of steps in a turn of the first round. Each round doubles it, up to [`TURN_MAX`].
const TURN_MIN: u64 = 256;
const TURN_MAX: u64 = 1 << 16;
/// Number of steps after which a search may be stuck. Most searches need a few steps per operation.
const CONTRADICT_MIN: u64 = 1 << 12;
/// Number of steps between two checks of the clock and of the memory.
const SLICE: u64 = 1 << 12;

/// Judges whether `history` is linearizable with respect to `model`.
///
/// The order of the operations in `history` does not matter, only their times do.
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
///     panic!("after 1 was read, nil must not be read");
/// };
/// assert_eq!(example.conflict, [1, 2]);
/// ```
///
/// # Panics
/// When an operation returns before it was called.
pub fn check<M: Model>(model: &M, history: &Operations<M>, budget: &Budget<'_>) -> Verdict {
    let limits = Limits::new(budget);
    let keys = by_key(model, history);
    let history = &History::new(model, history, &keys);
    match Turns::new(model, history, keys, &limits).take() {
        Outcome::Ok => Verdict::Ok,
        Outcome::Unknown(why) => Verdict::Unknown(why),
        Outcome::Illegal { suspects, last, known } => {
            Verdict::Illegal(shrink(model, history, suspects, last, known, &limits))
        }
    }
}

/// Judges like [`check`], but makes no counterexample.
///
/// Use it if you need only the verdict: making the counterexample is the larger part of the work.
///
/// ```
/// use raftlab::checker::models::{Register, RegisterInput::*, RegisterOutput::*};
/// use raftlab::checker::{Budget, Operation, is_linearizable};
///
/// let lost = [Operation::answered(1, 0, Read, 5, Value(Some(7)))];
/// let register = Register::<u8>::new();
/// assert_eq!(is_linearizable(&register, &lost, &Budget::default()), Ok(false));
/// ```
///
/// # Errors
/// The part of the budget that ran out before the answer was found.
///
/// # Panics
/// When an operation returns before it was called.
pub fn is_linearizable<M: Model>(
    model: &M,
    history: &Operations<M>,
    budget: &Budget<'_>,
) -> Result<bool, Why> {
    let keys = by_key(model, history);
    let history = &History::new(model, history, &keys);
    match Turns::new(model, history, keys, &Limits::new(budget)).take() {
        Outcome::Ok => Ok(true),
        Outcome::Illegal { .. } => Ok(false),
        Outcome::Unknown(why) => Err(why),
    }
}

enum Outcome {
    Ok,
    /// No order explains the answers of `suspects`, which are all operations of one key.
    ///
    /// `last` is the last return that the search examined. `known` are operations that contradict
    /// each other, if such operations ended the search.
    Illegal {
        suspects: Vec<usize>,
        last: u64,
        known: Option<Vec<usize>>,
    },
    Unknown(Why),
}

/// The search of one key.
enum Turn<'a, M: Model> {
    /// Not started: the operations of the key.
    Waiting(Vec<usize>),
    Going(Box<Going<'a, M>>),
}

impl<M: Model> Turn<'_, M> {
    fn bytes(&self) -> usize {
        match self {
            Turn::Waiting(_) => 0,
            Turn::Going(going) => going.search.bytes(),
        }
    }
}

/// A search that has started.
struct Going<'a, M: Model> {
    search: Search<'a, M>,
    /// The last return that the search had reached when its last turn ended.
    last_seen: u64,
    /// Number of steps after which it is worth looking for a contradiction.
    contradict_at: u64,
}

impl<M: Model> Going<'_, M> {
    fn is_illegal(&self, known: Option<Vec<usize>>) -> Outcome {
        let (suspects, last) = (self.search.indices(), self.search.last_seen());
        Outcome::Illegal { suspects, last, known }
    }
}

/// The keys that are not judged yet, in the order of their turns.
struct Turns<'a, 'b, M: Model> {
    model: &'a M,
    history: &'b History<'a, M>,
    left: VecDeque<Turn<'a, M>>,
    limits: &'b Limits<'b>,
    steps_left: u64,
    /// Approximate number of bytes that all searches use.
    bytes: usize,
    /// Whether a search was given up because all searches together took too much memory.
    gave_up: bool,
}

impl<'a, 'b, M: Model> Turns<'a, 'b, M> {
    fn new(
        model: &'a M,
        history: &'b History<'a, M>,
        keys: Vec<Vec<usize>>,
        limits: &'b Limits<'b>,
    ) -> Turns<'a, 'b, M> {
        let left = keys.into_iter().map(Turn::Waiting).collect();
        let steps_left = limits.budget.steps;
        Turns { model, history, left, limits, steps_left, bytes: 0, gave_up: false }
    }

    /// Gives the searches turns until one finds that there is no order, or all have ended.
    ///
    /// One hard key must not keep the others from showing that the history is illegal, so each
    /// search has the same number of steps in each round.
    fn take(mut self) -> Outcome {
        let mut turn = TURN_MIN;
        while !self.left.is_empty() {
            for _ in 0..self.left.len() {
                let Some(next) = self.left.pop_front() else { break };
                let mut going = match self.begin(next) {
                    Ok(going) => going,
                    Err(why) => return Outcome::Unknown(why),
                };
                match self.turn(&mut going.search, turn) {
                    Ok(Progress::Going) => match self.contradiction(&mut going) {
                        None => self.left.push_back(Turn::Going(going)),
                        known => return going.is_illegal(known),
                    },
                    Ok(Progress::Found) => self.bytes -= going.search.bytes(),
                    Ok(Progress::Impossible) => return going.is_illegal(None),
                    Err(Why::Memory) => {
                        self.left.push_back(Turn::Going(going));
                        self.give_up_the_largest();
                    }
                    Err(why) => return Outcome::Unknown(why),
                }
            }
            turn = (turn * 2).min(TURN_MAX);
        }
        if self.gave_up { Outcome::Unknown(Why::Memory) } else { Outcome::Ok }
    }

    fn begin(&self, turn: Turn<'a, M>) -> Result<Box<Going<'a, M>>, Why> {
        match turn {
            Turn::Going(going) => Ok(going),
            Turn::Waiting(_) if self.limits.stopped() => Err(Why::Stopped),
            Turn::Waiting(indices) => {
                let part = Part::new(self.model, self.history, &indices, |_| true);
                let search = Search::new(self.model, part);
                Ok(Box::new(Going { search, last_seen: 0, contradict_at: CONTRADICT_MIN }))
            }
        }
    }

    /// Lets one search continue for `turn` steps.
    fn turn(&mut self, search: &mut Search<'a, M>, turn: u64) -> Result<Progress, Why> {
        let mut left = turn;
        loop {
            if self.steps_left == 0 {
                return Err(Why::Steps);
            }
            if self.limits.stopped() {
                return Err(Why::Stopped);
            }
            let (steps, bytes) = (search.steps, search.bytes());
            let progress = search.run(SLICE.min(left).min(self.steps_left));
            let used = search.steps - steps;
            self.bytes = self.bytes + search.bytes() - bytes;
            self.steps_left = self.steps_left.saturating_sub(used);
            left = left.saturating_sub(used);
            if progress != Progress::Going {
                return Ok(progress);
            }
            if self.bytes > self.limits.budget.memory {
                return Err(Why::Memory);
            }
            if left == 0 {
                return Ok(progress);
            }
        }
    }

    /// If a search is stuck, looks for a few answers that contradict each other, near the return
    /// where it is stuck.
    fn contradiction(&mut self, going: &mut Going<'a, M>) -> Option<Vec<usize>> {
        let search = &going.search;
        let last = search.last_seen();
        let stuck = std::mem::replace(&mut going.last_seen, last) == last;
        if !stuck || search.steps < going.contradict_at {
            return None;
        }
        going.contradict_at = search.steps * 2;
        let left = Left {
            steps: search.steps.min(self.steps_left),
            memory: self.limits.budget.memory.saturating_sub(self.bytes),
        };
        let (model, history, limits) = (self.model, self.history, self.limits);
        let (found, used) = contradiction(model, history, search.indices(), last, left, limits);
        self.steps_left = self.steps_left.saturating_sub(used);
        found
    }

    fn give_up_the_largest(&mut self) {
        let largest = (0..self.left.len()).max_by_key(|at| self.left[*at].bytes());
        let given_up = largest.and_then(|at| self.left.remove(at));
        self.bytes -= given_up.map_or(0, |search| search.bytes());
        self.gave_up = true;
    }
}
