//! When a puppet answers, and how willingly it votes. What it answers follows from its state.

use super::follower::Follower;
use crate::api::ServerId;
use crate::api::raft_rpc::{RaftRpcRequest, RaftRpcResponse};

/// What a puppet does when it is asked for its vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Votes {
    /// Leaves the question on its way until the scenario lets it arrive.
    Hold,
    /// Says no: another candidate has its vote of that term.
    Refuse,
    /// Says yes, if its vote is free and its log not the better one.
    Grant,
}

/// What a puppet does when it is sent entries or a snapshot.
///
/// What it holds is on its way until the scenario lets it arrive, or until the puppet
/// [follows](super::Stage::follows).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appends {
    /// Holds everything.
    Hold,
    /// Holds entries and snapshots, and answers heartbeats: some servers send nothing more to a
    /// peer that owes them an answer.
    HoldEntries,
    /// Holds snapshots, and answers the rest.
    HoldSnapshots,
    /// Answers.
    Follow,
}

/// A puppet's state, and when it answers.
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

    /// Takes in a call, which changes the state and makes the answer.
    pub(super) fn take_in(&mut self, request: &RaftRpcRequest) -> RaftRpcResponse {
        match request {
            RaftRpcRequest::RequestVote { args } => {
                let willing = self.votes != Votes::Refuse;
                RaftRpcResponse::RequestVote(self.follower.on_vote(self.me, args, willing))
            }
            RaftRpcRequest::AppendEntries { args } => {
                RaftRpcResponse::AppendEntries(self.follower.on_append(args))
            }
            RaftRpcRequest::InstallSnapshot { args } => {
                RaftRpcResponse::InstallSnapshot(self.follower.on_install(args))
            }
        }
    }
}
