//! Why a history is not linearizable, drawn and in words.
//!
//! ```text
//!   client  operation               time →
//!        0  put "a" = "1"           ├─────────┤
//! ·      3  append "a" += "2"            ├───────────────▶
//! ✗      1  get "a" → "3"                          ├────┤
//!
//! ✗ client 1: get "a" → "3" cannot be placed.
//!   In this order all others are right: put "a" = "1", append "a" += "2".
//!   After it the state is "12", and the answer should have been "12".
//! ```

use super::describe::Describe;
use super::draw::{Bar, draw, shorten};
use super::{Counterexample, Operation};

/// One operation with its answer, e.g. `get "a" → "3"`; `→ ?` where none came.
pub fn operation<M: Describe>(model: &M, operation: &Operation<M::Input, M::Output>) -> String {
    let call = model.call(&operation.input);
    match operation.output().map(|output| model.answer(output)) {
        None => format!("{call} → ?"),
        Some(answer) if answer.is_empty() => call,
        Some(answer) => format!("{call} → {answer}"),
    }
}

/// Draws the counterexample of `history`, `width` columns wide, and says what cannot be placed.
pub fn explain<M: Describe>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    counterexample: &Counterexample,
    width: usize,
) -> String {
    let bars: Vec<Bar> = counterexample
        .conflict
        .iter()
        .map(|&index| &history[index])
        .map(|shown| Bar {
            client: shown.client,
            label: shorten(&operation(model, shown), width),
            call: shown.call,
            returned: shown.returned.as_ref().map(|(at, _)| *at),
            marked: false,
        })
        .collect();
    draw(&bars, width).join("\n") + "\n"
}
