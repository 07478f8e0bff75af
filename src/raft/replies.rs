//! What the replies of a follower mean: the rules that judge them (Figure 2, Rules for Servers,
//! Leaders; Raft §5.3). `replication.rs` decided what to send, and `replicator.rs` sent it.
//!
//! Replies may come seconds late and in any order, from a term that is over, from a follower whose
//! log has changed since. Each reply is judged against its own request, never against the state at
//! its arrival:
//!
//! - the request and the reply must both be of the term that we lead now;
//! - a success raises `match_index` to the last entry of that request, and no further;
//! - a refusal moves `next_index` back only if `next_index` is still where that request started.
//!
//! So a reply may be lost, late or repeated, and the leader never forgets what it knows.
//!
//! # A log is repaired
//!
//! A new leader does not know where its follower's log ends, or how far the two logs are the same.
//! It supposes the best, and each refusal settles a whole term of the follower's log:
//!
//! ```text
//! index      1  2  3  4  5  6
//! leader     1  1  4  4  5  5       elected in term 6
//! follower   1  1  4  4  4
//!
//! call   prev   entries     reply                                   next_index   match_index
//!                                                                            7             0
//!  1     5/6                refused: the log ends before 6               7 → 6
//!  2     5/5    5/6         refused: 5 has term 4, which begins at 3     6 → 5
//!  3     4/4    5/5 5/6     success: 4/4 is there, 5/5 replaces 4/5      5 → 7         0 → 6
//! ```
//!
//! An entry is written `term/index`. After call 2 the leader continues after its own last entry of
//! term 4, since the logs may agree up to there. If the reply to call 1 arrives once more after
//! that, it changes nothing: call 1 was made when `next_index` was 7, and now it is lower.

use super::replication::{Sent, SentSnapshot};
use super::state::{Effects, Progress, Role, State};
use super::timing::UNANSWERED_MAX;
use crate::api::raft_rpc::{AppendEntriesReply, Conflict, InstallSnapshotReply};
use crate::api::{Index, ServerId, Term};

impl Progress {
    /// Raises `match_index` to the index that a reply promised. Returns whether it rose.
    fn advance_to(&mut self, index: Index) -> bool {
        let news = index > self.match_index;
        // keeps (leader_only_appends): because a late success lowers nothing: `max`.
        // keeps (match_is_in_the_log): because each request ended within our log, and `next_index`
        // rises, too.
        self.match_index = self.match_index.max(index);
        self.next_index = self.next_index.max(self.match_index.next());
        news
    }

    /// Moves `next_index` back to `retry_index`, after a refusal of the entries after
    /// `prev_log_index`. Returns whether it moved. It stays if it has changed since that request;
    /// it never moves back past what the follower has, and never forward.
    fn back_up_to(&mut self, retry_index: Index, prev_log_index: Index) -> bool {
        if self.next_index != prev_log_index.next() {
            return false;
        }
        // keeps (match_is_in_the_log): because `next_index` stays after `match_index`.
        let before = self.next_index;
        self.next_index = retry_index.min(prev_log_index).max(self.match_index.next());
        self.next_index < before
    }

    /// Counts a reply. A reply that makes no progress does not clear `unanswered`; otherwise every
    /// late reply would trigger another batch. But after `UNANSWERED_MAX` sends any reply clears
    /// it: the follower is back.
    const fn on_reply(&mut self, news: bool) {
        if news || self.unanswered >= UNANSWERED_MAX {
            self.unanswered = 0;
        }
    }
}

impl State {
    /// Judges the reply to an AppendEntries (Figure 2, Rules for Servers, Leaders).
    ///
    /// "If successful: update nextIndex and matchIndex for follower"; "if AppendEntries fails
    /// because of log inconsistency: decrement nextIndex and retry".
    pub(super) fn on_append_reply(
        &mut self,
        follower: ServerId,
        sent: Sent,
        reply: &AppendEntriesReply,
        effects: &mut Effects,
    ) {
        self.observe_term(reply.term, follower, effects);
        let retry_index = match reply.conflict {
            Some(conflict) => self.retry_index(conflict),
            // A follower may leave it out: "decrement nextIndex and retry".
            None => sent.prev_log_index,
        };
        let Some(progress) = self.progress_in(sent.term, reply.term, follower) else { return };

        progress.confirm(sent.read_round);
        let news = match reply.success {
            true => progress.advance_to(sent.last_new_index),
            false => progress.back_up_to(retry_index, sent.prev_log_index),
        };
        progress.on_reply(news);
        self.advance_commit_index();
    }

    /// Judges the reply to an InstallSnapshot (Figure 13).
    ///
    /// What counts is the snapshot that was sent: ours may be newer by now.
    pub(super) fn on_install_reply(
        &mut self,
        follower: ServerId,
        sent: SentSnapshot,
        reply: &InstallSnapshotReply,
        effects: &mut Effects,
    ) {
        self.observe_term(reply.term, follower, effects);
        let Some(progress) = self.progress_in(sent.term, reply.term, follower) else { return };
        let news = progress.advance_to(sent.last_included_index);
        progress.on_reply(news);
        self.advance_commit_index();
    }

    /// Returns the progress of follower `who`, if a reply of term `answered` to a request of term
    /// `asked` may still change it: both must be the term that we lead now.
    fn progress_in(&mut self, asked: Term, answered: Term, who: ServerId) -> Option<&mut Progress> {
        let current = asked == self.current_term && answered == self.current_term;
        match &mut self.role {
            Role::Leader { followers } if current => followers.get_mut(who.slot()),
            _ => None,
        }
    }

    /// Returns the next entry to send to a follower whose log conflicts with ours (lab: fast
    /// backup).
    ///
    /// If we have entries of the conflicting term, our logs may agree up to the last of them, so we
    /// continue after it; if not, the follower can keep none of its entries of that term, so we
    /// continue where the term begins in its log.
    fn retry_index(&self, conflict: Conflict) -> Index {
        let ours = conflict.term.and_then(|term| self.log.last_index_of(term));
        ours.map_or(conflict.index, Index::next)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::replication::{Message, Owed};
    use super::super::testing::*;
    use super::*;
    use crate::persister::Persisted;

    /// Describes an InstallSnapshot of term `term` with the snapshot up to `last_included`.
    fn snapshot(term: u64, last_included: u64) -> SentSnapshot {
        SentSnapshot { term: Term(term), last_included_index: Index(last_included) }
    }

    #[test]
    fn a_late_answer_without_news_makes_no_room_for_another_batch() {
        let mut state = leader_at(&[1, 2], 2);
        append(&mut state);
        answer(&mut state, 1, 1, Ok(()));
        append(&mut state);
        answer(&mut state, 1, 1, Ok(()));
        assert_eq!(state.owed_to(S1), Owed::Nothing, "the batch is still in flight");
    }

    #[test]
    fn success_raises_match_index_to_what_that_request_brought() {
        let mut state = leader_at(&[1, 1, 1, 1], 1);
        answer(&mut state, 0, 2, Ok(()));
        assert_eq!(next_and_match(&mut state), (3, 2), "not to what was sent since");
    }

    #[test]
    fn a_late_success_takes_nothing_back() {
        let mut state = leader_at(&[1, 1, 1, 1], 1);
        answer(&mut state, 0, 4, Ok(()));
        answer(&mut state, 0, 2, Ok(()));
        assert_eq!(next_and_match(&mut state), (5, 4));
    }

    #[test]
    fn success_on_a_majority_commits() {
        let mut state = leader_at(&[4], 1);
        answer(&mut state, 0, 1, Ok(()));
        assert_eq!(state.commit_index, Index(1));
    }

    #[test]
    fn an_answer_to_an_earlier_leadership_is_not_believed() {
        let mut state = leader_at(&[1, 2, 4], 4);
        let reply = AppendEntriesReply { term: Term(4), success: true, conflict: None };
        state.on_append_reply(S1, sent(2, 1, 3), &reply, &mut Effects::default());
        assert_eq!(next_and_match(&mut state), (4, 0), "index 3 was another entry in term 2");
        assert_eq!(state.commit_index, Index(0));
    }

    #[test]
    fn an_answer_of_an_instance_that_stopped_promises_nothing() {
        let mut state = leader_at(&[1, 2, 4], 4);
        let reply = AppendEntriesReply { term: Term(0), success: true, conflict: None };
        state.on_append_reply(S1, sent(4, 0, 3), &reply, &mut Effects::default());
        assert_eq!(next_and_match(&mut state), (4, 0));
    }

    #[test]
    fn a_newer_term_in_an_answer_deposes_the_leader() {
        let mut state = leader_at(&[1, 2], 3);
        let mut effects = Effects::default();
        let reply = AppendEntriesReply { term: Term(5), success: false, conflict: None };
        state.on_append_reply(S1, sent(4, 2, 2), &reply, &mut effects);
        assert_eq!((&state.role, state.current_term), (&Role::Follower, Term(5)));
        assert!(effects.save_vote, "term 5 was seen");
    }

    #[test]
    fn a_log_that_is_too_short_is_met_at_its_end() {
        let mut state = leader_at(&[1, 1, 2, 2, 4], 6);
        answer(&mut state, 5, 5, conflict(None, 3));
        assert_eq!(next_and_match(&mut state), (3, 0));
        assert_eq!(state.owed_to(S1), Owed::Message, "try again at once");
    }

    #[test]
    fn a_refusal_without_a_conflict_moves_back_one_entry() {
        let mut state = leader_at(&[1, 1, 4, 4, 4], 6);
        let reply = AppendEntriesReply { term: Term(4), success: false, conflict: None };
        for next_index in [5, 4] {
            state.on_append_reply(S1, sent(4, next_index, 5), &reply, &mut Effects::default());
            assert_eq!(next_and_match(&mut state), (next_index, 0));
            assert_eq!(state.owed_to(S1), Owed::Message, "try again at once");
        }
    }

    #[test]
    fn a_term_that_we_have_is_met_after_our_last_entry_of_it() {
        let mut state = leader_at(&[1, 2, 2, 4, 4], 6);
        answer(&mut state, 5, 5, conflict(Some(2), 2));
        assert_eq!(next_and_match(&mut state), (4, 0));
    }

    #[test]
    fn a_term_that_we_lack_is_skipped_whole() {
        let mut state = leader_at(&[1, 1, 4, 4, 4], 6);
        answer(&mut state, 5, 5, conflict(Some(3), 2));
        assert_eq!(next_and_match(&mut state), (2, 0));
    }

    /// Makes calls to S1, a follower with a log of `theirs`, until its log is that of `leader`;
    /// returns how many it takes.
    fn calls_until_equal(leader: &mut State, theirs: &[u64]) -> usize {
        let entries = entries(1, theirs);
        let current_term = entries.last().expect("the log has entries").term;
        let persisted = Persisted { current_term, entries, ..Persisted::default() };
        let mut follower = State::recover(S1, leader.servers, persisted);
        for calls in 1..=10 {
            let Message::Append(args, sent) = message(leader) else {
                panic!("there is no snapshot")
            };
            let reply = follower.on_append_entries(args, &mut Effects::default());
            leader.on_append_reply(S1, sent, &reply, &mut Effects::default());
            if follower.log == leader.log {
                return calls;
            }
        }
        panic!("{:?} does not become {:?}", follower.log, leader.log);
    }

    #[test]
    fn the_worked_run_takes_three_calls() {
        let mut state = leader(3, 6, &[1, 1, 4, 4, 5, 5]);
        assert_eq!(calls_until_equal(&mut state, &[1, 1, 4, 4, 4]), 3);
        assert_eq!(next_and_match(&mut state), (7, 6));
    }

    #[test]
    fn each_follower_of_figure_7_is_repaired_in_at_most_three_calls() {
        let followers: [(char, &[u64], usize); 6] = [
            ('a', &[1, 1, 1, 4, 4, 5, 5, 6, 6], 2),          // lacks 6/10
            ('b', &[1, 1, 1, 4], 2),                         // lacks all after 4/4
            ('c', &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 1),    // has one too many, 6/11
            ('d', &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 1), // has two too many, of term 7
            ('e', &[1, 1, 1, 4, 4, 4, 4], 3),                // is too short, then differs in term 4
            ('f', &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 3),    // differs in terms 3 and 2
        ];
        for (name, theirs, expected) in followers {
            let mut state = leader(3, 8, &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
            state.start(Bytes::from_static(b"x"), &mut Effects::default()).unwrap();
            let calls = calls_until_equal(&mut state, theirs);
            assert_eq!(calls, expected, "follower ({name})");
            assert_eq!(next_and_match(&mut state), (12, 11), "follower ({name})");
        }
    }

    #[test]
    fn a_late_refusal_takes_nothing_back() {
        let mut state = leader_at(&[1, 1, 1, 4], 5);
        answer(&mut state, 4, 4, conflict(None, 2));
        answer(&mut state, 1, 3, Ok(()));
        answer(&mut state, 4, 4, conflict(None, 2));
        assert_eq!(next_and_match(&mut state), (4, 3));
    }

    #[test]
    fn a_refusal_of_what_was_sent_before_backing_up_is_old_news() {
        let mut state = leader_at(&[1, 1, 1, 4], 5);
        answer(&mut state, 4, 4, conflict(None, 2));
        answer(&mut state, 4, 4, conflict(None, 3));
        assert_eq!(next_and_match(&mut state), (2, 0), "we have already moved back to 2");
    }

    #[test]
    fn a_refusal_never_leads_back_past_what_the_follower_has() {
        let mut state = leader_at(&[1, 1, 1, 4], 3);
        s1(&mut state).match_index = Index(2);
        append(&mut state);
        answer(&mut state, 2, 3, conflict(None, 1));
        assert_eq!(next_and_match(&mut state), (3, 2));
        assert_eq!(state.owed_to(S1), Owed::Nothing, "trying again at once would not help");
    }

    #[test]
    fn a_refusal_never_leads_forward() {
        let mut state = leader_at(&[1, 1, 1, 4], 3);
        answer(&mut state, 2, 3, conflict(None, 5));
        assert_eq!(next_and_match(&mut state), (2, 0));
    }

    #[test]
    fn an_installed_snapshot_counts_as_what_it_covered_when_it_was_sent() {
        let mut state = leader_at(&[1, 1, 1, 4], 1);
        state.last_applied = Index(3);
        state.compact(Index(3), Bytes::new(), &mut Effects::default());
        let reply = InstallSnapshotReply { term: Term(4) };
        state.on_install_reply(S1, snapshot(4, 2), &reply, &mut Effects::default());
        assert_eq!(next_and_match(&mut state), (3, 2), "the snapshot sent ended at 2");
    }

    #[test]
    fn a_late_answer_to_a_snapshot_takes_nothing_back() {
        let mut state = leader_at(&[1, 1, 1, 4], 1);
        answer(&mut state, 0, 4, Ok(()));
        let reply = InstallSnapshotReply { term: Term(4) };
        state.on_install_reply(S1, snapshot(4, 2), &reply, &mut Effects::default());
        assert_eq!(next_and_match(&mut state), (5, 4));
    }

    #[test]
    fn a_newer_term_in_the_answer_to_a_snapshot_deposes_the_leader() {
        let mut state = leader_at(&[1], 1);
        let mut effects = Effects::default();
        let reply = InstallSnapshotReply { term: Term(5) };
        state.on_install_reply(S1, snapshot(4, 1), &reply, &mut effects);
        assert_eq!((&state.role, state.current_term), (&Role::Follower, Term(5)));
        assert!(effects.save_vote, "term 5 was seen");
    }

    #[test]
    fn a_snapshot_sent_in_an_earlier_leadership_is_not_counted() {
        let mut state = leader_at(&[1, 1], 1);
        let reply = InstallSnapshotReply { term: Term(4) };
        state.on_install_reply(S1, snapshot(3, 2), &reply, &mut Effects::default());
        assert_eq!(next_and_match(&mut state), (1, 0));
    }
}
