//! The RPC-style design: the reference.

use std::any::Any;
use std::sync::Arc;

use super::design::{Boot, Design, Facts, Instance, Numbering};
use super::service::KV;
use crate::api::raft_rpc::{RaftRpc as _, RaftRpcRequest, RaftRpcResponse};
use crate::api::{Entry, ServerId};
use crate::labrpc::{Host, Service};
use crate::persister::{PersistError, plain_snapshot};
use crate::raft::{Peer, Raft};

/// The reference. Its service's snapshots are stored as they are.
pub const RPC: Design = Design {
    name: "rpc",
    make: make_rpc,
    facts: rpc_facts,
    numbering: Numbering::Entries,
    snapshot: plain_snapshot,
    kv: KV,
    raft_rpc: true,
    store: false,
};

/// Brings a server of the RPC-style design to life.
fn make_rpc(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let peers = (0..boot.servers)
        .map(|slot| Host::Server(ServerId::from_slot(slot)))
        .map(|peer| Peer::from(boot.network.end(Host::Server(boot.me), peer)))
        .collect();
    let raft = Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}

/// What the RPC-style design says on the wire.
fn rpc_facts(message: &dyn Any) -> Facts {
    if let Some(request) = message.downcast_ref::<RaftRpcRequest>() {
        return match request {
            RaftRpcRequest::RequestVote { args } => Facts::AsksVote {
                candidate: args.candidate_id,
                term: args.term,
                last: args.last_log(),
            },
            RaftRpcRequest::AppendEntries { args } => Facts::Acts {
                leader: args.leader_id,
                term: args.term,
                commit: args.leader_commit,
                prev: args.prev_log(),
                last: args.entries.last().map_or(args.prev_log(), Entry::position),
            },
            RaftRpcRequest::InstallSnapshot { args } => Facts::Installs {
                leader: args.leader_id,
                term: args.term,
                last_included: args.last_included(),
            },
        };
    }
    match message.downcast_ref::<RaftRpcResponse>() {
        Some(RaftRpcResponse::RequestVote(reply)) => {
            Facts::Votes { term: reply.term, granted: reply.vote_granted }
        }
        Some(RaftRpcResponse::AppendEntries(reply)) => {
            Facts::Matches { term: reply.term, success: reply.success }
        }
        Some(RaftRpcResponse::InstallSnapshot(reply)) => {
            Facts::Matches { term: reply.term, success: true }
        }
        None => Facts::None,
    }
}
