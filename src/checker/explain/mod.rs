//! Explains why a history is not linearizable, with a drawing and in words.
//!
//! ```text
//!   client  operation           time →
//!        0  put "a" = "1"       ├───────────┤
//! ·      3  append "a" += "2"         ├─────────────────────────▶
//! ✗      1  get "a" → "3"                         ├─────┤
//!
//! ✗ client 1: get "a" → "3" cannot be placed anywhere
//!   the others, in order     put "a" = "1"; append "a" += "2"
//!   the state after these    "12"
//!   it answered              "3"
//!   it should have answered  "12"
//! ```

mod picture;
#[cfg(test)]
mod tests;

pub use picture::{ODD, render, render_explained};

use super::describe::Describe;
use super::limits::Limits;
use super::part::{History, Operations, Part, of_key};
use super::search::{Progress, Search};
use super::{Budget, Counterexample, Model, Operation};

/// Maximum number of steps for finding an order of operations outside the counterexample.
const STEPS: u64 = 300_000;
/// Steps between two checks of the clock and of the memory.
const SLICE: u64 = 1 << 12;

/// Why a history is not linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The odd operation, which cannot be placed, as an index into the history.
    pub odd: usize,
    /// The longest order of other operations that was found, as indices into the history.
    pub order: Vec<usize>,
    /// The state after `order`; `None` if no order was found in time.
    pub state: Option<String>,
    /// The right answer of the odd operation in that state, if only one answer is right.
    pub right_answer: Option<String>,
}

/// Describes one operation with its answer, e.g. `get "a" → "3"`; `→ ?` without an answer.
pub fn operation<M: Describe>(model: &M, operation: &Operation<M::Input, M::Output>) -> String {
    let call = model.call(&operation.input);
    match operation.output().map(|output| model.answer(output)) {
        None => format!("{call} → ?"),
        Some(answer) if answer.is_empty() => call,
        Some(answer) => format!("{call} → {answer}"),
    }
}

/// Finds the operation of the counterexample that cannot be placed, and its right answer.
///
/// `None` for a counterexample without operations.
pub fn explain<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
) -> Option<Explanation> {
    explain_within(model, history, counterexample, &Budget::default())
}

/// Explains like [`explain`], within the memory of `budget` and until its `stop` returns `true`.
///
/// An explanation that is not complete by then has `None` in its fields, or an empty `order`.
pub fn explain_within<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
    budget: &Budget<'_>,
) -> Option<Explanation> {
    let limits = Limits::new(budget);
    let (odd, found) = of_longest(model, history, counterexample)
        .or_else(|| of_search(model, history, counterexample, &limits))?;
    let (order, state) = found.unzip();
    let right_answer = |state| model.right_answer(state, &history[odd].input);
    Some(Explanation {
        odd,
        order: order.unwrap_or_default(),
        right_answer: state.as_ref().and_then(right_answer),
        state: state.map(|state| model.state(&state)),
    })
}

/// The odd operation, and an order of other operations with the state after that order.
type Found<M> = (usize, Option<(Vec<usize>, <M as Model>::State)>);

/// Finds an operation that cannot be placed after the longest order of the counterexample.
///
/// `None` if that order is not worth showing: either it is empty, or the operation can be placed
/// after it, because time ran out before a longer order was found.
fn of_longest<M: Describe>(
    model: &M,
    history: &Operations<M>,
    counterexample: &Counterexample,
) -> Option<Found<M>> {
    let order = counterexample.longest.iter().max_by_key(|order| order.len())?;
    // Of the operations that are not in the order, the first to return had to come next.
    let left = counterexample.conflict.iter().filter(|index| !order.contains(index));
    let odd = *left.min_by_key(|index| history[**index].end())?;
    let state = after(model, history, order, |index| counterexample.conflict.contains(&index))?;
    let fits = model.step(&state, &history[odd].input, history[odd].output()).is_some();
    (!fits && !order.is_empty()).then(|| (odd, Some((order.clone(), state))))
}

/// Finds the first operation of the key, by return, whose answer no order explains.
///
/// Also finds an order of the operations that returned before that operation.
fn of_search<M: Describe>(
    model: &M,
    history: &Operations<M>,
    counterexample: &Counterexample,
    limits: &Limits<'_>,
) -> Option<Found<M>> {
    let last = *counterexample.conflict.last()?;
    if limits.stopped() {
        return Some((last, None));
    }
    let mut all = of_key(model, history, *counterexample.conflict.first()?);
    let history = &History::new(model, history, std::slice::from_ref(&all));
    // If the conflict is a single answer, that answer cannot be right.
    let odd = match counterexample.conflict.len() {
        1 => last,
        _ => first_impossible(model, history, &all, limits).unwrap_or(last),
    };
    let end = history[odd].end();
    let before = |index: usize| history[index].end() < end;
    all.retain(|index| *index != odd && history[*index].call <= end);
    if limits.stopped() {
        return Some((odd, None));
    }
    let mut search = Search::new(model, Part::new(model, history, &all, before));
    if run(&mut search, limits) != Progress::Found {
        return Some((odd, None));
    }
    let mut order = search.placed();
    // The odd operation may have taken effect anywhere after the last operation that returned
    // before its call. It is shown at the point where its answer is most nearly right.
    let needed = order.iter().rposition(|index| history[*index].precedes(&history[odd]));
    let first = needed.map_or(0, |at| at + 1);
    let mut state = after(model, history, &order[..first], before)?;
    let nearly = |state: &M::State| {
        let right = model.right_answer(state, &history[odd].input);
        let answer = history[odd].output().map(|output| model.answer(output));
        right.zip(answer).map_or(0, |(right, answer)| common(&right, &answer))
    };
    let mut best = (nearly(&state), first, state.clone());
    for (at, index) in order.iter().enumerate().skip(first) {
        if limits.stopped() {
            break;
        }
        let answer = history[*index].output().filter(|_| before(*index));
        state = model.step(&state, &history[*index].input, answer)?;
        let common = nearly(&state);
        if common > best.0 {
            best = (common, at + 1, state.clone());
        }
    }
    let (_, length, state) = best;
    order.truncate(length);
    Some((odd, Some((order, state))))
}

/// Runs a search until it ends, takes too many steps or bytes, or is stopped.
fn run<M: Model>(search: &mut Search<'_, M>, limits: &Limits<'_>) -> Progress {
    loop {
        let progress = search.run(SLICE);
        let too_large = search.steps >= STEPS || search.bytes() > limits.budget.memory;
        if progress != Progress::Going || too_large || limits.stopped() {
            return progress;
        }
    }
}

/// Finds the first operation of `all`, by return, that no order explains, if there is time.
fn first_impossible<M: Model>(
    model: &M,
    history: &History<'_, M>,
    all: &[usize],
    limits: &Limits<'_>,
) -> Option<usize> {
    let mut returns: Vec<usize> = all.to_vec();
    returns.retain(|index| history[*index].returned.is_some());
    returns.sort_by_key(|index| (history[*index].end(), *index));
    // Each return excludes some orders, so if no order is left after one, none is left after later
    // ones.
    let is_possible = |last: &usize| {
        if limits.stopped() {
            return true;
        }
        let end = history[*last].end();
        let begun: Vec<usize> =
            all.iter().copied().filter(|index| history[*index].call <= end).collect();
        let part = Part::new(model, history, &begun, |index| history[index].end() <= end);
        run(&mut Search::new(model, part), limits) != Progress::Impossible
    };
    let first = returns.partition_point(is_possible);
    returns.get(first).copied()
}

/// Number of characters with which both texts begin.
fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

/// Returns the state after replaying `order`, checking only the answers that `counts` accepts.
///
/// `None` if the order is invalid.
fn after<M: Describe>(
    model: &M,
    history: &Operations<M>,
    order: &[usize],
    counts: impl Fn(usize) -> bool,
) -> Option<M::State> {
    order.iter().try_fold(model.initial(), |state, &index| {
        let answer = history[index].output().filter(|_| counts(index));
        model.step(&state, &history[index].input, answer)
    })
}
