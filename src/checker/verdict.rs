//! The budget of a check, and its verdict.

/// What a check may spend.
///
/// If something runs out before the history is found legal or illegal, the verdict is
/// [`Verdict::Unknown`].
///
/// Steps and memory are counted the same on every machine, so without `stop` a verdict is a
/// function of the model, the history and the budget alone.
///
/// ```
/// use raftlab::checker::Budget;
///
/// let budget = Budget { steps: 1_000_000, ..Budget::default() };
/// # let _ = budget;
/// ```
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// How often an operation may be tried in a state. A machine does some millions of steps a
    /// second.
    pub steps: u64,
    /// Steps for making the smallest counterexample of an illegal history.
    pub shrink_steps: u64,
    /// About how many bytes the check may use to remember what it tried.
    pub memory: usize,
    /// Asked before each piece of work, of some thousand steps. `true` ends the check, and `stop`
    /// is not asked again. Use it for a time limit. A history found illegal by then stays illegal:
    /// the counterexample is the smallest that was found.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Budget { steps: 50_000_000, shrink_steps: 5_000_000, memory: 1 << 30, stop: None }
    }
}

/// Whether a history is linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is: some order of its operations explains every answer.
    Ok,
    /// It is not: no order does.
    Illegal(Counterexample),
    /// Undecided: the budget ran out. Not a pass.
    Unknown(Why),
}

impl Verdict {
    /// Whether the history is certainly linearizable.
    pub fn is_ok(&self) -> bool {
        matches!(self, Verdict::Ok)
    }

    /// Whether the history is certainly not linearizable.
    pub fn is_illegal(&self) -> bool {
        matches!(self, Verdict::Illegal(_))
    }

    /// Whether the budget was too small to tell.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Verdict::Unknown(_))
    }
}

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// [`Budget::steps`].
    Steps,
    /// [`Budget::memory`].
    Memory,
    /// [`Budget::stop`] returned `true`.
    Stopped,
}

/// An illegal part of a history, as small as possible. All numbers are indices into the history.
///
/// A part is not the history with operations struck out: a read whose write was struck out would be
/// illegal, and prove nothing. It is the history with *answers* struck out: an operation outside
/// `conflict` took effect at any time between its call and its return, or not at all, whatever it
/// answered. Whatever those operations did, the operations of `conflict` contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The operations whose answers cannot all be right, by call. All are of one key.
    pub conflict: Vec<usize>,
    /// Operations, by call, whose effects `conflict` may need, whenever they took place: with them,
    /// and with the answer of any one operation of `conflict` struck out, the remaining answers are
    /// right. Their own answers are not part of the contradiction. If there are at most two dozen,
    /// each is needed. Empty if `conflict` is too large to be read, or was not shrunk to the end.
    pub context: Vec<usize>,
    /// Whether nothing can be left out of `conflict`. `false`: the budget ran out or the check was
    /// stopped first, and `conflict` is the smallest found so far.
    pub minimal: bool,
    /// For each operation of `conflict`, in that order: the longest linearization that contains it.
    /// Empty where `context` was not looked for either.
    pub longest: Vec<Vec<usize>>,
}
