//! A Raft of async tasks: one for elections, one for each follower, one that applies.
//!
//! Each task runs one async block from the server's start to its end. The tasks share the state
//! behind one lock, which none of them holds over an `.await`, and wake each other with bells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Context, InstallSnapshotArgs, InstallSnapshotReply,
    RaftRpc, RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{
    ApplyMsg, Bytes, Consensus, Index, Leadership, NotLeader, ServerId, Started, Term,
};
use raftlab::lab::RaftPeer;
use raftlab::labrpc;
use raftlab::persister::{PersistError, Persister};
use raftlab::runtime::channel::{SendTimeoutError, Sender};
use raftlab::runtime::sync::Mutex;
use raftlab::runtime::time::{Instant, sleep};
use raftlab::runtime::{block_on, thread};

use crate::state::{Answer, Glance, Role, State, Todo};
use crate::wait::{Bell, before, next_of};

/// The longest wait for a reply.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// The pause between a failed vote request and its retry (§5.1: servers retry).
const RETRY: Duration = Duration::from_millis(50);

/// How often a task that waits for the service checks whether the server was killed.
const LOOK: Duration = Duration::from_millis(100);

/// One server. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Raft {
    server: Arc<Server>,
}

struct Server {
    me: ServerId,
    peers: Vec<RaftPeer>,
    state: Mutex<State>,
    stopped: AtomicBool,
    /// Rung when the role changes.
    election: Bell,
    /// Rung when there may be something to send; one per server, our own is unused.
    followers: Vec<Bell>,
    /// Rung when there may be something to apply.
    apply: Bell,
}

impl Raft {
    /// Starts server `me`; `peers` has a slot per server, our own is unused.
    pub fn make(
        peers: Vec<RaftPeer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Raft, PersistError> {
        let state = Mutex::new(State::load(me, peers.len(), persister)?);
        let followers = peers.iter().map(|_| Bell::default()).collect();
        let server = Arc::new(Server {
            me,
            peers,
            state,
            stopped: AtomicBool::new(false),
            election: Bell::default(),
            followers,
            apply: Bell::default(),
        });
        let task = server.clone();
        thread::spawn("election", move || block_on(task.elect()));
        let task = server.clone();
        thread::spawn("apply", move || block_on(task.apply_to(&apply_ch)));
        for peer in server.others() {
            let task = server.clone();
            thread::spawn(format!("replicate to {peer}"), move || block_on(task.replicate(peer)));
        }
        Ok(Raft { server })
    }
}

impl Server {
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.election.ring();
        self.apply.ring();
        self.followers.iter().for_each(Bell::ring);
    }

    fn others(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.me;
        (0..self.peers.len()).map(ServerId::from_slot).filter(move |peer| *peer != me)
    }

    /// Changes the state; there is no other way. When this returns, the writes of `change` are
    /// durable, so they are before any promise ("updated on stable storage before responding to
    /// RPCs", Figure 2), and the tasks that wait for such a change are woken.
    ///
    /// `None`: the server is stopped, or its storage failed and it stops now.
    fn step<T>(&self, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut state = self.state.lock();
        if self.stopped() {
            return None;
        }
        let old = state.glance();
        let output = change(&mut state);
        let synced = state.sync();
        if synced.is_err() {
            // Under the lock: no task may promise what is not durable.
            self.stop();
            return None;
        }
        let new = state.glance();
        drop(state);
        self.wake(&old, &new);
        Some(output)
    }

    fn wake(&self, old: &Glance, new: &Glance) {
        if (old.leads, old.stands) != (new.leads, new.stands) {
            self.election.ring();
        }
        if old.leads != new.leads || new.leads && old.last != new.last {
            self.others().for_each(|peer| self.followers[peer.slot()].ring());
        }
        if old.commit != new.commit || old.base != new.base {
            self.apply.ring();
        }
    }

    /// The election task: waits for the timeout, starts an election, counts the votes.
    async fn elect(&self) {
        loop {
            let look = |state: &mut State| match state.role {
                Role::Leader { .. } => None,
                Role::Follower | Role::Candidate { .. } => Some(state.deadline),
            };
            match self.step(look) {
                None => return,
                Some(None) => self.election.heard().await,
                Some(Some(deadline)) => {
                    before(sleep(deadline - Instant::now()), self.election.heard()).await;
                    if let Some(Some(args)) = self.step(State::stand) {
                        self.campaign(&args).await;
                    }
                }
            }
        }
    }

    /// Asks all other servers for their votes at once, until the election ends or times out (§5.2).
    async fn campaign(&self, args: &RequestVoteArgs) {
        let mut calls: FuturesUnordered<_> =
            self.others().map(|voter| self.ask(voter, args)).collect();
        loop {
            let term = args.term;
            let look = |state: &mut State| {
                let goes_on =
                    state.current_term == term && matches!(state.role, Role::Candidate { .. });
                goes_on.then_some(state.deadline)
            };
            let Some(Some(deadline)) = self.step(look) else { return };
            let now = Instant::now();
            if now >= deadline {
                return;
            }
            let limit = before(sleep(deadline - now), self.election.heard());
            if let Some(reply) = before(limit, next_of(&mut calls)).await {
                self.step(|state| state.count_vote(term, &reply));
            }
        }
    }

    /// Asks one voter until it replies.
    async fn ask(&self, voter: ServerId, args: &RequestVoteArgs) -> RequestVoteReply {
        let peer = &self.peers[voter.slot()];
        loop {
            match peer.request_vote(labrpc::context(), args.clone()).await {
                Ok(reply) => return reply,
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    /// The task of one follower: while this server leads, it sends the entries that the follower
    /// lacks, or heartbeats. It does not wait for a reply before it sends the next message.
    async fn replicate(&self, peer: ServerId) {
        let mut calls = FuturesUnordered::new();
        let bell = &self.followers[peer.slot()];
        while let Some(todo) = self.step(|state| state.todo(peer, calls.len())) {
            match todo {
                Todo::Rest => {
                    calls.clear();
                    bell.heard().await;
                }
                Todo::Wait(span) => {
                    let limit = before(sleep(span), bell.heard());
                    if let Some(Some(answer)) = before(limit, next_of(&mut calls)).await {
                        self.step(|state| state.take_answer(peer, &answer));
                    }
                }
                message => calls.push(self.send(peer, message)),
            }
        }
    }

    /// Makes one call. `None`: no reply came in time, and the next heartbeat will show the result.
    async fn send(&self, peer: ServerId, message: Todo) -> Option<Answer> {
        let client = &self.peers[peer.slot()];
        let limit = sleep(CALL_LIMIT);
        match message {
            Todo::Append(args) => {
                let (asked, prev, last) = (args.term, args.prev_log_index, args.last_new_index());
                let call = client.append_entries(labrpc::context(), args);
                let reply = before(limit, call).await?.ok()?;
                let agrees = if reply.success { Ok(last) } else { Err((prev, reply.conflict)) };
                Some(Answer { asked, term: reply.term, agrees })
            }
            Todo::Install(args) => {
                let (asked, last) = (args.term, args.last_included_index);
                let call = client.install_snapshot(labrpc::context(), args);
                let reply = before(limit, call).await?.ok()?;
                Some(Answer { asked, term: reply.term, agrees: Ok(last) })
            }
            Todo::Rest | Todo::Wait(_) => None,
        }
    }

    /// The task that applies: "if commitIndex > lastApplied: increment lastApplied, apply
    /// log[lastApplied] to state machine" (Figure 2, all servers).
    async fn apply_to(&self, apply_ch: &Sender<ApplyMsg>) {
        let mut applied = Index(0);
        while let Some(messages) = self.step(|state| state.to_apply(applied)) {
            if messages.is_empty() {
                self.apply.heard().await;
            }
            for message in messages {
                applied = match &message {
                    ApplyMsg::Command { index, .. } => *index,
                    ApplyMsg::Snapshot { last_included, .. } => last_included.index,
                };
                if !self.pass_on(apply_ch, message) {
                    return;
                }
            }
        }
    }

    /// Passes `message` to the service, however slow it is; returns whether the service took it.
    fn pass_on(&self, apply_ch: &Sender<ApplyMsg>, mut message: ApplyMsg) -> bool {
        while !self.stopped() {
            message = match apply_ch.send_timeout(message, LOOK) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => back,
                Err(SendTimeoutError::Disconnected(_)) => return false,
            };
        }
        false
    }
}

// A stopped server replies with term 0, which no caller takes for a promise.
impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        let refusal = RequestVoteReply { term: Term(0), vote_granted: false };
        self.server.step(|state| state.vote(&args)).unwrap_or(refusal)
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        let refusal = AppendEntriesReply { term: Term(0), success: false, conflict: None };
        self.server.step(|state| state.append(&args)).unwrap_or(refusal)
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        let refusal = InstallSnapshotReply { term: Term(0) };
        self.server.step(|state| state.install(args)).unwrap_or(refusal)
    }
}

impl Consensus for Raft {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        self.server.step(|state| state.start(command)).unwrap_or_else(|| {
            let term = self.server.state.lock().current_term;
            Err(NotLeader { term, leader_hint: None })
        })
    }

    fn get_state(&self) -> Leadership {
        let Glance { term, leads, .. } = self.server.state.lock().glance();
        Leadership { term, is_leader: leads && !self.server.stopped() }
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        self.server.step(|state| state.snapshot_taken(index, data));
    }

    fn kill(&self) {
        self.server.stop();
    }
}
