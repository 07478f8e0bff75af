//! Why a history is not linearizable, drawn and in words.
//!
//! ```text
//!   client  operation           time →
//!        0  put "a" = "1"       ├───────────┤
//! ·      3  append "a" += "2"         ├─────────────────────────▶
//! ✗      1  get "a" → "3"                         ├─────┤
//!
//! ✗ client 1: get "a" → "3" can be placed nowhere
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

/// How long an order of operations outside of the counterexample is looked for.
const STEPS: u64 = 300_000;
/// Steps between two looks at the clock and at the memory.
const SLICE: u64 = 1 << 12;

/// Why a history is not linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The operation that cannot be placed, as an index into the history.
    pub odd: usize,
    /// An order of others that gets as far as possible, as indices into the history.
    pub order: Vec<usize>,
    /// The state after `order`; `None` if no order was found in time.
    pub state: Option<String>,
    /// What the odd operation should have answered in that state, where only one answer is right.
    pub right_answer: Option<String>,
}

/// One operation with its answer, e.g. `get "a" → "3"`; `→ ?` where none came.
pub fn operation<M: Describe>(model: &M, operation: &Operation<M::Input, M::Output>) -> String {
    let call = model.call(&operation.input);
    match operation.output().map(|output| model.answer(output)) {
        None => format!("{call} → ?"),
        Some(answer) if answer.is_empty() => call,
        Some(answer) => format!("{call} → {answer}"),
    }
}

/// Finds the operation of the counterexample that cannot be placed, and what it should have said.
/// `None` of a counterexample without operations.
pub fn explain<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
) -> Option<Explanation> {
    explain_within(model, history, counterexample, &Budget::default())
}

/// The same within the memory of `budget`, and until its `stop` says so: what is not found by then
/// is left out.
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

/// What cannot be placed, and an order of others with the state after it.
type Found<M> = (usize, Option<(Vec<usize>, <M as Model>::State)>);

/// What does not fit behind the longest order of the counterexample.
///
/// `None` if that is no order worth showing: empty, or one behind which all would fit, because
/// it was not found in time that there is a longer one.
fn of_longest<M: Describe>(
    model: &M,
    history: &Operations<M>,
    counterexample: &Counterexample,
) -> Option<Found<M>> {
    let order = counterexample.longest.iter().max_by_key(|order| order.len())?;
    // Of those that are left, the first to return had to be the next one.
    let left = counterexample.conflict.iter().filter(|index| !order.contains(index));
    let odd = *left.min_by_key(|index| history[**index].end())?;
    let state = after(model, history, order, |index| counterexample.conflict.contains(&index))?;
    let fits = model.step(&state, &history[odd].input, history[odd].output()).is_some();
    (!fits && !order.is_empty()).then(|| (odd, Some((order.clone(), state))))
}

/// The first return in the whole history of the key that no order accounts for, and an order of
/// what returned before.
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
    // Of one answer alone it is known that it cannot be right.
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
    // It may have taken effect anywhere behind the last one that returned before its call. Where
    // its answer is nearly right is where it belongs.
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

/// Runs a search as long as it is worth.
fn run<M: Model>(search: &mut Search<'_, M>, limits: &Limits<'_>) -> Progress {
    loop {
        let progress = search.run(SLICE);
        let too_large = search.steps >= STEPS || search.bytes() > limits.budget.memory;
        if progress != Progress::Going || too_large || limits.stopped() {
            return progress;
        }
    }
}

/// The operation of `all` with the first return that no order accounts for; `None` if it is not
/// found in time.
fn first_impossible<M: Model>(
    model: &M,
    history: &History<'_, M>,
    all: &[usize],
    limits: &Limits<'_>,
) -> Option<usize> {
    let mut returns: Vec<usize> = all.to_vec();
    returns.retain(|index| history[*index].returned.is_some());
    returns.sort_by_key(|index| (history[*index].end(), *index));
    // With each return there are fewer orders, so once there is none there never will be.
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

/// How many characters two texts have in common at the front.
fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

/// The state after an order, in which the answers count that `counts` says; `None` if it is none.
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
