//! One server: its state behind one lock.
//!
//! Hold the lock while you apply a rule and save what it changed. Do not hold it while you wait for
//! a peer, or while you send to the service: the task that receives may call `snapshot`.

use super::state::State;
use crate::api::ServerId;
use crate::api::raft_rpc::{RaftRpcClient, RaftRpcRequest, RaftRpcResponse};
use crate::labrpc::ClientEnd;
use crate::persister::Persister;
use crate::runtime::sync::{Condvar, Mutex};

/// The connection to another server.
pub type Peer = RaftRpcClient<ClientEnd<RaftRpcRequest, RaftRpcResponse>>;

/// The part of one instance that its tasks share.
pub(super) struct Server {
    pub me: ServerId,
    /// One slot per server; our own is unused.
    pub peers: Vec<Peer>,
    pub persister: Persister,
    pub state: Mutex<State>,
    /// Wakes the tasks that wait for a change of the state. You may need more than one.
    pub changed: Condvar,
}
