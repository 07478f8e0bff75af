//! The RPC-style Raft: consensus among a few servers, after Figure 2 of the paper.
//!
//! A cluster of servers keeps one log of commands. A command that a majority has stored is
//! *committed*: whatever crashes, it keeps its place, and every server's service is given the same
//! commands in the same order. This is the reference that the lab's scenarios are run against, and
//! a Raft to read.
//!
//! # The idea
//!
//! One server leads at a time. It alone takes commands, and makes the others' logs like its own.
//! When it falls silent another is elected, in a *term* with a higher number; every message says
//! its term, and a message of an older term is refused. Two rules make this safe: a server votes
//! once per term (so a term has one leader), and only for a candidate whose log is at least as
//! up-to-date as its own (so a leader has everything that was ever committed).
//!
//! # The picture
//!
//! ```text
//!          start, snapshot                                         apply_ch
//! service ────────┐                                      ┌─────────────────► service
//!                 ▼                                      │
//!       ┌─────── Server, one lock ───────────────────────┼─────┐
//!       │  rule(&mut State, &mut Effects) ──► Persister: │     │
//!       │                                     save, sync │     │
//!       └───▲────────────▲────────────────▲──────────────┼─────┘
//!           │            │                │              │
//!       election     replicators       handlers       applier        tasks
//!           │            │                ▲
//!           ▼            ▼                │
//!      RequestVote  AppendEntries,    all three calls,               peers
//!      to everybody InstallSnapshot   from everybody
//! ```
//!
//! Every rule of Figure 2 is a function over `State`. It has no lock, clock, network or disk; what
//! must be durable it names in `Effects`. `Server` runs it in a critical section that saves and
//! syncs before anyone else can see what the rule did. Tasks only decide *when* a rule is applied,
//! and carry what comes of it to the outside: no call to a peer is waited for, and no message is
//! sent to the service, while the lock is held.
//!
//! # The life of a command
//!
//! 1. `start` puts it into the leader's log, saves and syncs it, and wakes the replicators.
//! 2. Each replicator makes an AppendEntries of what its follower lacks, and has a short task of
//!    its own make the call.
//! 3. The follower's handler finds the entry before it, appends, saves, syncs and answers.
//! 4. The answer raises the follower's `match_index`. When a majority has the entry, the leader's
//!    `commit_index` rises, and its applier gives the command to the service.
//! 5. The next message to each follower, a moment later, raises the commit index there.
//!
//! # The rules
//!
//! | Figure 2 says | here | file |
//! | --- | --- | --- |
//! | All Servers: apply what is committed | `next_to_apply` | `apply.rs` |
//! | All Servers: follow a newer term | `observe_term` | `state.rs` |
//! | Followers: respond; convert on election timeout | `run`, the election task | `election.rs` |
//! | Candidates: start election | `start_election` | `election.rs` |
//! | Candidates: votes of a majority | `on_vote_reply`, `lead_if_elected` | `election.rs` |
//! | Candidates: this term's leader appears | `follow` | `state.rs` |
//! | Leaders: heartbeats, entries | `owed_to`, `message_to` | `replication.rs` |
//! | Leaders: a command from a client | `start` | `replication.rs` |
//! | Leaders: success; log inconsistency | `on_append_reply` | `replies.rs` |
//! | Leaders: raise the commit index | `advance_commit_index` | `commit.rs` |
//! | Clients: reads without the log (Raft §8) | `begin_read`, `outcome_of` | `read_index.rs` |
//! | RequestVote, receiver | `on_request_vote` | `request_vote.rs` |
//! | AppendEntries, receiver | `on_append_entries` | `append_entries.rs` |
//! | InstallSnapshot, receiver (Figure 13) | `on_install_snapshot` | `install_snapshot.rs` |
//! | Persistent state is updated before responding | `save` | `persist.rs` |
//!
//! # What it promises
//!
//! - An answer or a request never leaves before what it promises is durable.
//! - A committed entry is never lost or replaced, and the service is given every index once, in
//!   order; a snapshot takes the place of the entries that it covers.
//! - Answers may be lost, repeated, and seconds late: they are judged by what was asked.
//! - Taking, saving, sending and committing an entry cost the same however long the log is.
//! - A killed instance stops soon, whether or not its peers answer and its service listens.
//!
//! # What it does not
//!
//! - That a command which [`start`](Consensus::start) took will be committed: its leader may be
//!   deposed first. The service watches what comes out.
//! - Each command once: a client that asks again may find its command twice in the log.
//! - Changes of membership, transfer of leadership (Raft §6; thesis §3.10).
//!
//! # Reading on
//!
//! `api/raft_rpc.rs` has the messages, `state.rs` what a server knows. Then any file for its
//! concern; none needs another. `server.rs` is the critical section, `timing.rs` has every number
//! with its reason, `invariants.rs` what must always be so. Where we leave the paper is listed in
//! `docs/divergences.md`.

mod append_entries;
mod apply;
mod commit;
mod election;
mod install_snapshot;
mod invariants;
mod log;
mod persist;
mod read_index;
mod replication;
mod replicator;
mod replies;
mod request_vote;
mod server;
mod state;
#[cfg(test)]
mod testing;
mod timing;

use std::sync::Arc;

use bytes::Bytes;
use tarpc::context::Context;

use self::server::Server;
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RaftRpcClient, RaftRpcRequest, RaftRpcResponse, RequestVoteArgs, RequestVoteReply,
};
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

    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        read_index::run(&self.server)
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
