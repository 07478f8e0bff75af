//! The parts that all servers with `RaftRpc` share: their peers' type and their facts.

use std::any::Any;

use super::{Digest, Facts};
use crate::api::Entry;
use crate::api::raft_rpc::{RaftRpcClient, RaftRpcRequest, RaftRpcResponse};
use crate::labrpc::ClientEnd;

/// A client for the calls to another server.
pub type RaftPeer = RaftRpcClient<ClientEnd<RaftRpcRequest, RaftRpcResponse>>;

/// Translates a message of `RaftRpc`.
pub(super) fn facts(message: &dyn Any) -> Facts {
    if let Some(request) = message.downcast_ref::<RaftRpcRequest>() {
        return match request {
            RaftRpcRequest::RequestVote { args } => Facts::VoteRequest {
                candidate: args.candidate_id,
                term: args.term,
                last: args.last_log(),
            },
            RaftRpcRequest::AppendEntries { args } => Facts::Append {
                leader: args.leader_id,
                term: args.term,
                commit: args.leader_commit,
                prev: args.prev_log(),
                last: args.entries.last().map_or(args.prev_log(), Entry::position),
                entries: Digest::of(args.prev_log(), &args.entries),
            },
            RaftRpcRequest::InstallSnapshot { args } => Facts::Snapshot {
                leader: args.leader_id,
                term: args.term,
                last_included: args.last_included(),
            },
        };
    }
    match message.downcast_ref::<RaftRpcResponse>() {
        Some(RaftRpcResponse::RequestVote(reply)) => {
            Facts::VoteReply { term: reply.term, granted: reply.vote_granted }
        }
        Some(RaftRpcResponse::AppendEntries(reply)) => {
            Facts::AppendReply { term: reply.term, success: reply.success }
        }
        Some(RaftRpcResponse::InstallSnapshot(reply)) => {
            Facts::AppendReply { term: reply.term, success: true }
        }
        None => Facts::None,
    }
}
