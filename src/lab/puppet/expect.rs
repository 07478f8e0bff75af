//! What a scenario expects of S0, told in a sentence if it is not so.

use super::{Leading, Stage};
use crate::api::Index;

impl Stage<'_> {
    /// Panics unless the service of S0 has the entries up to `expected` and no others. `why` is the
    /// reason for this expectation.
    #[track_caller]
    pub fn expect_applied(&self, expected: Index, why: &str) {
        let found = self.applied_index();
        assert!(found == expected, "S0 applied up to {found}, expected {expected}: {why}");
    }

    /// Panics unless the commands that S0 sent its service in its present life are `expected`.
    #[track_caller]
    pub fn expect_commands(&self, expected: &[&str], why: &str) {
        let found = self.commands();
        assert!(found == expected, "S0 applied {found:?}, expected {expected:?}: {why}");
    }
}

impl Leading<'_, '_> {
    /// Panics unless S0 told its followers, as leader, that `expected` is committed and no more.
    #[track_caller]
    pub fn expect_commit_told(&self, expected: Index, why: &str) {
        let found = self.commit_told();
        assert!(
            found == expected,
            "S0 tells its followers that entries up to {found} are committed, expected {expected}: \
             {why}"
        );
    }
}
