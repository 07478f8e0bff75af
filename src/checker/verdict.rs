//! What may be spent on a judgement, and what comes of it.

/// What a check may spend. When something runs out the verdict is [`Verdict::Unknown`].
///
/// Steps and memory are counted the same on every machine, so that with `stop` left out a verdict
/// is a function of the history and the budget alone.
///
/// ```
/// use raftlab::checker::Budget;
///
/// let budget = Budget { steps: 1_000_000, ..Budget::default() };
/// # let _ = budget;
/// ```
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// How often an operation may be tried in a state. A second has some millions of them.
    pub steps: u64,
    /// The same, for making the smallest counterexample of an illegal history.
    pub shrink_steps: u64,
    /// About how many bytes may be kept about what was tried.
    pub memory: usize,
    /// Asked before each piece of work, of some thousand steps; `true` ends the check, and it is
    /// not asked again. The way to bring a clock. What is illegal by then stays so: the
    /// counterexample is the smallest that was found.
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
    /// It is: there is an order of its operations that explains every answer.
    Ok,
    /// It is not: there is no such order.
    Illegal(Counterexample),
    /// Neither was found in time. Not a pass.
    Unknown(Why),
}

impl Verdict {
    /// Whether the history is linearizable for certain.
    pub fn is_ok(&self) -> bool {
        matches!(self, Verdict::Ok)
    }

    /// Whether the history is not linearizable, for certain.
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
    /// [`Budget::stop`] said so.
    Stopped,
}

/// The smallest part of an illegal history that is still illegal. All numbers are indices into
/// the history that was given.
///
/// A part is not the history with operations struck out: a read whose write was struck out would
/// be illegal, and prove nothing. It is the history with *answers* struck out: an operation
/// outside of `conflict` took effect at any time between its call and its return, whatever it
/// answered, or not at all. Whatever the rest may have done, the operations of `conflict`
/// contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The operations that cannot all be right, by call. All are of one key.
    pub conflict: Vec<usize>,
    /// Operations, by call, whose effects `conflict` may need, whenever they took place: with
    /// these, and the answer of any one operation of `conflict` struck out, the others are legal.
    /// Their own answers are not part of the contradiction. Up to two dozen, none is idle. Empty if
    /// `conflict` is so large that nobody would read it, or was not shrunk to the end.
    pub context: Vec<usize>,
    /// Whether nothing can be left out of `conflict`. `false`: [`Budget::shrink_steps`] ran out, or
    /// the check was stopped, and it is the smallest so far.
    pub minimal: bool,
    /// For each operation of `conflict`, in that order: the longest linearization through it; empty
    /// where `context` was not looked for either.
    pub longest: Vec<Vec<usize>>,
}
