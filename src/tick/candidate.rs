//! How a candidate and a pre-candidate handle a message.

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Handles a message of the node's own term, or the grant of a pre-vote for the next term.
    ///
    /// "If AppendEntries RPC received from new leader: convert to follower" (Figure 2, candidates):
    /// another node has won this term.
    pub(super) fn step_candidate(&mut self, from: ServerId, kind: Kind) {
        match kind {
            Kind::RequestVoteResponse { granted } if self.role == Role::Candidate => {
                self.on_vote(from, granted);
            }
            Kind::RequestPreVoteResponse { granted } if self.role == Role::PreCandidate => {
                self.on_vote(from, granted);
            }
            Kind::TimeoutNow => {}
            kind if kind.is_from_leader() => {
                self.become_follower(self.term, Some(from));
                self.step_follower(from, kind);
            }
            _ => {}
        }
    }
}
