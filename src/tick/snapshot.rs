//! Snapshots in place of compacted entries (Raft §7).
//!
//! The core neither makes nor stores snapshots. A leader asks its storage for the newest one; a
//! follower keeps a received one as the pending snapshot, which the application stores and applies.

use super::message::Kind;
use super::progress::Flow;
use super::raft::Raft;
use super::storage::{Snapshot, Storage};
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Sends a node the newest snapshot; if there is none yet, its next response leads to a retry.
    pub(super) fn send_snapshot(&mut self, slot: usize) {
        // Handout 2D: send the newest snapshot of the storage.
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

    /// Handles a leader's snapshot, which is needed only if the log lacks entries that it covers.
    ///
    /// The response has the index up to which the logs are now the same. A log that has the
    /// snapshot's last entry keeps the entries after it (Figure 13, step 6).
    pub(super) fn on_snapshot(&mut self, from: ServerId, snapshot: Snapshot) {
        // Handout 2D: take over the snapshot, unless the log has more already.
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

    /// Handles the application's report whether a snapshot that was sent to node `id` has arrived.
    ///
    /// Optional: without a report the leader tries again after about an election timeout.
    pub fn report_snapshot(&mut self, id: ServerId, arrived: bool) {
        // Handout 2D: for flow control only: the snapshot has arrived, or is lost.
        let Some(slot) = self.prs.slot(id) else { return };
        let node = &mut self.prs[slot];
        if !matches!(node.flow, Flow::Snapshot { .. }) {
            return;
        }
        if !arrived {
            // As if it had never been sent.
            node.next = node.matched.next();
        }
        // Send nothing before the next response: the follower may still be storing the snapshot.
        node.flow = Flow::Probe { sent: true };
    }
}
