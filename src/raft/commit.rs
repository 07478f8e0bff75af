//! The commit rule: how a leader learns that an entry is committed and how followers hear of it
//! (Raft §5.3, §5.4).
//!
//! A leader may count the copies of an entry only if the entry is of *its own* term. An older entry
//! on a majority can still be lost, as Figure 8 shows:
//!
//! ```text
//!          1   2   3
//! S0       1   2   4     leads term 4; 4/3 is not copied yet
//! S1       1   2
//! S2       1   2         2/2 was copied here in term 4
//! S3       1
//! S4       1   3         led term 3
//! ```
//!
//! A majority has 2/2, but S4, whose log ends in term 3, can still win the votes of S1, S2 and S3,
//! and put 3/2 in its place. Once 4/3 is on a majority, S4 can win no more, and 2/2 is committed
//! with it.

use super::state::{Progress, Role, State};
use crate::api::{Index, quorum_size};
use crate::note;

impl State {
    /// Raises the leader's commit index to the index that a majority has reached (Figure 2, Rules
    /// for Servers, Leaders).
    ///
    /// "If there exists an N such that N > commitIndex, a majority of matchIndex\[i\] >= N, and
    /// log\[N\].term == currentTerm: set commitIndex = N". Looks at the servers, not at the log:
    /// if the entry at the highest index that a majority has is of an older term, then so are
    /// all before it.
    pub(super) fn advance_commit_index(&mut self) {
        let Some(majority_index) = self.majority_match_index() else { return };
        // After an election it may be lower: each `match_index` starts at 0.
        let own_term = self.log.term_at(majority_index) == Some(self.current_term);
        if majority_index > self.commit_index && own_term {
            let was = self.commit_index;
            note!(
                self.me,
                Commit,
                "commit_index={majority_index} (was {was}), which a majority has"
            );
            // keeps (committed_is_in_the_log): because `term_at` found the entry there.
            self.commit_index = majority_index;
        }
    }

    /// Returns the highest index that a majority of the servers has, as far as this leader knows.
    ///
    /// Any two majorities share a server, so a later leader has the vote of a server that stored
    /// the entries up to there.
    ///
    /// Our own entries count: the critical section that appends them also syncs them, before any
    /// other task can see the commit index that they raise.
    fn majority_match_index(&self) -> Option<Index> {
        self.reached_by_majority(self.log.last().index, |follower| follower.match_index)
    }

    /// Returns the highest value that a majority of the servers has reached, as far as this leader
    /// knows. Our own value is `own`. `None` unless we lead.
    pub(super) fn reached_by_majority<T: Ord + Copy>(
        &self,
        own: T,
        of: impl Fn(&Progress) -> T,
    ) -> Option<T> {
        let Role::Leader { followers } = &self.role else { return None };
        let value_of = |(slot, follower)| if slot == self.me.slot() { own } else { of(follower) };
        let values = || followers.iter().enumerate().map(value_of);
        let reached_by = |value: &T| values().filter(|other| other >= value).count();
        values().filter(|value| reached_by(value) >= quorum_size(self.servers)).max()
    }

    /// Whether `has` holds for a majority of the servers, as far as this leader knows; it holds for
    /// us. False unless we lead.
    pub(super) fn holds_for_majority(&self, has: impl Fn(&Progress) -> bool) -> bool {
        let Role::Leader { followers } = &self.role else { return false };
        let slots = followers.iter().enumerate();
        let count = slots.filter(|(slot, one)| *slot == self.me.slot() || has(one)).count();
        count >= quorum_size(self.servers)
    }

    /// Raises a follower's commit index to its leader's (Figure 2, AppendEntries, step 5).
    ///
    /// Only up to "index of last new entry": the entries after it in our log may come from an old
    /// leader, and differ from those that this leader has committed.
    pub(super) fn follow_commit(&mut self, leader_commit: Index, last_new_index: Index) {
        let committed = leader_commit.min(last_new_index);
        // keeps (nothing_known_is_forgotten): because a late request lowers nothing.
        if committed > self.commit_index {
            let was = self.commit_index;
            note!(self.me, Commit, "commit_index={committed} (was {was}), as its leader says");
            // keeps (committed_is_in_the_log): because our log reaches `last_new_index` by now.
            self.commit_index = committed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{S1, S2, follower, leader};
    use super::*;
    use crate::api::ServerId;

    fn set_match(state: &mut State, follower: ServerId, index: u64) {
        let Role::Leader { followers } = &mut state.role else { panic!("not a leader") };
        followers[follower.slot()].match_index = Index(index);
        state.advance_commit_index();
    }

    #[test]
    fn an_entry_on_a_majority_is_committed() {
        let mut state = leader(5, 2, &[2, 2]);
        set_match(&mut state, S1, 2);
        assert_eq!(state.commit_index, Index(0), "two of five are no majority");
        set_match(&mut state, S2, 1);
        assert_eq!(state.commit_index, Index(1), "index 1 is on three of five");
    }

    #[test]
    fn a_majority_of_four_is_three() {
        let mut state = leader(4, 2, &[2, 2]);
        set_match(&mut state, S1, 2);
        assert_eq!(state.commit_index, Index(0), "two of four are no majority");
        set_match(&mut state, S2, 2);
        assert_eq!(state.commit_index, Index(2), "three of four");
    }

    #[test]
    fn an_entry_of_an_older_term_is_not_committed_by_count() {
        let mut state = leader(3, 4, &[1, 2]);
        set_match(&mut state, S1, 2);
        set_match(&mut state, S2, 2);
        assert_eq!(state.commit_index, Index(0), "2/2 is on all servers, but is not of term 4");
    }

    #[test]
    fn an_entry_of_the_own_term_commits_the_older_ones_with_it() {
        let mut state = leader(3, 4, &[1, 2, 4]);
        set_match(&mut state, S1, 3);
        assert_eq!(state.commit_index, Index(3));
    }

    #[test]
    fn the_leaders_own_entries_count() {
        let mut state = leader(1, 2, &[2]);
        state.advance_commit_index();
        assert_eq!(state.commit_index, Index(1), "one server is a majority of one");
    }

    #[test]
    fn the_commit_index_of_a_leader_never_falls() {
        let mut state = leader(3, 2, &[2, 2]);
        set_match(&mut state, S1, 2);
        set_match(&mut state, S1, 1);
        assert_eq!(state.commit_index, Index(2));
    }

    #[test]
    fn a_follower_commits_what_its_leader_does() {
        let mut state = follower(1, &[1, 1, 1]);
        state.follow_commit(Index(2), Index(3));
        assert_eq!(state.commit_index, Index(2));
    }

    #[test]
    fn a_follower_commits_no_further_than_the_last_new_entry() {
        let mut state = follower(1, &[1, 1, 1]);
        state.follow_commit(Index(3), Index(1));
        assert_eq!(state.commit_index, Index(1), "2 and 3 may be an old leader's");
    }

    #[test]
    fn the_commit_index_of_a_follower_never_falls() {
        let mut state = follower(1, &[1, 1, 1]);
        state.follow_commit(Index(3), Index(3));
        state.follow_commit(Index(1), Index(3));
        assert_eq!(state.commit_index, Index(3));
    }

    #[test]
    fn a_follower_commits_nothing_by_count() {
        let mut state = follower(1, &[1]);
        state.advance_commit_index();
        assert_eq!(state.commit_index, Index(0));
    }
}
