//! Pre-vote: a node asks whether it would win before it raises its term (thesis §9.6).
//!
//! A node that is cut off starts one election after another, and its term rises. When it returns,
//! that term deposes a leader that works well for all other nodes. With pre-vote, the node first
//! asks whether it *would* be elected in the next term, and raises its term only after a majority
//! says yes. A pre-vote request changes no vote and no term of its receiver.
//!
//! Off by default: the plain algorithm is safe without it and has one role less.

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::{Position, ServerId, Term};

impl<S: Storage> Raft<S> {
    /// Starts a pre-vote: asks every other node if this one would be elected in the next term.
    pub(super) fn ask_around(&mut self) {
        // Handout 2A: for pre-vote only: ask the others whether this node would win.
        self.become_pre_candidate();
        let (next, last) = (self.term.next(), self.log.last());
        self.ask_all(|raft, to| raft.send_in(next, to, Kind::RequestPreVote { last }));
    }

    /// Becomes a pre-candidate: term and vote stay the same, and the known leader is forgotten.
    ///
    /// # Panics
    /// If the node leads.
    pub fn become_pre_candidate(&mut self) {
        // Handout 2A: for pre-vote only: change the role, and neither term nor vote.
        assert_ne!(self.role, Role::Leader, "leader of term {} cannot start a pre-vote", self.term);
        self.reset(self.term);
        self.role = Role::PreCandidate;
    }

    /// Answers whether this node would vote for the sender in `term`.
    ///
    /// Yes, if the sender's log is at least as up-to-date and this node's vote in `term` is free.
    /// The other condition is that "Servers … have not received heartbeats from a valid leader for
    /// at least a baseline election timeout", which
    /// [`is_kept_by_lease`](Raft::is_kept_by_lease) has checked before.
    pub(super) fn on_request_pre_vote(&mut self, from: ServerId, term: Term, last: Position) {
        // Handout 2A: for pre-vote only: answer whether this node would vote so.
        let free = term > self.term || self.vote.is_none_or(|node| node == from);
        let granted = free && last >= self.log.last();
        let answer = if granted { term } else { self.term };
        self.send_in(answer, from, Kind::RequestPreVoteResponse { granted });
    }
}
