//! Snapshots in place of entries that are gone (Raft §7).
//!
//! The core neither makes nor stores one: a leader asks its storage for the newest, and a follower
//! keeps what it got as the pending one, which the application saves and applies.

use super::message::Kind;
use super::progress::Flow;
use super::raft::Raft;
use super::storage::{Snapshot, Storage};
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Sends a node the newest snapshot; nothing if there is none yet, until its next answer.
    pub(super) fn send_snapshot(&mut self, slot: usize) {
        let snapshot = match self.log.pending_snapshot() {
            Some(pending) => pending.clone(),
            None => match self.log.storage().snapshot() {
                Ok(snapshot) => snapshot,
                Err(_) => return,
            },
        };
        let (to, end) = (self.prs[slot].id, snapshot.position.index);
        self.send(to, Kind::Snapshot { snapshot: Box::new(snapshot) });
        if self.config.flow_control.is_some() {
            self.prs[slot].become_snapshot(end);
        } else {
            self.prs[slot].next = end.next();
        }
    }

    /// Takes a leader's snapshot, or leaves it if the log has what it covers.
    ///
    /// Answers with the index up to which the logs are the same from now on. A log that has the
    /// snapshot's last entry keeps what follows it (Figure 13, step 6).
    pub(super) fn on_snapshot(&mut self, from: ServerId, snapshot: Snapshot) {
        let position = snapshot.position;
        if position.index <= self.log.committed() {
            let index = self.log.committed();
            return self.send(from, Kind::AppendResponse { index, rejection: None });
        }
        if self.log.contains(position) {
            self.log.commit_to(position.index);
        } else {
            self.adopt_members(&snapshot);
            self.log.restore_snapshot(snapshot);
        }
        self.send(from, Kind::AppendResponse { index: position.index, rejection: None });
    }

    /// The application tells what became of a snapshot that was sent to node `id`.
    ///
    /// Optional: without a word the leader tries again after about an election timeout.
    pub fn report_snapshot(&mut self, id: ServerId, arrived: bool) {
        let Some(slot) = self.prs.slot(id) else { return };
        let node = &mut self.prs[slot];
        if !matches!(node.flow, Flow::Snapshot { .. }) {
            return;
        }
        if !arrived {
            // As if it had never been sent.
            node.next = node.matched.next();
        }
        // Nothing before the next answer: the follower may be at work on it.
        node.flow = Flow::Probe { sent: true };
    }
}
