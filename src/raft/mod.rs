//! The RPC-style Raft: the reference.
//!
//! (chapter to come)

mod append_entries;
mod apply;
mod commit;
mod election;
mod install_snapshot;
mod invariants;
mod log;
mod persist;
mod replication;
mod replicator;
mod replies;
mod request_vote;
pub mod rpc;
mod server;
mod state;
#[cfg(test)]
mod testing;
mod timing;

use std::sync::Arc;

use bytes::Bytes;
use tarpc::context::Context;

use self::rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RaftRpcClient, RaftRpcRequest, RaftRpcResponse, RequestVoteArgs, RequestVoteReply,
};
use self::server::Server;
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started, Term};
use crate::labrpc::ClientEnd;
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::Sender;
use crate::runtime::thread;

/// The way to another server.
pub type Peer = RaftRpcClient<ClientEnd<RaftRpcRequest, RaftRpcResponse>>;

/// One server of a Raft cluster. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct Raft {
    server: Arc<Server>,
}

impl Raft {
    /// Starts server `me`, with whatever earlier lives left in `persister`.
    ///
    /// `peers` has one slot per server; our own is unused. Committed commands and newer snapshots
    /// go to `apply_ch`, in order; the service has read the snapshot in `persister` itself, and
    /// the first command is the one after it.
    ///
    /// # Errors
    /// The storage is damaged; the server must not start.
    pub fn make(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Raft, PersistError> {
        let server = Arc::new(Server::new(peers, me, persister)?);
        let name = |task: &str| format!("raft{}/{task}", me.0);

        let shared = server.clone();
        thread::spawn(name("election"), move || election::run(&shared));
        for follower in server.peers() {
            let shared = server.clone();
            let task = name(&format!("replicate-{follower}"));
            thread::spawn(task, move || replicator::run(&shared, follower));
        }
        let shared = server.clone();
        thread::spawn(name("apply"), move || apply::run(&shared, &apply_ch));
        Ok(Raft { server })
    }
}

impl Consensus for Raft {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        let taken = self.server.step(|state, effects| state.start(command, effects));
        taken.unwrap_or_else(|| {
            let term = self.get_state().term;
            Err(NotLeader { term, leader_hint: None })
        })
    }

    fn get_state(&self) -> Leadership {
        let leadership = self.server.lock().leadership();
        let is_leader = leadership.is_leader && !self.server.stop.is_stopped();
        Leadership { is_leader, ..leadership }
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        self.server.step(|state, effects| state.compact(index, data, effects));
    }

    fn kill(&self) {
        self.server.kill();
    }
}

/// The term in the answers of an instance that has stopped: older than any, so they promise
/// nothing and nobody believes them.
const NO_TERM: Term = Term(0);

impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        let reply = self.server.step(|state, effects| state.on_request_vote(&args, effects));
        reply.unwrap_or(RequestVoteReply { term: NO_TERM, vote_granted: false })
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        let reply = self.server.step(|state, effects| state.on_append_entries(args, effects));
        reply.unwrap_or(AppendEntriesReply { term: NO_TERM, success: false, conflict: None })
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        let reply = self.server.step(|state, effects| state.on_install_snapshot(args, effects));
        reply.unwrap_or(InstallSnapshotReply { term: NO_TERM })
    }
}
