//! A puppet's reactions: when it replies, and whether it is willing to vote; and what it has.
//!
//! The content of each reply follows from the puppet's state.

use super::follower::Follower;
use super::stage::Stage;
use crate::api::raft_rpc::{
    AppendEntriesReply, InstallSnapshotReply, RaftRpcRequest, RaftRpcResponse, RequestVoteReply,
};
use crate::api::{Entry, Position, ServerId};

/// A puppet's reaction to a request for its vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Votes {
    /// Keeps the request in flight until the scenario lets it arrive.
    Hold,
    /// Refuses, because the puppet has voted for itself in that term.
    Refuse,
    /// Grants the vote, if the vote is free and the puppet's log is not more up-to-date.
    Grant,
}

/// A puppet's reaction to entries, heartbeats and snapshots.
///
/// A held call stays in flight until the scenario lets it arrive, or until the puppet
/// [follows](super::Stage::follows).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appends {
    /// Holds everything.
    Hold,
    /// Holds entries and snapshots, and answers heartbeats. A held heartbeat would block some
    /// servers, which send nothing more to a peer while they wait for its reply.
    HoldEntries,
    /// Holds snapshots, and answers the rest.
    HoldSnapshots,
    /// Answers everything.
    Follow,
}

/// A puppet's state, and its reactions to calls.
#[derive(Debug, Clone)]
pub(super) struct Conduct {
    me: ServerId,
    pub(super) votes: Votes,
    pub(super) appends: Appends,
    pub(super) follower: Follower,
}

impl Conduct {
    pub(super) fn new(me: ServerId) -> Conduct {
        Conduct {
            me,
            votes: Votes::Refuse,
            appends: Appends::HoldEntries,
            follower: Follower::default(),
        }
    }

    /// Whether a call arrives at once.
    pub(super) fn answers(&self, request: &RaftRpcRequest) -> bool {
        match (request, self.appends) {
            (RaftRpcRequest::RequestVote { .. }, _) => self.votes != Votes::Hold,
            (_, Appends::Hold) => false,
            (_, Appends::Follow) => true,
            (RaftRpcRequest::AppendEntries { args }, Appends::HoldEntries) => {
                args.entries.is_empty()
            }
            (RaftRpcRequest::InstallSnapshot { .. }, Appends::HoldEntries) => false,
            (request, Appends::HoldSnapshots) => {
                matches!(request, RaftRpcRequest::AppendEntries { .. })
            }
        }
    }

    /// Handles a call: changes the state and returns the reply.
    pub(super) fn handle(&mut self, request: &RaftRpcRequest) -> RaftRpcResponse {
        let follower = &mut self.follower;
        match request {
            RaftRpcRequest::RequestVote { args } => {
                let last = Position { term: args.last_log_term, index: args.last_log_index };
                if self.votes == Votes::Refuse {
                    follower.keeps_its_vote(self.me, args.term);
                }
                let vote_granted = follower.votes_for(args.candidate_id, args.term, last);
                let term = follower.term();
                RaftRpcResponse::RequestVote(RequestVoteReply { term, vote_granted })
            }
            RaftRpcRequest::AppendEntries { args } => {
                let heard = follower.hears(args.term, args.prev_log(), &args.entries);
                let (term, success) = (follower.term(), heard == Some(Ok(())));
                let conflict = heard.and_then(Result::err);
                let reply = AppendEntriesReply { term, success, conflict };
                RaftRpcResponse::AppendEntries(reply)
            }
            RaftRpcRequest::InstallSnapshot { args } => {
                follower.takes(args.term, args.last_included(), args.data.clone());
                let term = follower.term();
                RaftRpcResponse::InstallSnapshot(InstallSnapshotReply { term })
            }
        }
    }
}

impl Stage<'_> {
    /// The end of `puppet`'s log.
    pub fn last_of(&self, puppet: ServerId) -> Position {
        self.puppet(puppet, |follower| follower.last())
    }

    /// The entries of `puppet`'s log after its snapshot.
    pub fn entries_of(&self, puppet: ServerId) -> Vec<Entry> {
        self.puppet(puppet, |follower| follower.entries())
    }

    /// The number of indices after which `puppet` refused entries: its log had another entry or
    /// none at that index.
    pub fn refusals_of(&self, puppet: ServerId) -> usize {
        self.puppet(puppet, |follower| follower.refused_after.len())
    }
}
