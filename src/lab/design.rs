//! Designs: implementations of [`Consensus`] that the suite can run.

use std::any::Any;
use std::sync::Arc;

use super::{KV, KvDesign, Scenario};
use crate::api::{ApplyMsg, Consensus, Entry, Index, Position, ServerId, Term};
use crate::labrpc::{Host, Network, Service};
use crate::persister::{PersistError, Persister};
use crate::raft::rpc::{RaftRpc as _, RaftRpcRequest, RaftRpcResponse};
use crate::raft::{Peer, Raft};
use crate::runtime::channel::Sender;

/// What one incarnation of a server is made from.
pub struct Boot<'a> {
    /// How many servers the cluster has.
    pub servers: usize,
    /// Which of them this is.
    pub me: ServerId,
    /// The network, for ends to the other servers.
    pub network: &'a Network,
    /// What survived earlier lives.
    pub persister: Persister,
    /// Where committed commands and snapshots go, in order.
    pub apply_ch: Sender<ApplyMsg>,
}

/// One incarnation of a server.
pub struct Instance {
    /// The server as its service sees it.
    pub consensus: Arc<dyn Consensus>,
    /// The server as its peers see it.
    pub services: Vec<Service>,
}

/// An implementation that the suite can run.
#[derive(Debug, Clone, Copy)]
pub struct Design {
    /// What `--design` calls it.
    pub name: &'static str,
    /// Brings one server to life.
    pub make: fn(Boot<'_>) -> Result<Instance, PersistError>,
    /// What a typed request or reply of this design says, in neutral words.
    pub facts: fn(&dyn Any) -> Facts,
    /// The service above it, in parts 3A and 3B.
    pub kv: KvDesign,
    /// Whether its servers speak `RaftRpc`, so that a scenario can play their peers.
    pub raft_rpc: bool,
}

impl Design {
    /// Whether `scenario` says anything about this design.
    pub const fn can_play(&self, scenario: &Scenario) -> bool {
        self.raft_rpc || !scenario.puppets
    }
}

/// What a message shows of the protocol, whatever the design. A reply's facts are joined with
/// its request's by the call's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// Nothing that concerns an observer.
    None,
    /// A server acts as leader: it sends entries, or a heartbeat.
    Acts {
        /// Who acts.
        leader: ServerId,
        /// In which term.
        term: Term,
        /// How far the leader says that the log is committed.
        commit: Index,
        /// The entry before the first one sent.
        prev: Position,
        /// The last entry sent; `prev` where none is.
        last: Position,
    },
    /// A candidate asks for a vote.
    AsksVote {
        /// Who asks.
        candidate: ServerId,
        /// For which term.
        term: Term,
        /// The end of the candidate's log.
        last: Position,
    },
    /// The answer to [`Facts::AsksVote`].
    Votes {
        /// The voter's term.
        term: Term,
        /// Whether the vote was given.
        granted: bool,
    },
    /// The answer to [`Facts::Acts`], and to [`Facts::Installs`], which has no failure of its own:
    /// what tells there is whether the term is still the request's.
    Matches {
        /// The follower's term.
        term: Term,
        /// Whether the follower now has the leader's log up to `last`.
        success: bool,
    },
    /// A leader sends its snapshot in place of entries.
    Installs {
        /// Who sends.
        leader: ServerId,
        /// In which term.
        term: Term,
        /// The last entry that the snapshot covers.
        last_included: Position,
    },
}

/// All designs, the reference first.
pub static DESIGNS: &[Design] =
    &[Design { name: "rpc", make: make_rpc, facts: rpc_facts, kv: KV, raft_rpc: true }];

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
