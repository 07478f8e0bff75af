//! The commit rule of leaders (Raft §5.3, §5.4.2).

use super::raft::{Raft, Role};
use super::storage::Storage;

impl<S: Storage> Raft<S> {
    /// Commits what a majority has, if it ends in this term; whether that is news.
    ///
    /// "Only log entries from the leader's current term are committed by counting replicas"
    /// (Raft §5.4.2): an entry of an older term that a majority has may still be replaced
    /// (Figure 8). The entry that each leader begins with makes sure that there is one to count.
    pub(super) fn try_commit(&mut self) -> bool {
        if self.role != Role::Leader {
            return false;
        }
        let index = self.prs.majority_has(|node| node.matched);
        self.log.commit(index, self.term)
    }
}
