//! The operations that wait for their entries, and the outcome of each wait.
//!
//! Index *and* term identify an entry, since Raft makes them unique: two leaders may put different
//! operations at one index, and an output must never go to the wrong one. Terms never fall along a
//! log, so each applied entry also shows which other entries will never be applied:
//!
//! ```text
//! applied                    3/7
//! waits for  2/6   lost: 6 was applied before  waits for  3/7   has its output
//! waits for  2/7   lost: the entry is 3/7      waits for  3/8   still waits
//! waits for  2/8   lost: terms never fall      waits for  4/8   still waits
//! ```
//!
//! All calls to this file happen under the lock of [`rsm`](super::rsm), and no call waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Index, Position, Started, SubmitError, Term};
use crate::runtime::sync::Condvar;

/// The outcome of a submitted operation.
pub(super) type Outcome<T> = Result<T, SubmitError>;

/// The operations that wait for their entries, by each entry's index and term.
pub(super) struct Waiters<T> {
    by_entry: BTreeMap<(Index, Term), Waiter<T>>,
    /// Term of the last entry that was applied.
    applied_term: Term,
}

/// The state of one operation's wait.
enum Waiter<T> {
    /// Its task waits on this condition.
    Waiting(Arc<Condvar>),
    /// Its task was woken, and will fetch this outcome.
    Done(Outcome<T>),
}

impl<T> Waiters<T> {
    /// Makes an empty set, for a state whose last applied entry is of term `applied_term`.
    pub(super) const fn new(applied_term: Term) -> Waiters<T> {
        Waiters { by_entry: BTreeMap::new(), applied_term }
    }

    /// Adds the operation at `started`; returns the condition that will wake its task.
    ///
    /// # Panics
    /// When another operation waits for that entry: the log gave one index and term to two
    /// operations.
    pub(super) fn register(&mut self, started: Started) -> Arc<Condvar> {
        let wake = Arc::new(Condvar::new());
        let before = self.by_entry.insert(key(started), Waiter::Waiting(wake.clone()));
        assert!(before.is_none(), "two operations were given one place in the log: {started:?}");
        wake
    }

    /// Returns the outcome of the operation at `started`, if there is one, and removes it.
    pub(super) fn fetch(&mut self, started: Started) -> Option<Outcome<T>> {
        if !self.is_done(started) {
            return None;
        }
        match self.by_entry.remove(&key(started))? {
            Waiter::Done(outcome) => Some(outcome),
            Waiter::Waiting(_) => None,
        }
    }

    /// Whether there is an outcome to fetch for the operation at `started`.
    pub(super) fn is_done(&self, started: Started) -> bool {
        matches!(self.by_entry.get(&key(started)), Some(Waiter::Done(_)))
    }

    /// Removes the operation at `started`, whose task no longer waits.
    pub(super) fn forget(&mut self, started: Started) {
        self.by_entry.remove(&key(started));
    }

    /// Records that the entry at `at` was applied and yielded `output`.
    pub(super) fn record_applied(&mut self, at: Position, output: T) {
        if let Some(waiter) = self.by_entry.get_mut(&(at.index, at.term)) {
            waiter.resolve(Ok(output));
        }
        self.resolve_passed(at, |_| SubmitError::Replaced);
    }

    /// Records that a snapshot that ends with the entry at `at` replaced the state.
    ///
    /// An operation whose entry the snapshot may cover cannot learn whether it was applied.
    pub(super) fn record_installed(&mut self, at: Position) {
        self.resolve_passed(at, |index| match index <= at.index {
            true => SubmitError::LeadershipLost,
            false => SubmitError::Replaced,
        });
    }

    /// Resolves the operations that the entry at `at` decides: all up to its index, and all of an
    /// older term.
    fn resolve_passed(&mut self, at: Position, error: impl Fn(Index) -> SubmitError) {
        // Only when a term has ended can operations after `at.index` be lost.
        let last = if at.term > self.applied_term { Index(u64::MAX) } else { at.index };
        self.applied_term = at.term;
        for ((index, term), waiter) in self.by_entry.range_mut(..=(last, Term(u64::MAX))) {
            if *index <= at.index || *term < at.term {
                waiter.resolve(Err(error(*index)));
            }
        }
    }

    /// Ends the instance: resolves every operation that still waits.
    pub(super) fn stop(&mut self) {
        for waiter in self.by_entry.values_mut() {
            waiter.resolve(Err(SubmitError::Stopped));
        }
    }
}

impl<T> Waiter<T> {
    /// Sets the outcome and wakes the task; the first outcome is final.
    fn resolve(&mut self, outcome: Outcome<T>) {
        if let Waiter::Waiting(wake) = self {
            wake.notify_one();
            *self = Waiter::Done(outcome);
        }
    }
}

const fn key(started: Started) -> (Index, Term) {
    (started.index, started.term)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(term: u64, index: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    fn started(term: u64, index: u64) -> Started {
        Started { term: Term(term), index: Index(index) }
    }

    /// Makes operations that wait at `places`, after the entry 1/1.
    fn waiting(places: &[(u64, u64)]) -> Waiters<&'static str> {
        let mut waiters = Waiters::new(Term(1));
        for &(term, index) in places {
            waiters.register(started(term, index));
        }
        waiters
    }

    #[test]
    fn an_operation_gets_the_answer_of_its_own_entry_once() {
        let mut waiters = waiting(&[(2, 5)]);
        assert_eq!(waiters.fetch(started(2, 5)), None);
        waiters.record_applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), Some(Ok("five")));
        assert_eq!(waiters.fetch(started(2, 5)), None, "it was fetched");
    }

    #[test]
    fn an_entry_of_another_term_at_the_index_is_not_the_operations() {
        let mut waiters = waiting(&[(2, 5), (3, 5)]);
        waiters.record_applied(at(3, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 5)), Some(Ok("five")));
    }

    #[test]
    fn an_operation_of_a_newer_term_at_the_index_is_lost_too() {
        let mut waiters = waiting(&[(3, 5)]);
        waiters.record_applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(3, 5)), Some(Err(SubmitError::Replaced)));
    }

    #[test]
    fn an_entry_of_a_newer_term_ends_the_hope_of_all_older_ones_behind_it() {
        let mut waiters = waiting(&[(2, 9), (3, 9)]);
        waiters.record_applied(at(3, 5), "five");
        assert_eq!(waiters.fetch(started(2, 9)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 9)), None, "terms only rise: it may still come");
    }

    #[test]
    fn an_entry_of_the_same_term_says_nothing_about_later_ones() {
        let mut waiters = waiting(&[(2, 6)]);
        waiters.record_applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 6)), None);
    }

    #[test]
    fn a_snapshot_leaves_open_what_it_covers() {
        let mut waiters = waiting(&[(2, 5), (2, 9), (3, 9)]);
        waiters.record_installed(at(3, 7));
        assert_eq!(waiters.fetch(started(2, 5)), Some(Err(SubmitError::LeadershipLost)));
        assert_eq!(waiters.fetch(started(2, 9)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 9)), None);
    }

    #[test]
    fn the_end_resolves_all_that_wait_but_changes_no_outcome() {
        let mut waiters = waiting(&[(2, 5), (2, 6)]);
        waiters.record_applied(at(2, 5), "five");
        waiters.stop();
        assert_eq!(waiters.fetch(started(2, 5)), Some(Ok("five")));
        assert_eq!(waiters.fetch(started(2, 6)), Some(Err(SubmitError::Stopped)));
    }

    #[test]
    fn an_operation_that_gave_up_leaves_nothing_behind() {
        let mut waiters = waiting(&[(2, 5)]);
        waiters.forget(started(2, 5));
        waiters.record_applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), None);
    }

    #[test]
    #[should_panic(expected = "one place")]
    fn one_place_for_two_operations_is_a_bug() {
        waiting(&[(2, 5), (2, 5)]);
    }
}
