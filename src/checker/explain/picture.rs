//! Draws a counterexample, with a description in words under the drawing.

use std::fmt::Write;

use super::super::describe::Describe;
use super::super::draw::{self, Bar, shorten};
use super::super::part::{History, of_key};
use super::super::{Counterexample, Operation};
use super::{Explanation, common, explain, operation};

/// Marks the operation that cannot be placed.
pub const ODD: char = '✗';
/// Marks operations whose answers do not matter, but whose effects do.
const CONTEXT: char = '·';
/// Maximum number of rows of a drawing: a longer drawing cannot be read.
const ROWS_MAX: usize = 32;
/// Maximum number of operations of an order that the text lists.
const STEPS_MAX: usize = 8;
/// Maximum number of characters of an operation in that list.
const STEP_CHARS_MAX: usize = 40;
/// Maximum number of rows of a counterexample that is not minimal, and so may be far too large.
const ROWS_MAX_UNSURE: usize = 12;
/// Maximum number of drawn operations whose answers do not matter: more would hide the others.
const CONTEXT_MAX: usize = 8;
/// Maximum number of operations that are drawn before a single answer that cannot be right.
const BEFORE_MAX: usize = 4;

/// Draws the counterexample of `history`, `width` columns wide, and names the odd operation.
///
/// The odd operation is the one that cannot be placed.
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
    render_explained(model, history, counterexample, explanation.as_ref(), width)
}

/// Draws the counterexample like [`render`], with an explanation that the caller already has.
pub fn render_explained<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
    explanation: Option<&Explanation>,
    width: usize,
) -> String {
    let (rows, left_out) = rows(history, counterexample, explanation);
    let odd = explanation.map(|explanation| explanation.odd);
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
    let bars: Vec<Bar> = rows.into_iter().map(bar).collect();
    let mut text = draw::draw(&bars, width).join("\n") + "\n";
    if left_out > 0 {
        let _ = writeln!(text, "({left_out} more operations are not drawn)");
    }
    if bars.iter().any(|bar| bar.mark == Some(CONTEXT)) {
        let _ = writeln!(
            text,
            "({CONTEXT} marks an operation that took effect between call and return, or never, \
             whatever its answer)"
        );
    }
    if let Some(first) = counterexample.context.first() {
        let keys = [of_key(model, history, *first)];
        let history = History::new(model, history, &keys);
        if counterexample.context.iter().any(|index| history.is_late(*index)) {
            let _ = writeln!(
                text,
                "(an operation whose answer leaves open whether it happened may also have taken \
                 effect after its return)"
            );
        }
    }
    if let Some(explanation) = explanation {
        text.push('\n');
        text.push_str(&words(model, history, explanation, width));
    }
    text
}

/// Chooses the operations to draw, with their marks, and counts those that are left out.
fn rows<I, O>(
    history: &[Operation<I, O>],
    counterexample: &Counterexample,
    explanation: Option<&Explanation>,
) -> (Vec<(usize, Option<char>)>, usize) {
    let heart = explanation.map_or(0, |explanation| history[explanation.odd].call);
    let distance = |index: &usize| history[*index].call.abs_diff(heart);
    let nearest = |indices: &[usize], most: usize| {
        let mut nearest = indices.to_vec();
        nearest.sort_by_key(|index| (distance(index), *index));
        nearest.truncate(most);
        nearest
    };
    let (conflict, context) = (&counterexample.conflict, &counterexample.context);
    let most = if counterexample.minimal { ROWS_MAX } else { ROWS_MAX_UNSURE };
    let drawn = nearest(conflict, most);
    let beside = nearest(context, CONTEXT_MAX);
    let left_out = conflict.len() + context.len() - drawn.len() - beside.len();
    let mut rows: Vec<(usize, Option<char>)> = drawn.iter().map(|index| (*index, None)).collect();
    rows.extend(beside.iter().map(|index| (*index, Some(CONTEXT))));
    // If the counterexample is the odd operation alone, draw some operations before it, too.
    if let Some(explanation) = explanation.filter(|_| conflict.len() == 1 && context.is_empty()) {
        rows.extend(nearest(&explanation.order, BEFORE_MAX).iter().map(|index| (*index, None)));
    }
    let odd = explanation.map(|explanation| explanation.odd);
    if let Some(odd) = odd.filter(|odd| rows.iter().all(|(index, _)| index != odd)) {
        rows.push((odd, None));
    }
    (rows, left_out)
}

/// Describes the odd operation in words.
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
    let _ = writeln!(text, "{title}{what} cannot be placed anywhere");
    let mut line = |label: &str, value: &str| {
        let label = format!("{label:<LABEL$}");
        let _ = writeln!(text, "  {label}{value}");
    };
    if let Some(state) = state {
        for (at, part) in steps(model, history, order, room).iter().enumerate() {
            line(if at == 0 { "the others, in order" } else { "" }, part);
        }
        line("the state after these", &shorten(state, room));
    }
    if let (Some(right), Some(output)) = (right_answer, odd.output()) {
        let answer = model.answer(output);
        let (answer, right) = contrast(&answer, right, room);
        line("it answered", &answer);
        line("it should have answered", &right);
    }
    text
}

/// Lists the last operations of an order, as lines.
fn steps<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    order: &[usize],
    room: usize,
) -> Vec<String> {
    if order.is_empty() {
        return vec!["no operation comes before it".to_string()];
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

/// Shortens two long texts so that both still show where they begin to differ.
pub(super) fn contrast(one: &str, other: &str, chars_max: usize) -> (String, String) {
    const KEPT: usize = 12;
    let longest = one.chars().count().max(other.chars().count());
    let cut = if longest > chars_max { common(one, other).saturating_sub(KEPT) } else { 0 };
    let short = |text: &str| {
        let rest: String = text.chars().skip(cut).collect();
        let ahead = if cut > 0 { "…" } else { "" };
        format!("{ahead}{}", shorten(&rest, chars_max - ahead.chars().count()))
    };
    (short(one), short(other))
}
