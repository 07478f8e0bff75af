//! The operations of a history: their inputs and answers, and the times of their calls and returns.

/// One operation of a history: client, input, times of call and return, and answer.
///
/// Times may have any unit and any origin; only their order matters. At equal times, calls come
/// before returns: an operation that is called at the moment another returns overlaps it.
///
/// ```
/// use raftlab::checker::Operation;
///
/// let done = Operation::answered(1, 10, "x = 1", 25, "ok");
/// let open = Operation::open(2, 12, "x = 2");
/// assert!(done.overlaps(&open));
/// let later = Operation::answered(1, 26, "x = 3", 30, "ok");
/// assert!(!done.overlaps(&later));
/// # let _: Operation<&str, &str> = open;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation<I, O> {
    /// The client that called. The checker only shows it: two operations of one client may overlap.
    pub client: u64,
    /// Time of the call.
    pub call: u64,
    /// What the client asked for.
    pub input: I,
    /// Time of the return, not before `call`, and the answer. `None`: the operation never returned,
    /// so it may have taken effect at any time after its call, or not at all.
    pub returned: Option<(u64, O)>,
}

impl<I, O> Operation<I, O> {
    /// An operation that was called at `call` and returned `output` at `at`.
    pub fn answered(client: u64, call: u64, input: I, at: u64, output: O) -> Operation<I, O> {
        Operation { client, call, input, returned: Some((at, output)) }
    }

    /// An operation that never returned.
    pub fn open(client: u64, call: u64, input: I) -> Operation<I, O> {
        Operation { client, call, input, returned: None }
    }

    /// The answer, if there is one.
    pub fn output(&self) -> Option<&O> {
        self.returned.as_ref().map(|(_, output)| output)
    }

    /// Time of the return; `u64::MAX` if the operation never returned.
    pub fn end(&self) -> u64 {
        self.returned.as_ref().map_or(u64::MAX, |(at, _)| *at)
    }

    /// Whether neither operation had returned before the other was called.
    pub fn overlaps(&self, other: &Operation<I, O>) -> bool {
        !self.precedes(other) && !other.precedes(self)
    }

    /// Whether this operation had returned before `other` was called.
    pub fn precedes(&self, other: &Operation<I, O>) -> bool {
        self.returned.as_ref().is_some_and(|(at, _)| *at < other.call)
    }
}
