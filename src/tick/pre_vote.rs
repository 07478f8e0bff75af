//! Pre-vote: to ask before one disturbs (thesis §9.6).
//!
//! A node that is cut off stands for election again and again, and its term rises. When it returns,
//! that term deposes a leader that everybody else is content with. With pre-vote it first asks
//! whether it *would* be elected, in the term that it would stand in, and raises nothing until a
//! majority says yes. Nobody's vote is spent and nobody's term changes by being asked.
//!
//! Off by default: the plain algorithm is safe without it and has one state less.

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::{Position, ServerId, Term};

impl<S: Storage> Raft<S> {
    /// Asks everybody whether this node would be elected in the next term.
    pub(super) fn ask_around(&mut self) {
        self.become_pre_candidate();
        let (next, last) = (self.term.next(), self.log.last());
        self.ask_all(|raft, to| raft.send_in(next, to, Kind::RequestPreVote { last }));
    }

    /// Asks around: neither term nor vote changes, but there is no leader any more.
    ///
    /// # Panics
    /// When the node leads.
    pub fn become_pre_candidate(&mut self) {
        assert_ne!(self.role, Role::Leader, "leader of term {} cannot ask around", self.term);
        self.reset(self.term);
        self.role = Role::PreCandidate;
    }

    /// Answers what a vote would be in `term`.
    ///
    /// Yes, if the log would do and the term is one in which this node's vote is still free.
    /// "Servers … have not received heartbeats from a valid leader for at least a baseline
    /// election timeout" is the other half, which [`is_kept_by_lease`](Raft::is_kept_by_lease)
    /// has judged before.
    pub(super) fn on_request_pre_vote(&mut self, from: ServerId, term: Term, last: Position) {
        let free = term > self.term || self.vote.is_none_or(|node| node == from);
        let granted = free && last >= self.log.last();
        let answer = if granted { term } else { self.term };
        self.send_in(answer, from, Kind::RequestPreVoteResponse { granted });
    }
}
