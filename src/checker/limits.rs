//! What may be spent, and whether it is.

use std::cell::Cell;

use super::verdict::Budget;

/// A budget, and whether its `stop` has said so. Once said it stays said: a clock that is asked
/// late must not begin new work after one answer.
pub(super) struct Limits<'a> {
    pub budget: &'a Budget<'a>,
    stopped: Cell<bool>,
}

impl<'a> Limits<'a> {
    pub fn new(budget: &'a Budget<'a>) -> Limits<'a> {
        Limits { budget, stopped: Cell::new(false) }
    }

    /// Whether to stop. To be asked before each piece of work.
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
