//! The budget of a check, and its verdict.

/// The steps, the memory and the time that a check may use.
///
/// If one of them runs out before the history is found legal or illegal, the verdict is
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
    /// Number of steps; in each step, one operation is tried in one state. A machine does some
    /// millions of steps a second.
    pub steps: u64,
    /// Number of steps for finding the smallest counterexample of an illegal history.
    pub shrink_steps: u64,
    /// Approximate number of bytes that the check may use to remember the configurations it tried.
    pub memory: usize,
    /// A function that is called before each piece of work, of some thousand steps. `true` ends the
    /// check, and then `stop` is not called again. Use it for a time limit. If the history was
    /// found illegal before, the verdict stays illegal, with the smallest counterexample so far.
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
    /// The history is linearizable: some order of its operations explains every answer.
    Ok,
    /// The history is not linearizable: no order explains every answer.
    Illegal(Counterexample),
    /// The budget ran out before the history was judged. This is not a pass.
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

/// The part of the budget that ran out.
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
/// A part leaves out some *answers* of the history, and keeps all its operations. (To leave out
/// operations would prove nothing: a read is always illegal without the write of its value.) An
/// operation outside `conflict` may have taken effect at any time between its call and its return,
/// or not at all, whatever it answered. In each of these cases the answers of `conflict` contradict
/// each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The operations whose answers cannot all be right, in the order of their calls. All are of
    /// one key.
    pub conflict: Vec<usize>,
    /// Operations whose effects show that each answer of `conflict` is needed for the
    /// contradiction: if any one of them is left out, these effects make all others right. In the
    /// order of their calls. The answers of these operations do not count. If there are at most two
    /// dozen such operations, none can be left out. Empty if `conflict` is too large to be read, or
    /// was not shrunk to the end.
    pub context: Vec<usize>,
    /// Whether nothing can be left out of `conflict`. `false`: the budget ran out or the check was
    /// stopped first, and `conflict` is the smallest found so far.
    pub minimal: bool,
    /// For each operation of `conflict`, in the same order: the longest linearization that contains
    /// the operation. All are empty if `context` was not determined either.
    pub longest: Vec<Vec<usize>>,
}
