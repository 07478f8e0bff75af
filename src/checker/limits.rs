//! The budget of a check, and whether it was stopped.

use std::cell::Cell;

use super::verdict::Budget;

/// A budget, and whether its `stop` has returned `true`.
///
/// Once it has, it is not asked again: no new work may start after that answer.
pub(super) struct Limits<'a> {
    pub budget: &'a Budget<'a>,
    stopped: Cell<bool>,
}

impl<'a> Limits<'a> {
    pub fn new(budget: &'a Budget<'a>) -> Limits<'a> {
        Limits { budget, stopped: Cell::new(false) }
    }

    /// Whether to stop. Called before each piece of work.
    pub fn stopped(&self) -> bool {
        if !self.stopped.get() {
            self.stopped.set(self.budget.stop.is_some_and(|stop| stop()));
        }
        self.stopped.get()
    }
}

/// What a piece of work may still spend.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub steps: u64,
    pub memory: usize,
}
