//! The limits of a check: its budget, and whether it was stopped.

use std::cell::Cell;

use super::verdict::Budget;

/// A budget, and whether its `stop` has returned `true`.
///
/// After that answer `stop` is not called again, and no new work may start.
pub(super) struct Limits<'a> {
    pub budget: &'a Budget<'a>,
    stopped: Cell<bool>,
}

impl<'a> Limits<'a> {
    pub(super) fn new(budget: &'a Budget<'a>) -> Limits<'a> {
        Limits { budget, stopped: Cell::new(false) }
    }

    /// Whether the check must stop. To be called before each piece of work.
    pub(super) fn stopped(&self) -> bool {
        if !self.stopped.get() {
            self.stopped.set(self.budget.stop.is_some_and(|stop| stop()));
        }
        self.stopped.get()
    }
}

/// The steps and the memory that are left for a piece of work.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub steps: u64,
    pub memory: usize,
}
