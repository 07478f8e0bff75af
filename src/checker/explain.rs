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

use std::fmt::Write;

use super::describe::Describe;
use super::draw::{self, Bar, shorten};
use super::part::{History, Part};
use super::search::{Progress, Search};
use super::{Counterexample, Operation};

/// In front of the operation that cannot be placed.
pub const ODD: char = '✗';
/// In front of operations whose answers play no part, but whose effects do.
const CONTEXT: char = '·';
/// More rows than this are no drawing.
const ROWS_MAX: usize = 32;
/// So many operations of an order are named.
const STEPS_MAX: usize = 8;
/// So many characters an operation may have in an order.
const STEP_CHARS_MAX: usize = 40;
/// How long an order of operations outside of the counterexample is looked for.
const STEPS: u64 = 100_000;

/// Why a history is not linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The operation that cannot be placed, as an index into the history.
    pub odd: usize,
    /// An order of others that gets as far as possible, as indices into the history.
    pub order: Vec<usize>,
    /// The state after `order`.
    pub state: String,
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
    let mut order = counterexample.longest.iter().max_by_key(|order| order.len())?.clone();
    // Of those that are left, the first to return had to be the next one.
    let left = counterexample.conflict.iter().filter(|index| !order.contains(index));
    let odd = *left.min_by_key(|index| history[**index].end())?;
    let mut answered = counterexample.conflict.clone();
    // An answer that nothing accounts for contradicts itself: what it should have been can only be
    // told by operations that play no part in the contradiction.
    if order.is_empty() {
        order = order_before(model, history, odd);
        answered.clone_from(&order);
    }
    let mut state = model.initial();
    for (at, index) in order.iter().enumerate() {
        let placed = &history[*index];
        let answer = placed.output().filter(|_| answered.contains(index));
        match model.step(&state, &placed.input, answer) {
            Some(next) => state = next,
            None => {
                order.truncate(at);
                break;
            }
        }
    }
    let right_answer = model.right_answer(&state, &history[odd].input);
    Some(Explanation { odd, order, state: model.state(&state), right_answer })
}

/// An order of the operations of one key without `odd`, up to where `odd` may be placed; empty if
/// there is none or it is not found soon.
fn order_before<M: Describe>(model: &M, history: &History<M>, odd: usize) -> Vec<usize> {
    let key = model.key(&history[odd].input);
    let others: Vec<usize> = (0..history.len())
        .filter(|index| *index != odd && history[*index].call <= history[odd].end())
        .filter(|index| model.key(&history[*index].input) == key)
        .collect();
    let mut search = Search::new(model, Part::new(model, history, &others, |_| true));
    if search.run(STEPS) != Progress::Found {
        return Vec::new();
    }
    let mut order: Vec<usize> = search.placed().collect();
    let before = |index: &usize| history[*index].precedes(&history[odd]);
    order.truncate(order.iter().rposition(before).map_or(0, |at| at + 1));
    order
}

/// Draws the counterexample of `history`, `width` columns wide, and says what cannot be placed.
///
/// ```
/// use raftlab::checker::models::{Kv, KvInput, KvOutput};
/// use raftlab::checker::{Budget, Operation, Verdict, check, explain};
///
/// let put = KvInput::Put { key: "a".into(), value: "1".into() };
/// let get = KvInput::Get { key: "a".into() };
/// let history = [
///     Operation::answered(0, 0, put, 10, KvOutput::Done),
///     Operation::answered(1, 20, get, 30, KvOutput::Value("".into())),
/// ];
/// let Verdict::Illegal(why) = check(&Kv, &history, &Budget::default()) else { panic!() };
/// let text = explain::render(&Kv, &history, &why, 80);
/// assert!(text.contains(r#"it should have answered  "1""#), "{text}");
/// ```
pub fn render<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
    width: usize,
) -> String {
    let explanation = explain(model, history, counterexample);
    let odd = explanation.as_ref().map(|explanation| explanation.odd);
    let (bars, left_out) = bars(model, history, counterexample, odd);
    let mut text = draw::draw(&bars, width).join("\n") + "\n";
    if left_out > 0 {
        let _ = writeln!(text, "({left_out} operations that are further away are not drawn)");
    }
    if bars.iter().any(|bar| bar.mark == Some(CONTEXT)) {
        let _ = writeln!(
            text,
            "({CONTEXT} may take effect at any time after its call: its answer plays no part)"
        );
    }
    if let Some(explanation) = explanation {
        text.push('\n');
        text.push_str(&words(model, history, &explanation, width));
    }
    text
}

/// The bars to draw, and how many there is no room for.
fn bars<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
    odd: Option<usize>,
) -> (Vec<Bar>, usize) {
    let conflict = counterexample.conflict.iter().map(|index| (*index, None));
    let context = counterexample.context.iter().map(|index| (*index, Some(CONTEXT)));
    let mut rows: Vec<(usize, Option<char>)> = conflict.chain(context).collect();
    // The nearest to the odd one first.
    let heart = odd.map_or(0, |odd| history[odd].call);
    rows.sort_by_key(|(index, _)| (history[*index].call.abs_diff(heart), *index));
    let left_out = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let bar = |(index, mark): (usize, Option<char>)| {
        let shown = &history[index];
        Bar {
            client: shown.client,
            label: operation(model, shown),
            call: shown.call,
            returned: shown.returned.as_ref().map(|(at, _)| *at),
            mark: if odd == Some(index) { Some(ODD) } else { mark },
        }
    };
    (rows.into_iter().map(bar).collect(), left_out)
}

/// What is said of the odd operation.
fn words<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    explanation: &Explanation,
    width: usize,
) -> String {
    const LABEL: usize = "it should have answered  ".len();
    let Explanation { odd, order, state, right_answer } = explanation;
    let odd = &history[*odd];
    let room = width.saturating_sub(LABEL + 2).max(STEP_CHARS_MAX);

    let mut text = String::new();
    let title = format!("{ODD} client {}: ", odd.client);
    let what = shorten(&operation(model, odd), room);
    let _ = writeln!(text, "{title}{what} can be placed nowhere");
    let mut line = |label: &str, value: &str| {
        let label = format!("{label:<LABEL$}");
        let _ = writeln!(text, "  {label}{value}");
    };
    for (at, part) in steps(model, history, order, room).iter().enumerate() {
        line(if at == 0 { "the others, in order" } else { "" }, part);
    }
    line("the state after these", &shorten(state, room));
    if let (Some(right), Some(output)) = (right_answer, odd.output()) {
        let answer = model.answer(output);
        let (answer, right) = contrast(&answer, right, room);
        line("it answered", &answer);
        line("it should have answered", &right);
    }
    text
}

/// The last operations of an order, as lines.
fn steps<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    order: &[usize],
    room: usize,
) -> Vec<String> {
    if order.is_empty() {
        return vec!["none of them comes before it".to_string()];
    }
    let hidden = order.len().saturating_sub(STEPS_MAX);
    let mut lines = Vec::new();
    let mut line = if hidden > 0 { format!("… {hidden} more; ") } else { String::new() };
    for (at, index) in order.iter().enumerate().skip(hidden) {
        let step = shorten(&operation(model, &history[*index]), STEP_CHARS_MAX.min(room - 2));
        if line.chars().count() + step.chars().count() + 1 > room {
            lines.push(std::mem::take(&mut line).trim_end().to_string());
        }
        line.push_str(&step);
        line.push_str(if at + 1 < order.len() { "; " } else { "" });
    }
    lines.push(line);
    lines
}

/// Two long texts, shortened such that where they begin to differ can be seen.
fn contrast(one: &str, other: &str, chars_max: usize) -> (String, String) {
    const KEPT: usize = 12;
    let longest = one.chars().count().max(other.chars().count());
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let cut = if longest > chars_max { same.saturating_sub(KEPT) } else { 0 };
    let short = |text: &str| {
        let rest: String = text.chars().skip(cut).collect();
        let ahead = if cut > 0 { "…" } else { "" };
        format!("{ahead}{}", shorten(&rest, chars_max - ahead.chars().count()))
    };
    (short(one), short(other))
}
