//! Check quorum: a leader without a majority stops, followers of a living leader stay
//! (thesis §6.2).
//!
//! A leader that is cut off from the majority cannot commit anything, but nobody tells it so, and
//! its clients wait. With check quorum it looks once per election timeout whether a majority has
//! answered since, and steps down if not.
//!
//! The other side of the coin is a lease: whoever has heard from a leader within an election
//! timeout does not vote, so that a node which hears nobody cannot depose a leader that everybody
//! else hears. An election that the leader itself has asked for is let through.
//!
//! Off by default: safety does not need it, and the plain leader is simpler to reason about.

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;

impl<S: Storage> Raft<S> {
    /// Steps down if no majority has answered since the last look.
    pub(super) fn check_quorum(&mut self) {
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

    /// Whether a request for a vote in a newer term is passed over, since a leader was heard
    /// lately.
    ///
    /// It is not answered either: the answer would have a term, and nothing shall come of it.
    pub(super) fn is_kept_by_lease(&self, kind: &Kind) -> bool {
        let applies = match kind {
            Kind::RequestVote { transfer, .. } => self.config.check_quorum && !transfer,
            Kind::RequestPreVote { .. } => self.config.check_quorum || self.config.pre_vote,
            _ => false,
        };
        applies && self.lead.is_some() && self.election_elapsed < self.config.election_tick
    }
}
