//! What `raftlab check --json` prints: one object.

use serde::Serialize;

/// The verdict on a history.
#[derive(Serialize)]
pub struct VerdictLine {
    pub verdict: &'static str,
    /// What ran out, where the verdict is `undecided`.
    pub why: Option<&'static str>,
    pub format: &'static str,
    pub model: &'static str,
    pub operations: usize,
    /// Where the verdict is `not linearizable`.
    pub contradiction: Option<ContradictionLine>,
}

/// Operations that cannot all be right.
#[derive(Serialize)]
pub struct ContradictionLine {
    /// Whether none of `conflict` can be left out.
    pub minimal: bool,
    pub conflict: Vec<OperationLine>,
    /// Operations whose effects play a part, but whose answers do not.
    pub context: Vec<OperationLine>,
    pub cannot_be_placed: Option<OddLine>,
}

/// An operation that fits nowhere.
#[derive(Serialize)]
pub struct OddLine {
    pub operation: OperationLine,
    /// The longest order of the others.
    pub after: Vec<OperationLine>,
    /// The state after these.
    pub state: Option<String>,
    pub right_answer: Option<String>,
}

/// One operation of the file.
#[derive(Serialize)]
pub struct OperationLine {
    /// Where it is called.
    pub line: usize,
    pub client: u64,
    pub call: u64,
    pub r#return: Option<u64>,
    /// With its answer, as people read it.
    pub operation: String,
}
