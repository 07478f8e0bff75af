//! The path of a message: its term is compared with the node's own, then the node's role decides
//! how it is handled.
//!
//! ```text
//! step ─► admit ─┬─► a request for a vote, in any role: election.rs, pre_vote.rs
//!                ├─► step_follower    what the leader sends
//!                ├─► step_candidate   votes; a leader's message makes it a follower
//!                └─► step_leader      responses, and reads of followers
//! ```

use super::message::{Kind, Local, Message};
use super::raft::{Error, Raft, Role};
use super::storage::Storage;
use crate::api::{Index, ServerId, Term};

impl<S: Storage> Raft<S> {
    /// Handles one message from another node.
    pub fn step(&mut self, message: Message) {
        // Handout 2A: compare the terms first; then handle the message as your role demands.
        if message.term != self.term && !self.admit(&message) {
            return;
        }
        let Message { from, term, kind, .. } = message;
        match kind {
            Kind::RequestVote { last, .. } => self.on_request_vote(from, last),
            Kind::RequestPreVote { last } => self.on_request_pre_vote(from, term, last),
            // The grant of a pre-vote that is over.
            Kind::RequestPreVoteResponse { granted: true } if term != self.term.next() => {}
            kind => match self.role {
                Role::Leader => self.step_leader(from, kind),
                Role::Follower => self.step_follower(from, kind),
                Role::Candidate | Role::PreCandidate => self.step_candidate(from, kind),
            },
        }
    }

    /// Compares a message's term with our own (Raft §5.1); returns whether to handle the message.
    ///
    /// "If one server's current term is smaller than the other's, then it updates its current
    /// term to the larger value. If a candidate or leader discovers that its term is out of date,
    /// it immediately reverts to follower state."
    fn admit(&mut self, message: &Message) -> bool {
        // Handout: left out.
        if message.term < self.term {
            self.answer_older_term(message);
            return false;
        }
        if self.is_kept_by_lease(&message.kind) {
            return false;
        }
        match message.kind {
            // A pre-vote and its grant name a term that no node is in yet.
            Kind::RequestPreVote { .. } | Kind::RequestPreVoteResponse { granted: true } => {}
            _ if message.kind.is_from_leader() => {
                self.become_follower(message.term, Some(message.from));
            }
            _ => self.adopt_term(message.term),
        }
        true
    }

    /// Enters a newer `term` whose leader is unknown.
    ///
    /// The election timer keeps running: a follower becomes a candidate "if election timeout
    /// elapses without receiving AppendEntries RPC from current leader or granting vote to
    /// candidate" (Figure 2). Otherwise nodes with shorter logs, none of which can win, would delay
    /// the node that can.
    fn adopt_term(&mut self, term: Term) {
        // Handout: left out.
        let (elapsed, timeout) = (self.election_elapsed, self.randomized_election_timeout);
        let waits = self.role != Role::Leader;
        self.become_follower(term, None);
        if waits {
            (self.election_elapsed, self.randomized_election_timeout) = (elapsed, timeout);
        }
    }

    /// Answers a request of an older term, so that its sender learns our term and nothing else.
    fn answer_older_term(&mut self, message: &Message) {
        // Handout: left out.
        let kind = match message.kind {
            Kind::Append { prev, .. } => {
                Kind::AppendResponse { index: prev.index, rejection: Some(self.log.last()) }
            }
            Kind::Snapshot { .. } => {
                Kind::AppendResponse { index: Index(0), rejection: Some(self.log.last()) }
            }
            Kind::Heartbeat { .. } => Kind::HeartbeatResponse { round: 0 },
            Kind::RequestVote { .. } => Kind::RequestVoteResponse { granted: false },
            Kind::RequestPreVote { .. } => Kind::RequestPreVoteResponse { granted: false },
            _ => return,
        };
        self.send(message.from, kind);
    }

    /// Handles a message of a follower's own term.
    ///
    /// The sender of a leader's message is the leader of this term. Responses to appends,
    /// heartbeats and vote requests are ignored: a follower waits for none.
    fn step_follower(&mut self, from: ServerId, kind: Kind) {
        // Handout: left out.
        if kind.is_from_leader() {
            self.election_elapsed = 0;
            self.lead = Some(from);
        }
        match kind {
            Kind::Append { prev, entries, commit } => self.on_append(from, prev, entries, commit),
            Kind::Heartbeat { commit, round } => self.on_heartbeat(from, commit, round),
            Kind::Snapshot { snapshot } => self.on_snapshot(from, *snapshot),
            Kind::TimeoutNow => self.on_timeout_now(),
            Kind::ReadIndexResponse { context, index } => self.on_read_answer(context, index),
            _ => {}
        }
    }

    /// Handles a message of a candidate's own term, or the grant of a pre-vote for the next term.
    ///
    /// "If AppendEntries RPC received from new leader: convert to follower" (Figure 2, candidates):
    /// another node has won this term.
    fn step_candidate(&mut self, from: ServerId, kind: Kind) {
        // Handout: left out.
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

    /// Handles a message of a leader's own term: a response or a follower's read.
    fn step_leader(&mut self, from: ServerId, kind: Kind) {
        // Handout: left out.
        let Some(slot) = self.prs.slot(from) else { return };
        match kind {
            Kind::AppendResponse { index, rejection } => {
                self.prs[slot].recent_active = true;
                match rejection {
                    None => self.on_accepted(slot, index),
                    Some(hint) => self.on_rejected(slot, index, hint),
                }
            }
            Kind::HeartbeatResponse { round } => {
                self.prs[slot].recent_active = true;
                self.on_heartbeat_response(slot, round);
            }
            Kind::ReadIndex { context } => self.read_for(from, context),
            _ => {}
        }
    }

    /// Handles one input from the node's own clock or application.
    ///
    /// # Errors
    /// The input is refused: [`Error::ProposalDropped`] and [`Error::NotLeader`] name the node to
    /// ask instead, if it is known.
    pub fn step_local(&mut self, local: Local) -> Result<(), Error> {
        match local {
            Local::Hup => self.hup(false),
            Local::Beat => self.beat(),
            Local::CheckQuorum => self.check_quorum(),
            Local::Propose { data } => return self.propose(data).map(drop),
            Local::TransferLeader { to } => return self.transfer_leader(to),
            Local::ReadIndex { context } => return self.read_index(context),
        }
        Ok(())
    }
}
