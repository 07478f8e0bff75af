//! The applier: sends committed entries and snapshots to the service, in order and once (Figure 2,
//! Rules for Servers, All Servers).
//!
//! One task does all of it, so the order is simple: it takes the next messages under the lock, and
//! sends them after it has released the lock. The task that receives them may call `snapshot`,
//! which takes the lock: an applier that held the lock while it sends would deadlock.

use std::sync::Arc;

use super::server::Server;
use super::state::State;
use super::timing::APPLY_BATCH;
use crate::api::{ApplyMsg, Entry};
use crate::runtime::channel::Sender;

impl State {
    /// Whether there are committed messages that were not taken for the service yet.
    pub(super) fn has_more_to_apply(&self) -> bool {
        self.snapshot_to_apply.is_some() || self.commit_index > self.last_applied
    }

    /// Takes the next messages for the service: a leader's snapshot, or the entries after
    /// `last_applied` (Figure 2, Rules for Servers, All Servers; Figure 13, step 8).
    ///
    /// "If commitIndex > lastApplied: increment lastApplied, apply log\[lastApplied\] to state
    /// machine". `last_applied` includes entries on their way to the service, so none is taken
    /// twice.
    pub(super) fn next_to_apply(&mut self) -> Vec<ApplyMsg> {
        if let Some(snapshot) = self.snapshot_to_apply.take() {
            let (last_included, data) = (snapshot.last_included, snapshot.data);
            return vec![ApplyMsg::Snapshot { last_included, data }];
        }
        let entries = self.log.entries_from(self.last_applied.next(), APPLY_BATCH);
        let committed = entries.take_while(|entry| entry.index <= self.commit_index);
        let messages: Vec<_> = committed.map(command).collect();
        // keeps (applied_is_committed): because the messages end at `commit_index`, or before.
        self.last_applied = self.last_applied.plus(messages.len());
        messages
    }
}

fn command(entry: &Entry) -> ApplyMsg {
    ApplyMsg::Command { index: entry.index, term: entry.term, command: entry.data.clone() }
}

/// Sends committed messages to the service, until the instance stops or the service is gone.
///
/// Owns the channel's sending half, so the service's receiver ends when this task does.
pub(super) fn run(server: &Arc<Server>, apply_ch: &Sender<ApplyMsg>) {
    // Handout 2B: send each committed command to the service, in order, with no lock held.
    loop {
        let mut guard = server.lock();
        while !server.stop.is_stopped() && !guard.has_more_to_apply() {
            guard.wait(&server.applier);
        }
        let Some(batch) = guard.step(|state, _| state.next_to_apply()) else { return };
        drop(guard);
        for message in batch {
            if !server.stop.or_send(apply_ch, message) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::state::{Effects, Snapshot};
    use super::super::testing::{at, follower};
    use super::*;
    use crate::api::{Index, Term};

    fn indices(messages: &[ApplyMsg]) -> Vec<u64> {
        let index = |message: &ApplyMsg| match message {
            ApplyMsg::Command { index, .. } => index.0,
            ApplyMsg::Snapshot { last_included, .. } => last_included.index.0,
        };
        messages.iter().map(index).collect()
    }

    #[test]
    fn committed_entries_are_applied_in_order_and_once() {
        let mut state = follower(1, &[1, 1, 1]);
        state.commit_index = Index(2);
        assert!(state.has_more_to_apply(), "1 and 2 are committed");
        assert_eq!(indices(&state.next_to_apply()), [1, 2]);
        assert_eq!(state.last_applied, Index(2));
        assert!(!state.has_more_to_apply(), "3 is not committed");
        state.commit_index = Index(3);
        assert_eq!(indices(&state.next_to_apply()), [3]);
    }

    #[test]
    fn a_message_says_what_the_entry_says() {
        let mut state = follower(2, &[2]);
        state.commit_index = Index(1);
        let command = Bytes::from_static(b"x");
        let expected = ApplyMsg::Command { index: Index(1), term: Term(2), command };
        assert_eq!(state.next_to_apply(), [expected]);
    }

    #[test]
    fn a_snapshot_goes_before_the_entries_after_it() {
        let mut state = follower(2, &[1, 1, 1, 2]);
        state.log.compact(at(1, 3));
        state.commit_index = Index(4);
        state.last_applied = Index(3);
        let snapshot = Snapshot { last_included: at(1, 3), data: Bytes::new() };
        state.snapshot_to_apply = Some(snapshot);
        state.commit_index = Index(3);
        assert!(state.has_more_to_apply(), "the snapshot alone");
        state.commit_index = Index(4);
        assert_eq!(indices(&state.next_to_apply()), [3], "the state up to 3 replaces 1 to 3");
        assert_eq!(indices(&state.next_to_apply()), [4]);
    }

    #[test]
    fn what_was_taken_may_be_compacted_away() {
        let mut state = follower(1, &[1, 1]);
        state.commit_index = Index(2);
        let taken = state.next_to_apply();
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        assert_eq!(indices(&taken), [1, 2], "messages on their way do not need the log");
    }
}
