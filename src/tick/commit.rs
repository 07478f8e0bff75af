//! The commit rule of leaders (Raft §5.3, §5.4.2).

use super::raft::{Raft, Role};
use super::storage::Storage;

impl<S: Storage> Raft<S> {
    /// Commits what a majority has, if its last entry is of this term; returns whether it did.
    ///
    /// "Only log entries from the leader's current term are committed by counting replicas"
    /// (Raft §5.4.2): an entry of an older term that a majority has may still be replaced
    /// (Figure 8). The no-op entry of each leader ensures that there is an entry to count.
    pub(super) fn try_commit(&mut self) -> bool {
        if self.role != Role::Leader {
            return false;
        }
        let index = self.prs.majority_has(|node| node.matched);
        self.log.commit(index, self.term)
    }
}
