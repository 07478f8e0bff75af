//! The follower's side of replication: appends the leader's entries if the consistency check passes
//! (Figure 2, AppendEntries RPC).
//!
//! The leader names the entry before the new ones. If we have that entry, then by induction we have
//! all entries before it (Log Matching, Raft §5.3), and the new ones belong after it; if not, we
//! reply where our logs diverge. Requests may be late, repeated and out of order, so entries that
//! we have already stay: an old, short request must not remove what a newer one appended.

use super::state::{Effects, State};
use crate::api::raft_rpc::{AppendEntriesArgs, AppendEntriesReply, Conflict};
use crate::api::{Entry, Position};

impl State {
    /// Answers one `AppendEntries` (Figure 2, AppendEntries RPC, steps 1 to 5).
    ///
    /// `success` promises that our log agrees with the leader's up to the last new entry, also
    /// after a crash: the leader relies on it when it commits.
    pub(super) fn on_append_entries(
        &mut self,
        args: AppendEntriesArgs,
        effects: &mut Effects,
    ) -> AppendEntriesReply {
        self.observe_term(args.term, args.leader_id, effects);

        // Step 1: a leader of an older term learns our term and nothing else.
        if args.term < self.current_term {
            return self.append_reply(false, None);
        }
        self.follow(args.leader_id, effects);

        // Step 2: our log must have the entry before the new ones.
        if let Some(conflict) = self.conflict_at(args.prev_log()) {
            return self.append_reply(false, Some(conflict));
        }
        let last_new_index = args.last_new_index();
        self.append_new(args.entries, effects); // Steps 3 and 4.
        self.follow_commit(args.leader_commit, last_new_index); // Step 5.
        self.append_reply(true, None)
    }

    const fn append_reply(&self, success: bool, conflict: Option<Conflict>) -> AppendEntriesReply {
        AppendEntriesReply { term: self.current_term, success, conflict }
    }

    /// Returns where our log diverges from the leader's, if it lacks the entry `prev` (Figure 2,
    /// AppendEntries, step 2; lab: fast backup).
    ///
    /// The entries that our snapshot covers are committed, so the leader has the same ones: there
    /// is no conflict.
    ///
    /// # Panics
    /// When the leader's log differs from ours in a committed entry, which breaks Leader
    /// Completeness (Raft §5.4.3).
    fn conflict_at(&self, prev: Position) -> Option<Conflict> {
        if prev.index < self.log.last_included().index {
            return None;
        }
        let Some(term) = self.log.term_at(prev.index) else {
            return Some(Conflict { term: None, index: self.log.last().index.next() });
        };
        if term == prev.term {
            return None;
        }
        assert!(
            prev.index > self.commit_index,
            "the leader has {prev} where {term}/{} is committed up to {}",
            prev.index,
            self.commit_index,
        );
        let index = self.log.first_index_of(term).unwrap_or(prev.index);
        Some(Conflict { term: Some(term), index })
    }

    /// Appends the entries that we lack, and replaces those that conflict (Figure 2, AppendEntries,
    /// steps 3 and 4).
    ///
    /// "If an existing entry conflicts with a new one (same index but different terms), delete
    /// the existing entry and all that follow it", and only then. If we have all its entries, the
    /// request is late, repeated or a heartbeat, and deletes nothing: meanwhile we may have
    /// acknowledged later entries.
    ///
    /// # Panics
    /// When a committed entry would be deleted, which breaks State Machine Safety.
    fn append_new(&mut self, mut entries: Vec<Entry>, effects: &mut Effects) {
        let covered = self.log.last_included().index;
        let is_new = |entry: &Entry| entry.index > covered && !self.log.contains(entry.position());
        let Some(first_new) = entries.iter().position(is_new) else { return };
        let new = entries.split_off(first_new);
        assert!(
            new[0].index > self.commit_index,
            "{} would replace an entry that is committed: commit_index={}",
            new[0].position(),
            self.commit_index,
        );
        // keeps (committed_is_in_the_log): because nothing committed is cut, as asserted above.
        // keeps (log_is_not_of_the_future): because the leader has no entry of a later term than
        // its own, which is now ours.
        self.append(new, effects);
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Role;
    use super::super::testing::{ME, S1, at, entries, follower, log};
    use super::*;
    use crate::api::{Index, Term};

    /// A request of S1, the leader of `term`, with entries of `terms` after `prev`.
    fn append(term: u64, prev: Position, terms: &[u64], commit: u64) -> AppendEntriesArgs {
        AppendEntriesArgs {
            term: Term(term),
            leader_id: S1,
            prev_log_index: prev.index,
            prev_log_term: prev.term,
            entries: entries(prev.index.next().0, terms),
            leader_commit: Index(commit),
        }
    }

    fn answer(state: &mut State, args: AppendEntriesArgs) -> AppendEntriesReply {
        state.on_append_entries(args, &mut Effects::default())
    }

    fn conflict(term: Option<u64>, index: u64) -> Option<Conflict> {
        Some(Conflict { term: term.map(Term), index: Index(index) })
    }

    #[test]
    fn new_entries_are_appended_and_persisted() {
        let mut state = follower(3, &[1, 1]);
        let mut effects = Effects::default();
        let reply = state.on_append_entries(append(3, at(1, 2), &[3, 3], 0), &mut effects);
        assert!(reply.success, "the entry before the new ones is ours: {reply:?}");
        assert_eq!(state.log, log(&[1, 1, 3, 3]));
        assert_eq!(effects.append, entries(3, &[3, 3]), "an acknowledged entry must be durable");
    }

    #[test]
    fn a_leader_of_an_older_term_is_refused() {
        let mut state = follower(3, &[1, 1]);
        let before = state.clone();
        let mut effects = Effects::default();
        let reply = state.on_append_entries(append(2, at(1, 1), &[2], 2), &mut effects);
        assert_eq!(
            reply,
            AppendEntriesReply { term: Term(3), success: false, conflict: None },
            "the older leader must learn our term",
        );
        assert_eq!((state, effects), (before, Effects::default()), "nothing else may happen");
    }

    #[test]
    fn any_current_leader_resets_the_timer_even_when_the_logs_disagree() {
        let mut state = follower(3, &[]);
        let mut effects = Effects::default();
        let reply = state.on_append_entries(append(3, at(2, 5), &[], 0), &mut effects);
        assert!(!reply.success && effects.reset_election_timer, "{reply:?} {effects:?}");
    }

    #[test]
    fn candidate_follows_the_leader_of_its_own_term() {
        let mut state = follower(3, &[]);
        state.start_election(&mut Effects::default());
        answer(&mut state, append(4, at(0, 0), &[], 0));
        assert_eq!((&state.role, state.leader_id), (&Role::Follower, Some(S1)));
        assert_eq!(state.voted_for, Some(ME), "the vote stays");
    }

    #[test]
    fn a_newer_leader_is_followed_and_its_term_persisted() {
        let mut state = follower(3, &[]);
        let mut effects = Effects::default();
        let reply = state.on_append_entries(append(5, at(0, 0), &[], 0), &mut effects);
        assert_eq!((reply.term, state.current_term), (Term(5), Term(5)));
        assert!(effects.save_vote, "the reply says term 5");
    }

    #[test]
    fn a_log_that_is_too_short_names_its_first_free_place() {
        let mut state = follower(3, &[1, 1]);
        let reply = answer(&mut state, append(3, at(1, 5), &[3], 5));
        assert_eq!((reply.success, reply.conflict), (false, conflict(None, 3)));
    }

    #[test]
    fn a_conflicting_entry_names_its_term_and_where_that_begins() {
        let mut state = follower(6, &[1, 4, 4, 4, 5]);
        let reply = answer(&mut state, append(6, at(6, 4), &[6], 0));
        assert_eq!((reply.success, reply.conflict), (false, conflict(Some(4), 2)));
    }

    #[test]
    fn a_conflicting_term_is_not_searched_inside_the_snapshot() {
        let mut state = follower(6, &[4, 4, 4, 4]);
        state.log.compact(at(4, 2));
        let reply = answer(&mut state, append(6, at(6, 4), &[6], 0));
        assert_eq!(reply.conflict, conflict(Some(4), 3), "index 3 is the first one kept");
    }

    #[test]
    fn a_refusal_changes_neither_log_nor_commit_index() {
        let mut state = follower(3, &[1, 1]);
        let before = state.log.clone();
        answer(&mut state, append(3, at(3, 2), &[3], 2));
        assert_eq!((state.log, state.commit_index), (before, Index(0)));
    }

    #[test]
    fn what_the_leader_has_committed_is_committed_here() {
        let mut state = follower(3, &[1]);
        answer(&mut state, append(3, at(1, 1), &[3, 3], 2));
        assert_eq!(state.commit_index, Index(2));
    }

    #[test]
    fn a_heartbeat_commits_no_further_than_the_entry_it_names() {
        let mut state = follower(3, &[1, 2, 2]);
        answer(&mut state, append(3, at(1, 1), &[], 3));
        assert_eq!(state.commit_index, Index(1), "2 and 3 may be an old leader's");
    }

    #[test]
    fn a_conflicting_entry_and_all_after_it_are_replaced() {
        let mut state = follower(3, &[1, 1, 2, 2, 2]);
        let mut effects = Effects::default();
        state.on_append_entries(append(3, at(1, 1), &[1, 3], 0), &mut effects);
        assert_eq!(state.log, log(&[1, 1, 3]));
        assert_eq!(effects.append, entries(3, &[3]), "index 2 was there already");
    }

    #[test]
    fn an_old_shorter_request_does_not_take_back_what_a_newer_one_brought() {
        let mut state = follower(3, &[1]);
        answer(&mut state, append(3, at(1, 1), &[3, 3, 3], 0));
        let mut effects = Effects::default();
        let reply = state.on_append_entries(append(3, at(1, 1), &[3], 0), &mut effects);
        assert!(reply.success, "its one entry is ours: {reply:?}");
        assert_eq!(state.log, log(&[1, 3, 3, 3]));
        assert_eq!(effects.append, [], "nothing is new");
    }

    #[test]
    fn a_heartbeat_does_not_cut_the_log() {
        let mut state = follower(3, &[1, 3, 3]);
        assert!(answer(&mut state, append(3, at(1, 1), &[], 0)).success, "1/1 is ours");
        assert_eq!(state.log, log(&[1, 3, 3]));
    }

    #[test]
    fn entries_that_the_snapshot_covers_are_passed_over() {
        let mut state = follower(3, &[1, 1, 1, 1]);
        state.commit_index = Index(3);
        state.log.compact(at(1, 3));
        let reply = answer(&mut state, append(3, at(1, 1), &[1, 1, 1, 3], 0));
        assert!(reply.success, "the snapshot covers committed entries, which agree: {reply:?}");
        assert_eq!(state.log.last(), at(3, 5));
    }

    #[test]
    fn a_request_wholly_inside_the_snapshot_succeeds() {
        let mut state = follower(3, &[1, 1, 1]);
        state.commit_index = Index(3);
        state.log.compact(at(1, 3));
        let reply = answer(&mut state, append(3, at(0, 0), &[1], 1));
        assert!(reply.success, "{reply:?}");
        assert_eq!((state.log.last(), state.commit_index), (at(1, 3), Index(3)));
    }

    #[test]
    #[should_panic(expected = "would replace an entry that is committed")]
    fn replacing_a_committed_entry_is_a_bug() {
        let mut state = follower(3, &[1, 2]);
        state.commit_index = Index(2);
        answer(&mut state, append(3, at(1, 1), &[3], 0));
    }

    #[test]
    #[should_panic(expected = "is committed up to 2")]
    fn a_leader_without_a_committed_entry_is_a_bug() {
        let mut state = follower(3, &[1, 2]);
        state.commit_index = Index(2);
        answer(&mut state, append(3, at(3, 2), &[], 0));
    }
}
