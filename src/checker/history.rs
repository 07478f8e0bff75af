//! What was done and seen: operations with the times of their calls and returns.

/// One operation of a history: who asked for what and when, and what came back.
///
/// Times are of any unit and any origin; only their order matters. Of equal times, calls come
/// before returns: an operation that is called at the moment another returns overlaps it.
///
/// ```
/// use raftlab::checker::Operation;
///
/// let done = Operation::answered(1, 10, "x = 1", 25, "ok");
/// let open = Operation::open(2, 12, "x = 2");
/// assert!(done.overlaps(&open));
/// # let _: Operation<&str, &str> = open;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation<I, O> {
    /// Who called. For people alone: two operations of one client may overlap.
    pub client: u64,
    /// When it was called.
    pub call: u64,
    /// What was asked for.
    pub input: I,
    /// When it returned, not before `call`, and with what. `None`: it never did, so it may have
    /// taken effect at any time after its call, or not at all.
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

    /// What came back, if anything did.
    pub fn output(&self) -> Option<&O> {
        self.returned.as_ref().map(|(_, output)| output)
    }

    /// When it returned; the end of time if it never did.
    pub fn end(&self) -> u64 {
        self.returned.as_ref().map_or(u64::MAX, |(at, _)| *at)
    }

    /// Whether neither of the two surely took effect before the other was called.
    pub fn overlaps(&self, other: &Operation<I, O>) -> bool {
        !self.precedes(other) && !other.precedes(self)
    }

    /// Whether it had returned before `other` was called.
    pub fn precedes(&self, other: &Operation<I, O>) -> bool {
        self.returned.as_ref().is_some_and(|(at, _)| *at < other.call)
    }
}
