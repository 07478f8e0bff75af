//! The RPC-style Raft: consensus among a few servers, after Figure 2 of the paper.
//!
//! A cluster of servers keeps one log of commands. A command is *committed* once a majority has
//! stored it and no later leader can lack it (Raft §5.4): it then keeps its place, whichever
//! servers crash, and every server's service receives the same commands in the same order. This is
//! the reference that the lab's scenarios are run against, and a Raft to read.
//!
//! *The paper* is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm",
//! extended version, <https://raft.github.io/raft.pdf>. *The thesis* is Ongaro, "Consensus:
//! Bridging Theory and Practice", 2014. *The lab* is the Raft lab of MIT's course 6.824. Read §5 of
//! the paper first, and keep its Figure 2 open. A *task* is a thread, or on the virtual clock a
//! coroutine; the *service* is the state machine above the log.
//!
//! # The idea
//!
//! One server leads at a time. Only the leader accepts commands, and it makes the others' logs
//! equal to its own. When it falls silent, the others elect a new leader, in a *term* with a higher
//! number. Every message carries its sender's term, and a message of an older term is refused.
//! Three rules make this safe: a server votes once per term (so a term has at most one leader); it
//! votes only for a candidate whose log is at least as up-to-date as its own (so a leader has every
//! entry that was committed before); and a leader counts copies only of entries of its own term.
//!
//! # The picture
//!
//! ```text
//!   start, snapshot, read_index                                    apply_ch
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
//!      to all       InstallSnapshot   from all
//! ```
//!
//! Every rule of Figure 2 is a function over `State`, without lock, clock, network or disk; in
//! `Effects` it names the state that must be durable. `Server` runs the rule in a critical section,
//! which saves and syncs that state before any other task or server can see what the rule did. The
//! tasks decide only *when* a rule is applied, and send its messages: while a task holds the lock,
//! it neither waits for a peer's reply nor sends a message to the service.
//!
//! # The life of a vote
//!
//! 1. The election timer of a follower runs out (`timing.rs`). The election task starts an election
//!    (`start_election` in `election.rs`): a new term, a vote for itself.
//! 2. The critical section saves and syncs term and vote (`step` in `server.rs`, `save` in
//!    `persist.rs`). Then a short task per peer makes the call.
//! 3. The handler of the peer, at the end of this file, applies `on_request_vote` in
//!    `request_vote.rs`. A vote that is granted is on the disk before the reply leaves.
//! 4. The reply is counted (`on_vote_reply` in `election.rs`). A majority makes a leader, which
//!    owes each follower a first message: its heartbeat.
//!
//! # The life of a command
//!
//! 1. `start` in `replication.rs` appends it to the leader's log; the critical section saves and
//!    syncs it, and wakes the replicators (`replicator.rs`).
//! 2. Each replicator makes an AppendEntries with the entries that its follower lacks (`message_to`
//!    in `replication.rs`), and starts a short task that makes the call.
//! 3. The follower's handler finds that its log has the preceding entry; it appends the new ones,
//!    saves, syncs and replies (`on_append_entries` in `append_entries.rs`).
//! 4. The reply raises the `match_index` that the leader keeps for the follower (`on_append_reply`
//!    in `replies.rs`). When a majority has the entry, the leader's `commit_index` rises
//!    (`advance_commit_index` in `commit.rs`), and its applier gives the command to the service
//!    (`next_to_apply` in `apply.rs`).
//! 5. The next message to each follower, a moment later, raises the commit index there
//!    (`follow_commit` in `commit.rs`).
//!
//! # Why no committed entry is lost
//!
//! An entry is written `term/index`: 2/7 is the entry that the leader of term 2 put at index 7. It
//! is committed when a majority has stored it in the term in which it was made; the entries before
//! it are committed with it. A server has stored an entry if its log or its snapshot has it. All
//! leaders of later terms then have it in their logs (Leader Completeness, Raft §5.4.3):
//!
//! 1. *A term has at most one leader.* A leader has the votes of a majority, and any two majorities
//!    share a server. That server would have voted twice, but it votes once (`on_request_vote` in
//!    `request_vote.rs`; `start_election` in `election.rs` for its own), and a crash does not make
//!    it forget its vote (`save` in `persist.rs`).
//! 2. *A term and an index name one entry.* Only the leader of a term makes entries of that term,
//!    and it puts each at the end of its log (`start` in `replication.rs`); it never removes one
//!    (`leader_only_appends` in `invariants.rs`).
//! 3. *If two logs have the same entry, they are equal up to it* (Log Matching). A follower accepts
//!    entries only after the entry that precedes them in the leader's log (`conflict_at` in
//!    `append_entries.rs`), so each accepted batch extends an equal beginning.
//! 4. *A reply with success stays true while its leader leads.* It says that the follower's disk
//!    has the leader's log up to the last new entry (`on_append_entries` in `append_entries.rs`).
//!    Late requests of the leader remove nothing (`append_new` in `append_entries.rs`).
//! 5. *The leader counts only such replies*, each up to the last new entry of its own request
//!    (`advance_to`, `progress_in` in `replies.rs`), and only entries of its own term; those before
//!    them are committed with them (`advance_commit_index` in `commit.rs`).
//! 6. Now suppose that entry 2/7 is committed, and that a leader of a later term lacks it. Take the
//!    first such term, say 5. The leader of term 5 had the votes of a majority, and a majority
//!    stored 2/7 in term 2. *The two majorities share a server*, the voter.
//! 7. *The voter stored 2/7 before it voted.* Afterwards it was in term 5, and refused the leader
//!    of term 2 (`observe_term` in `state.rs`, `on_append_entries` in `append_entries.rs`).
//! 8. *It still had 2/7 when it voted.* A follower removes only entries that conflict with its
//!    leader's log, or with its leader's snapshot (`append_new` in `append_entries.rs`, `compact`
//!    in `log.rs`), and the leaders of terms 2, 3 and 4 had 2/7.
//! 9. *The voter found the candidate's log at least as up-to-date as its own* (`may_vote_for` in
//!    `request_vote.rs`). If the two logs ended in the same term, the candidate's was at least as
//!    long: by Log Matching it had all entries of the voter's, 2/7 too. If the candidate's ended in
//!    a later term, 3 or 4, then the leader of that term had 2/7 before the entry that it made: by
//!    Log Matching the candidate had it as well. So the leader of term 5 has 2/7, which contradicts
//!    the supposition.
//!
//! It follows that all servers apply the same entry at an index (State Machine Safety): a server
//! applies only what a leader has committed (`follow_commit` in `commit.rs`, `next_to_apply` in
//! `apply.rs`), and the leader of the higher term has what the other one committed.
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
//! | Leaders: InstallSnapshot (Figure 13) | `message_to` | `replication.rs` |
//! | Leaders: its reply | `on_install_reply` | `replies.rs` |
//! | Leaders: raise the commit index | `advance_commit_index` | `commit.rs` |
//! | Clients: reads without the log (Raft §8) | `begin_read`, `outcome_of` | `read_index.rs` |
//! | RequestVote, receiver | `on_request_vote` | `request_vote.rs` |
//! | AppendEntries, receiver | `on_append_entries` | `append_entries.rs` |
//! | InstallSnapshot, receiver (Figure 13) | `on_install_snapshot` | `install_snapshot.rs` |
//! | Service: its own snapshot (Raft §7) | `compact` | `install_snapshot.rs` |
//! | Persistent state is updated before responding | `save` | `persist.rs` |
//!
//! # What it promises
//!
//! - No request or reply leaves before the state that it promises is durable.
//! - A committed entry is never lost or replaced, and the service receives every index once, in
//!   order; a snapshot replaces the entries that it covers.
//! - Replies may be lost, repeated, or seconds late: each is judged against its own request.
//! - Accepting, saving, sending and committing an entry cost the same, however long the log is.
//! - A killed instance stops soon, even if its peers do not reply or its service does not receive.
//!
//! # What it does not promise
//!
//! - A command that [`start`](Consensus::start) accepted may never be committed: its leader may be
//!   deposed first. The service has to watch the apply channel.
//! - A command may be in the log twice, if its client sent it again.
//! - The membership cannot change, and leadership cannot be transferred (Raft §6; thesis §3.10).
//! - A server that comes back from a partition deposes a healthy leader with its higher term: there
//!   is no pre-vote (thesis §9.6). A leader that is cut off stays leader until it hears of a newer
//!   term: it does not check its quorum (thesis §6.2). Its reads and commands wait meanwhile.
//! - The disk is slow work under the lock: while a rule's state is synced, all other rules wait. So
//!   no reply can leave too early, but the disk and the network do not work at the same time
//!   (thesis §10.2.1).
//!
//! # Reading on
//!
//! `api/raft_rpc.rs` has the messages, `state.rs` the state of a server, `log.rs` its log. Then
//! follow a vote, and a command, through the files in the order above. `timing.rs` has every number
//! with its reason, `invariants.rs` the conditions that always hold, `read_index.rs` the reads and
//! `install_snapshot.rs` the snapshots. The scripts in `tests/golden/raft` show each rule on a
//! small cluster, message by message; `tests/golden/summary.rs` has their notation.
//! `docs/divergences.md` lists our differences from the paper, and what is left out.

mod append_entries;
mod apply;
mod commit;
mod election;
#[cfg(test)]
mod golden;
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

pub use self::server::Peer;
use self::server::Server;
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RequestVoteArgs, RequestVoteReply,
};
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started, Term};
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::Sender;
use crate::runtime::thread;

/// One server of a Raft cluster. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct Raft {
    server: Arc<Server>,
}

impl Raft {
    /// Starts server `me`, with the state that its earlier lives left in `persister`.
    ///
    /// `peers` has one slot per server; our own is unused. Committed commands and newer snapshots
    /// go to `apply_ch`, in order. The service itself has read the snapshot in `persister`, so the
    /// first command is the one after that snapshot. While the service does not receive, only the
    /// applier waits; the task that receives may call [`snapshot`](Consensus::snapshot).
    ///
    /// # Errors
    /// The storage is damaged; the server must not start.
    pub fn make(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Raft, PersistError> {
        // Handout 2A: make what the tasks share; start election and replicators (2B: the applier).
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
        // Handout 2B: if this server leads, append the command; return its term and index.
        let taken = self.server.step(|state, effects| state.start(command, effects));
        // Without an outcome the instance has stopped.
        taken.unwrap_or_else(|| {
            let term = self.get_state().term;
            Err(NotLeader { term, leader_hint: None })
        })
    }

    fn get_state(&self) -> Leadership {
        // Handout 2A: return the current term, and whether this server leads in it.
        let leadership = self.server.lock().leadership();
        let is_leader = leadership.is_leader && !self.server.stop.is_stopped();
        Leadership { is_leader, ..leadership }
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        // Handout 2D: save the service's state, and drop the log up to its index.
        self.server.step(|state, effects| state.compact(index, data, effects));
    }

    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        read_index::run(&self.server)
    }

    fn kill(&self) {
        // Handout 2A: end all tasks of this server soon, and refuse all later calls; 2C tests it.
        self.server.kill();
    }
}

/// The term in the replies of an instance that has stopped: older than any real term, so receivers
/// ignore the reply.
const NO_TERM: Term = Term(0);

impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        // Handout 2A: give at most one vote per term; 2B compares the logs first.
        let reply = self.server.step(|state, effects| state.on_request_vote(&args, effects));
        reply.unwrap_or(RequestVoteReply { term: NO_TERM, vote_granted: false })
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        // Handout 2A: follow a leader whose term is current; 2B appends the entries that fit.
        let reply = self.server.step(|state, effects| state.on_append_entries(args, effects));
        reply.unwrap_or(AppendEntriesReply { term: NO_TERM, success: false, conflict: None })
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        // Handout 2D: replace the log by the leader's snapshot, unless the log has more already.
        let reply = self.server.step(|state, effects| state.on_install_snapshot(args, effects));
        reply.unwrap_or(InstallSnapshotReply { term: NO_TERM })
    }
}
