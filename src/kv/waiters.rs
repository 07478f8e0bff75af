//! Who waits for which entry of the log, and what becomes of the wait.
//!
//! An entry is known by its index *and* its term, which Raft makes unique: two leaders may put
//! different operations at one index, and an answer must never go to the wrong one. Terms only
//! rise along a log, so each entry that is applied also says which others never will be:
//!
//! ```text
//! applied                    3/7
//! waits for  2/6   lost: 7 is not behind us    waits for  3/7   has its answer
//! waits for  2/7   lost: 3/7 stands there      waits for  3/8   goes on waiting
//! waits for  2/8   lost: no 2 follows a 3      waits for  4/8   goes on waiting
//! ```
//!
//! Everything here happens under the lock of [`rsm`](super::rsm); nothing here waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Index, Position, Started, SubmitError, Term};
use crate::runtime::sync::Condvar;

/// What becomes of a submitted operation.
pub type Outcome<T> = Result<T, SubmitError>;

/// The operations that wait for their entries, by the place that each has in its leader's log.
pub struct Waiters<T> {
    by_entry: BTreeMap<(Index, Term), Waiter<T>>,
    /// Term of the last entry that was applied.
    applied_term: Term,
}

/// One operation.
enum Waiter<T> {
    /// Its task waits here.
    Waiting(Arc<Condvar>),
    /// Its task has been woken and will fetch this.
    Done(Outcome<T>),
}

impl<T> Waiters<T> {
    /// Nobody waits, on top of a state whose last entry is of term `applied_term`.
    pub const fn new(applied_term: Term) -> Waiters<T> {
        Waiters { by_entry: BTreeMap::new(), applied_term }
    }

    /// Adds the operation that was given the place `started`; it is woken through the condition.
    ///
    /// # Panics
    /// When somebody waits for that entry: the log gave one place to two operations.
    pub fn register(&mut self, started: Started) -> Arc<Condvar> {
        let wake = Arc::new(Condvar::new());
        let before = self.by_entry.insert(key(started), Waiter::Waiting(wake.clone()));
        assert!(before.is_none(), "two operations were given one place in the log: {started:?}");
        wake
    }

    /// The outcome for the operation at `started`, once there is one. It is fetched only once.
    pub fn fetch(&mut self, started: Started) -> Option<Outcome<T>> {
        if !self.is_done(started) {
            return None;
        }
        match self.by_entry.remove(&key(started))? {
            Waiter::Done(outcome) => Some(outcome),
            Waiter::Waiting(_) => None,
        }
    }

    /// Whether there is an outcome to fetch for the operation at `started`.
    pub fn is_done(&self, started: Started) -> bool {
        matches!(self.by_entry.get(&key(started)), Some(Waiter::Done(_)))
    }

    /// Takes out the operation at `started`, whose task waits no longer.
    pub fn forget(&mut self, started: Started) {
        self.by_entry.remove(&key(started));
    }

    /// The entry at `at` was applied and yielded `output`.
    pub fn applied(&mut self, at: Position, output: T) {
        if let Some(waiter) = self.by_entry.get_mut(&(at.index, at.term)) {
            waiter.resolve(Ok(output));
        }
        self.passed(at, |_| SubmitError::Replaced);
    }

    /// A snapshot that ends with the entry at `at` took the place of what was to be applied.
    ///
    /// Whose entry it may cover does not learn whether it does.
    pub fn installed(&mut self, at: Position) {
        self.passed(at, |index| match index <= at.index {
            true => SubmitError::LeadershipLost,
            false => SubmitError::Replaced,
        });
    }

    /// Resolves what the entry at `at` has passed: everything up to its index, and everything of
    /// an older term.
    fn passed(&mut self, at: Position, error: impl Fn(Index) -> SubmitError) {
        // Looking at all is only worth it when a term has ended.
        let last = if at.term > self.applied_term { Index(u64::MAX) } else { at.index };
        self.applied_term = at.term;
        for ((index, term), waiter) in self.by_entry.range_mut(..=(last, Term(u64::MAX))) {
            if *index <= at.index || *term < at.term {
                waiter.resolve(Err(error(*index)));
            }
        }
    }

    /// The instance ends: everybody is told, whoever still waits.
    pub fn stop(&mut self) {
        for waiter in self.by_entry.values_mut() {
            waiter.resolve(Err(SubmitError::Stopped));
        }
    }
}

impl<T> Waiter<T> {
    /// Settles the outcome and wakes the task; the first outcome stands.
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

    /// Operations that wait at `places`, after the entry 1/1.
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
        waiters.applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), Some(Ok("five")));
        assert_eq!(waiters.fetch(started(2, 5)), None, "it was fetched");
    }

    #[test]
    fn an_entry_of_another_term_at_the_index_is_not_the_operations() {
        let mut waiters = waiting(&[(2, 5), (3, 5)]);
        waiters.applied(at(3, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 5)), Some(Ok("five")));
    }

    #[test]
    fn an_operation_of_a_newer_term_at_the_index_is_lost_too() {
        let mut waiters = waiting(&[(3, 5)]);
        waiters.applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(3, 5)), Some(Err(SubmitError::Replaced)));
    }

    #[test]
    fn an_entry_of_a_newer_term_ends_the_hope_of_all_older_ones_behind_it() {
        let mut waiters = waiting(&[(2, 9), (3, 9)]);
        waiters.applied(at(3, 5), "five");
        assert_eq!(waiters.fetch(started(2, 9)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 9)), None, "terms only rise: it may still come");
    }

    #[test]
    fn an_entry_of_the_same_term_says_nothing_about_later_ones() {
        let mut waiters = waiting(&[(2, 6)]);
        waiters.applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 6)), None);
    }

    #[test]
    fn a_snapshot_leaves_open_what_it_covers() {
        let mut waiters = waiting(&[(2, 5), (2, 9), (3, 9)]);
        waiters.installed(at(3, 7));
        assert_eq!(waiters.fetch(started(2, 5)), Some(Err(SubmitError::LeadershipLost)));
        assert_eq!(waiters.fetch(started(2, 9)), Some(Err(SubmitError::Replaced)));
        assert_eq!(waiters.fetch(started(3, 9)), None);
    }

    #[test]
    fn everybody_learns_of_the_end_but_what_was_decided_stands() {
        let mut waiters = waiting(&[(2, 5), (2, 6)]);
        waiters.applied(at(2, 5), "five");
        waiters.stop();
        assert_eq!(waiters.fetch(started(2, 5)), Some(Ok("five")));
        assert_eq!(waiters.fetch(started(2, 6)), Some(Err(SubmitError::Stopped)));
    }

    #[test]
    fn who_gave_up_leaves_nothing_behind() {
        let mut waiters = waiting(&[(2, 5)]);
        waiters.forget(started(2, 5));
        waiters.applied(at(2, 5), "five");
        assert_eq!(waiters.fetch(started(2, 5)), None);
    }

    #[test]
    #[should_panic(expected = "one place")]
    fn one_place_for_two_operations_is_a_bug() {
        waiting(&[(2, 5), (2, 5)]);
    }
}
