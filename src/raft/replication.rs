//! What a leader sends to a follower: the rules that decide it (Figure 2, Rules for Servers,
//! Leaders; Raft §5.3). The tasks in `replicator.rs` send it, and `replies.rs` judges the replies.
//!
//! For each follower the leader tracks the next entry to send (`next_index`, a guess) and the last
//! one that it certainly has (`match_index`, a promise of the follower):
//!
//! ```text
//! index      1    2    3    4    5    6
//! leader     1    1    4    4    4    4
//! follower   1    1    4    ?    ?    ?
//!                      │    │
//!            match_index    next_index
//! ```
//!
//! With each message comes the part of it by which its reply is judged ([`Sent`],
//! [`SentSnapshot`]): the state may have changed when the reply arrives.

use bytes::Bytes;

use super::state::{Effects, Role, State};
use super::timing::{BATCH, UNANSWERED_MAX};
use crate::api::raft_rpc::{AppendEntriesArgs, InstallSnapshotArgs};
use crate::api::{Entry, Index, NotLeader, ServerId, Started, Term};

/// The kind of message that a leader owes a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// Nothing before the next heartbeat.
    Nothing,
    /// A new commit index. It may wait a little, so that entries can go with it.
    CommitNews,
    /// Entries, a snapshot, the first message of a term, or a heartbeat that waiting reads need.
    Message,
}

/// A call to a follower, and the part of it by which the reply is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// Entries; without any it is a heartbeat.
    Append(AppendEntriesArgs, Sent),
    /// The snapshot, if it has replaced the next entries.
    Install(InstallSnapshotArgs, SentSnapshot),
}

/// The part of an AppendEntries by which the leader judges the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// The term in which it was made.
    pub term: Term,
    /// The entry before the new ones, which are in `prev_log_index + 1..=last_new_index`.
    pub prev_log_index: Index,
    /// The last new entry: a success promises the log up to here.
    pub last_new_index: Index,
    /// The read round in which it was made: any reply of our term confirms it.
    pub read_round: u64,
}

/// The part of an InstallSnapshot by which the leader judges the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SentSnapshot {
    /// The term in which it was made.
    pub term: Term,
    /// The last entry that the snapshot covers: a reply of our term promises the log up to here.
    pub last_included_index: Index,
}

impl State {
    /// Appends a command to the leader's log: "append entry to local log" (Figure 2, Rules for
    /// Servers, Leaders).
    ///
    /// # Errors
    /// [`NotLeader`]: nothing was appended; ask another server.
    pub(super) fn start(
        &mut self,
        data: Bytes,
        effects: &mut Effects,
    ) -> Result<Started, NotLeader> {
        let term = self.current_term;
        if !self.is_leader() {
            return Err(NotLeader { term, leader_hint: self.leader_id });
        }
        let index = self.log.last().index.next();
        // keeps (leader_only_appends): because the entry goes after our last one.
        self.append(vec![Entry { term, index, data }], effects);
        self.advance_commit_index(); // A cluster of one commits at once.
        Ok(Started { term, index })
    }

    /// Returns what to send to `follower` before the next heartbeat; nothing unless we lead.
    pub(super) fn owed_to(&self, follower: ServerId) -> Owed {
        let Role::Leader { followers } = &self.role else { return Owed::Nothing };
        let progress = &followers[follower.slot()];
        // "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server".
        let Some(sent_commit) = progress.sent_commit else { return Owed::Message };
        // "If last log index >= nextIndex for a follower: send AppendEntries RPC".
        let has_entries = self.log.last().index >= progress.next_index;
        if progress.unanswered > 0 {
            Owed::Nothing
        } else if has_entries || self.owes_a_read(progress) {
            Owed::Message
        } else if self.commit_index > sent_commit {
            Owed::CommitNews
        } else {
            Owed::Nothing
        }
    }

    /// Makes the next message to `follower`, in this term; `None` unless we lead.
    ///
    /// It carries the entries from `next_index` on, or the snapshot if it has replaced them
    /// (Raft §7). It is a heartbeat without entries if `next_index` is after our log's end, or if
    /// the follower has not replied to several messages.
    pub(super) fn message_to(&mut self, follower: ServerId) -> Option<Message> {
        let Role::Leader { followers } = &mut self.role else { return None };
        let progress = &mut followers[follower.slot()];
        progress.sent_commit = Some(self.commit_index);
        progress.asked_round = self.read_round;
        let next_index = progress.next_index;
        let silent = progress.unanswered >= UNANSWERED_MAX;
        if silent || next_index > self.log.last().index {
            return Some(self.append_message(next_index, Vec::new()));
        }
        progress.unanswered += 1;
        if next_index <= self.log.last_included().index {
            return Some(self.install_message());
        }
        let entries = self.log.entries_from(next_index, BATCH).cloned().collect();
        Some(self.append_message(next_index, entries))
    }

    /// Makes an AppendEntries that starts at `next_index`, or after our snapshot if that is later.
    fn append_message(&self, next_index: Index, entries: Vec<Entry>) -> Message {
        let prev_log_index = next_index.prev().max(self.log.last_included().index);
        let prev_log_term = self.log.term_at(prev_log_index).unwrap_or_else(|| {
            panic!("next_index {next_index} lies beyond the log's end {}", self.log.last())
        });
        let args = AppendEntriesArgs {
            term: self.current_term,
            leader_id: self.me,
            prev_log_index,
            prev_log_term,
            entries,
            leader_commit: self.commit_index,
        };
        let sent = Sent {
            term: args.term,
            prev_log_index,
            last_new_index: args.last_new_index(),
            read_round: self.read_round,
        };
        Message::Append(args, sent)
    }

    fn install_message(&self) -> Message {
        let last_included = self.log.last_included();
        let args = InstallSnapshotArgs {
            term: self.current_term,
            leader_id: self.me,
            last_included_index: last_included.index,
            last_included_term: last_included.term,
            data: self.snapshot.clone(),
        };
        let sent = SentSnapshot { term: args.term, last_included_index: args.last_included_index };
        Message::Install(args, sent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_command_is_appended_and_persisted_at_the_next_index() {
        let mut state = leader(3, 4, &[1, 2]);
        let mut effects = Effects::default();
        let started = state.start(Bytes::from_static(b"x"), &mut effects);
        assert_eq!(started, Ok(Started { term: Term(4), index: Index(3) }));
        assert_eq!(state.log.last(), at(4, 3));
        assert_eq!(effects.append, entries(3, &[4]), "the leader counts its own copy");
    }

    #[test]
    fn only_a_leader_takes_a_command() {
        let mut state = follower(3, &[]);
        state.follow(S2, &mut Effects::default());
        let refused = state.start(Bytes::new(), &mut Effects::default());
        assert_eq!(refused, Err(NotLeader { term: Term(3), leader_hint: Some(S2) }));

        state.start_election(&mut Effects::default());
        let refused = state.start(Bytes::new(), &mut Effects::default());
        assert_eq!(refused, Err(NotLeader { term: Term(4), leader_hint: None }), "a candidate");
        assert_eq!(state.log.last(), at(0, 0));
    }

    #[test]
    fn a_new_leader_owes_everybody_a_heartbeat_at_once() {
        let mut state = leader(3, 4, &[1]);
        assert_eq!(state.owed_to(S1), Owed::Message, "or others would start an election");
        assert_eq!(append(&mut state).entries, []);
        assert_eq!((state.owed_to(S1), state.owed_to(S2)), (Owed::Nothing, Owed::Message));
    }

    #[test]
    fn entries_are_owed_at_once_and_go_together() {
        let mut state = leader(3, 4, &[]);
        append(&mut state);
        state.start(Bytes::from_static(b"x"), &mut Effects::default()).unwrap();
        state.start(Bytes::from_static(b"x"), &mut Effects::default()).unwrap();
        assert_eq!(state.owed_to(S1), Owed::Message);
        assert_eq!(append(&mut state).entries, entries(1, &[4, 4]));
    }

    #[test]
    fn what_comes_while_an_answer_is_awaited_goes_together_after_it() {
        let mut state = leader_at(&[1], 1);
        append(&mut state);
        state.start(Bytes::from_static(b"x"), &mut Effects::default()).unwrap();
        assert_eq!(state.owed_to(S1), Owed::Nothing, "one batch at a time");
        answer(&mut state, 0, 1, Ok(()));
        assert_eq!(state.owed_to(S1), Owed::Message);
        assert_eq!(append(&mut state).entries, entries(2, &[4]));
    }

    #[test]
    fn news_of_the_commit_index_goes_out_once() {
        let mut state = leader(3, 4, &[4]);
        append(&mut state);
        answer(&mut state, 1, 1, Ok(()));
        assert_eq!((state.commit_index, state.owed_to(S1)), (Index(1), Owed::CommitNews));
        assert_eq!(append(&mut state).leader_commit, Index(1));
        assert_eq!(state.owed_to(S1), Owed::Nothing);
    }

    #[test]
    fn who_does_not_lead_sends_nothing() {
        let mut state = follower(3, &[1]);
        assert_eq!((state.owed_to(S1), state.message_to(S1)), (Owed::Nothing, None));
    }

    #[test]
    fn a_message_names_the_entry_before_the_new_ones() {
        let mut state = leader_at(&[1, 2, 4], 3);
        let args = append(&mut state);
        assert_eq!((args.term, args.leader_id, args.prev_log()), (Term(4), ME, at(2, 2)));
        assert_eq!(args.entries, entries(3, &[4]));
    }

    #[test]
    fn a_message_comes_with_the_part_by_which_its_reply_is_judged() {
        let mut state = leader_at(&[1, 2, 4], 3);
        state.read_round = 7;
        let Message::Append(_, part) = message(&mut state) else { panic!("entry 3 is there") };
        assert_eq!(part, Sent { read_round: 7, ..sent(4, 2, 3) });

        s1(&mut state).next_index = Index(2);
        state.last_applied = Index(2);
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        let Message::Install(_, part) = message(&mut state) else { panic!("entry 2 is gone") };
        assert_eq!(part, SentSnapshot { term: Term(4), last_included_index: Index(2) });
    }

    #[test]
    fn a_command_of_a_server_alone_is_committed_at_once() {
        let mut state = leader(1, 4, &[]);
        state.start(Bytes::new(), &mut Effects::default()).unwrap();
        assert_eq!(state.commit_index, Index(1));
    }

    #[test]
    fn a_message_says_what_is_committed_and_no_more() {
        let mut state = leader_at(&[4, 4], 3);
        state.commit_index = Index(1);
        assert_eq!(append(&mut state).leader_commit, Index(1));
    }

    #[test]
    fn a_follower_that_lacks_the_snapshots_last_entry_is_sent_the_snapshot() {
        let mut state = leader_at(&[1, 2, 4], 2);
        state.last_applied = Index(2);
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        assert!(matches!(message(&mut state), Message::Install(..)), "entry 2 is gone");
    }

    #[test]
    fn a_follower_behind_the_snapshot_is_sent_the_snapshot() {
        let mut state = leader_at(&[1, 2, 2, 4], 2);
        (state.commit_index, state.last_applied) = (Index(3), Index(3));
        state.compact(Index(3), Bytes::from_static(b"state"), &mut Effects::default());
        let Message::Install(args, _) = message(&mut state) else { panic!("entry 2 is gone") };
        assert_eq!((args.term, args.leader_id), (Term(4), ME));
        assert_eq!(args.last_included(), at(2, 3), "with the entry's term, not the leader's");
        assert_eq!(args.data, Bytes::from_static(b"state"));
    }

    #[test]
    fn a_follower_at_the_snapshots_end_is_sent_entries() {
        let mut state = leader_at(&[1, 2, 4], 3);
        state.last_applied = Index(2);
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        assert_eq!(append(&mut state).prev_log(), at(2, 2));
    }

    #[test]
    fn a_silent_follower_is_sent_heartbeats_only_until_it_answers() {
        let mut state = leader_at(&[1, 2], 2);
        s1(&mut state).match_index = Index(1);
        for _ in 0..UNANSWERED_MAX {
            assert_eq!(append(&mut state).entries, entries(2, &[2]), "a call may be lost");
        }
        assert_eq!(append(&mut state).entries, [], "it does not reply");
        answer(&mut state, 1, 1, Ok(()));
        assert_eq!(append(&mut state).entries, entries(2, &[2]), "it is back");
    }

    #[test]
    fn a_silent_follower_behind_the_snapshot_is_sent_heartbeats_too() {
        let mut state = leader_at(&[1, 2, 4], 1);
        state.last_applied = Index(2);
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        for _ in 0..UNANSWERED_MAX {
            assert!(matches!(message(&mut state), Message::Install(..)), "entry 1 is gone");
        }
        let args = append(&mut state);
        assert_eq!((args.prev_log(), args.entries), (at(2, 2), vec![]));
    }
}
