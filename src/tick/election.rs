//! Elections: asking for votes, voting, counting the votes (Raft §5.2, §5.4.1).
//!
//! ```text
//!  timeout ─► hup ─► (pre-vote) ─► candidate ─► RequestVote ─► votes ─► leader
//!                                      ▲                         │
//!                                      └──── timeout ────────────┴──► follower, if refused
//! ```

use super::message::Kind;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::{Position, ServerId};

/// The state of an election, as its candidate counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tally {
    /// A majority has granted its vote.
    Won,
    /// There is no majority yet, and there may still be one.
    Open,
    /// Too many nodes have refused: there can be no majority any more.
    Lost,
}

impl<S: Storage> Raft<S> {
    /// Handles one tick on a node that does not lead.
    pub(super) fn tick_election(&mut self) {
        // Handout 2A: count the tick; when the timeout is over, start an election.
        self.election_elapsed += 1;
        if self.election_elapsed >= self.randomized_election_timeout {
            self.election_elapsed = 0;
            self.hup(false);
        }
    }

    /// Starts an election, unless the node leads or is not a member.
    ///
    /// `transfer` means that the old leader asked for the election, which then needs no pre-vote.
    pub(super) fn hup(&mut self, transfer: bool) {
        // Handout 2A: start an election, unless this node leads or is no member.
        if self.role == Role::Leader || !self.is_promotable() {
            return;
        }
        if self.config.pre_vote && !transfer {
            self.ask_around();
        } else {
            self.campaign(transfer);
        }
    }

    /// Raises the term, votes for this node, and asks every other node for its vote.
    ///
    /// Differs: a request that is lost is not repeated, as Raft §5.1 wants it; the next election
    /// asks anew.
    pub(super) fn campaign(&mut self, transfer: bool) {
        // Handout 2A: become a candidate, and ask every other node for its vote.
        self.become_candidate();
        let last = self.log.last();
        self.ask_all(|raft, to| raft.send(to, Kind::RequestVote { last, transfer }));
    }

    /// Counts this node's own vote; if that is no majority, calls `ask` for every other node.
    pub(super) fn ask_all(&mut self, ask: impl Fn(&mut Raft<S>, ServerId)) {
        // Handout: left out.
        let id = self.id;
        self.on_vote(id, true);
        if self.role == Role::Leader {
            // This is a cluster of one.
            return;
        }
        for slot in 0..self.prs.len() {
            let to = self.prs[slot].id;
            if to != id {
                ask(self, to);
            }
        }
    }

    /// Counts one vote, and acts on the result.
    ///
    /// A candidate that can no longer win becomes a follower at once, before its timeout.
    pub(super) fn on_vote(&mut self, from: ServerId, granted: bool) {
        // Handout 2A: count the vote; with a majority, become leader, and let the others know.
        match self.poll(from, granted) {
            Tally::Won if self.role == Role::PreCandidate => self.campaign(false),
            Tally::Won => {
                self.become_leader();
                self.broadcast_append();
            }
            Tally::Lost => self.become_follower(self.term, None),
            Tally::Open => {}
        }
    }

    /// Records one vote; only the first response of each node counts.
    fn poll(&mut self, from: ServerId, granted: bool) -> Tally {
        // Handout: left out.
        if let Some(slot) = self.prs.slot(from) {
            self.prs[slot].vote.get_or_insert(granted);
        }
        if self.prs.is_majority(|node| node.vote == Some(true)) {
            Tally::Won
        } else if self.prs.is_majority(|node| node.vote != Some(false)) {
            Tally::Open
        } else {
            Tally::Lost
        }
    }

    /// Answers a candidate of this term (Figure 2, RequestVote, step 2).
    ///
    /// A node has one vote per term, first come, first served; a repeated request gets the same
    /// response. The vote must be on disk before the response leaves, as the contract of
    /// [`Ready`](super::Ready) demands.
    pub(super) fn on_request_vote(&mut self, from: ServerId, last: Position) {
        // Handout 2A: give at most one vote per term; 2B compares the logs first.
        let free = self.vote.is_none_or(|node| node == from);
        let granted = free && last >= self.log.last();
        if granted {
            self.vote = Some(from);
            self.election_elapsed = 0;
        }
        self.send(from, Kind::RequestVoteResponse { granted });
    }
}
