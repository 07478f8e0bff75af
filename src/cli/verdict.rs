//! The JSON object that `raftlab check --json` prints. `docs/history-formats.md` describes it.

use serde::Serialize;

/// The verdict on a history.
#[derive(Serialize)]
pub(super) struct VerdictLine {
    pub verdict: &'static str,
    /// What ran out, if the verdict is `undecided`: `timeout`, `memory` or `steps`.
    pub why: Option<&'static str>,
    pub format: &'static str,
    pub model: &'static str,
    pub operations: usize,
    /// Set if the verdict is `not linearizable`.
    pub contradiction: Option<ContradictionLine>,
}

/// Operations that cannot all be right.
#[derive(Serialize)]
pub(super) struct ContradictionLine {
    /// Whether none of `conflict` can be left out.
    pub minimal: bool,
    pub conflict: Vec<OperationLine>,
    /// Operations whose effects matter, but whose answers do not.
    pub context: Vec<OperationLine>,
    pub cannot_be_placed: Option<OddLine>,
}

/// The operation that fits nowhere in the order.
#[derive(Serialize)]
pub(super) struct OddLine {
    pub operation: OperationLine,
    /// The longest order of the other operations.
    pub after: Vec<OperationLine>,
    /// The state after that order.
    pub state: Option<String>,
    pub right_answer: Option<String>,
}

/// One operation of the file.
#[derive(Serialize)]
pub(super) struct OperationLine {
    /// The line of the operation's call.
    pub line: usize,
    pub client: u64,
    pub call: u64,
    pub r#return: Option<u64>,
    /// The operation with its answer, as text for people.
    pub operation: String,
}
