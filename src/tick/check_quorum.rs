//! Check quorum: a leader without a majority steps down, and followers of a live leader do not
//! vote (thesis §6.2).
//!
//! A leader that is cut off from the majority cannot commit anything, but no message tells it so,
//! and its clients wait. With check quorum, a leader checks once per election timeout whether a
//! majority has responded since the last check, and steps down if not.
//!
//! The other half is a lease: a node that has heard from a leader within an election timeout does
//! not vote. So a node that hears no leader cannot depose one that all other nodes hear. The lease
//! does not block an election that the leader itself has asked for.
//!
//! Off by default: safety does not need it, and the plain leader is simpler to reason about.

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;

impl<S: Storage> Raft<S> {
    /// Steps down if no majority has responded since the last check.
    pub(super) fn check_quorum(&mut self) {
        // Handout 2A: for check quorum only: step down unless a majority has responded.
        if !self.config.check_quorum || self.role != Role::Leader {
            return;
        }
        let id = self.id;
        if !self.prs.is_majority(|node| node.id == id || node.recent_active) {
            self.become_follower(self.term, None);
            return;
        }
        for node in self.prs.iter_mut() {
            node.recent_active = false;
        }
    }

    /// Whether to ignore a vote request in a newer term, because a leader was heard recently.
    ///
    /// It gets no response: a response would carry our term, and the request must have no effect.
    pub(super) fn is_kept_by_lease(&self, kind: &Kind) -> bool {
        // Handout 2A: for check quorum and pre-vote only; otherwise false.
        let applies = match kind {
            Kind::RequestVote { transfer, .. } => self.config.check_quorum && !transfer,
            Kind::RequestPreVote { .. } => self.config.check_quorum || self.config.pre_vote,
            _ => false,
        };
        applies && self.lead.is_some() && self.election_elapsed < self.config.election_tick
    }
}
