//! The inbox of the puppets: a list of all calls of S0, some of which wait for a reply.

use std::sync::Arc;
use std::time::Duration;

use tarpc::context::Context;

use super::conduct::Conduct;
use super::follower::Follower;
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RaftRpcRequest, RaftRpcResponse, RequestVoteArgs, RequestVoteReply,
};
use crate::api::{ServerId, Term};
use crate::runtime::channel::{self, Sender};
use crate::runtime::sync::{Condvar, Mutex};
use crate::runtime::time::{Instant, since_start};
use crate::runtime::{self, FailureKind};

/// Maximum number of calls that S0 may make: a hundred times what any scenario needs. A server that
/// exceeds it repeats a call without a pause.
const CALLS_MAX: usize = 20_000;

/// One call that S0 made to a puppet.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The call's number, in the order of arrival.
    pub(super) number: usize,
    /// The time of arrival.
    pub at: Duration,
    /// The puppet that S0 called.
    pub puppet: ServerId,
    /// The request.
    pub request: Arc<RaftRpcRequest>,
}

impl Heard {
    /// The mark of the call's arrival: the number of calls that S0 had made before.
    pub fn mark(&self) -> usize {
        self.number
    }

    /// The request's term.
    pub fn term(&self) -> Term {
        match &*self.request {
            RaftRpcRequest::RequestVote { args } => args.term,
            RaftRpcRequest::AppendEntries { args } => args.term,
            RaftRpcRequest::InstallSnapshot { args } => args.term,
        }
    }

    /// The arguments, if S0 asked for a vote.
    pub fn vote(&self) -> Option<&RequestVoteArgs> {
        match &*self.request {
            RaftRpcRequest::RequestVote { args } => Some(args),
            _ => None,
        }
    }

    /// The arguments, if S0 acted as leader and sent entries or a heartbeat.
    pub fn append(&self) -> Option<&AppendEntriesArgs> {
        match &*self.request {
            RaftRpcRequest::AppendEntries { args } => Some(args),
            _ => None,
        }
    }

    /// The arguments, if S0 acted as leader and sent its snapshot.
    pub fn install(&self) -> Option<&InstallSnapshotArgs> {
        match &*self.request {
            RaftRpcRequest::InstallSnapshot { args } => Some(args),
            _ => None,
        }
    }
}

/// All calls of S0 in the order of arrival.
pub(super) struct Inbox {
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    heard: Vec<Heard>,
    /// One slot per call; `None` once the call is answered.
    waiting: Vec<Option<Waiting>>,
    /// One slot per server; S0's is unused.
    conducts: Vec<Conduct>,
}

/// A call without a reply.
struct Waiting {
    back: Sender<RaftRpcResponse>,
    /// The late reply, if the call has reached its puppet.
    answer: Option<RaftRpcResponse>,
}

impl State {
    /// Lets a call reach its puppet, if it has not yet.
    fn handle(&mut self, number: usize) {
        let Heard { puppet, request, .. } = &self.heard[number];
        if let Some(Waiting { answer: answer @ None, .. }) = &mut self.waiting[number] {
            *answer = Some(self.conducts[puppet.slot()].handle(request));
        }
    }

    /// Lets a call reach its puppet, and the reply reach S0.
    fn release(&mut self, number: usize) {
        self.handle(number);
        if let Some(Waiting { back, answer: Some(answer) }) = self.waiting[number].take() {
            // The caller may be gone.
            let _ = back.send(answer);
        }
    }
}

impl Inbox {
    pub(super) fn new(servers: usize) -> Arc<Inbox> {
        let conducts = (0..servers).map(ServerId::from_slot).map(Conduct::new).collect();
        let state = State { heard: Vec::new(), waiting: Vec::new(), conducts };
        Arc::new(Inbox { state: Mutex::new(state), news: Condvar::new() })
    }

    /// The number of calls so far.
    pub(super) fn count(&self) -> usize {
        self.state.lock().heard.len()
    }

    /// The calls from number `from` on.
    pub(super) fn since(&self, from: usize) -> Vec<Heard> {
        self.state.lock().heard[from..].to_vec()
    }

    /// Waits until `deadline` for the first call from number `from` on that `wanted` picks.
    pub(super) fn find(
        &self,
        from: usize,
        deadline: Instant,
        mut wanted: impl FnMut(&Heard) -> bool,
    ) -> Option<Heard> {
        let mut state = self.state.lock();
        let mut next = from;
        loop {
            while let Some(heard) = state.heard.get(next) {
                if wanted(heard) {
                    return Some(heard.clone());
                }
                next += 1;
            }
            if Instant::now() >= deadline {
                return None;
            }
            self.news.wait_until(&mut state, deadline);
        }
    }

    /// Lets a waiting call reach its puppet; the reply is late.
    pub(super) fn handle(&self, number: usize) {
        self.state.lock().handle(number);
    }

    /// Answers a waiting call.
    pub(super) fn release(&self, number: usize) {
        self.state.lock().release(number);
    }

    /// Answers all entries, heartbeats and snapshots that are in flight to `puppet`, in order, but
    /// not the calls whose replies are late.
    pub(super) fn release_appends(&self, puppet: ServerId) {
        let mut state = self.state.lock();
        for number in 0..state.heard.len() {
            let heard = &state.heard[number];
            let on_its_way = matches!(&state.waiting[number], Some(Waiting { answer: None, .. }));
            if on_its_way && heard.puppet == puppet && heard.vote().is_none() {
                state.release(number);
            }
        }
    }

    /// Answers a waiting call with a reply that its puppet would not give.
    pub(super) fn lie(&self, number: usize, response: RaftRpcResponse) {
        let waiting = self.state.lock().waiting[number].take();
        if let Some(Waiting { back, .. }) = waiting {
            // The caller may be gone.
            let _ = back.send(response);
        }
    }

    /// Resets all puppets to servers without any state.
    pub(super) fn forget(&self) {
        for conduct in &mut self.state.lock().conducts {
            conduct.follower = Follower::default();
        }
    }

    /// Changes a puppet's state or its reactions.
    pub(super) fn conduct<T>(&self, puppet: ServerId, change: impl FnOnce(&mut Conduct) -> T) -> T {
        change(&mut self.state.lock().conducts[puppet.slot()])
    }

    /// Records a call and waits for its reply; returns `None` if there will be none.
    fn take(&self, puppet: ServerId, request: RaftRpcRequest) -> Option<RaftRpcResponse> {
        let answer = {
            let mut state = self.state.lock();
            let number = state.heard.len();
            if number >= CALLS_MAX {
                let message = format!("S0 has made {CALLS_MAX} calls to puppets");
                runtime::fail(FailureKind::Limit, "call_storm", message);
            }
            let request = Arc::new(request);
            state.heard.push(Heard { number, at: since_start(), puppet, request });
            let (back, answer) = channel::unbounded();
            state.waiting.push(Some(Waiting { back, answer: None }));
            if state.conducts[puppet.slot()].answers(&state.heard[number].request) {
                state.release(number);
            }
            self.news.notify_all();
            answer
        };
        answer.recv().ok()
    }
}

/// One puppet, as the target of S0's calls.
#[derive(Clone)]
pub(super) struct Puppet {
    pub(super) me: ServerId,
    pub(super) inbox: Arc<Inbox>,
}

impl RaftRpc for Puppet {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        let term = args.term;
        match self.inbox.take(self.me, RaftRpcRequest::RequestVote { args }) {
            Some(RaftRpcResponse::RequestVote(reply)) => reply,
            _ => RequestVoteReply { term, vote_granted: false },
        }
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        let term = args.term;
        match self.inbox.take(self.me, RaftRpcRequest::AppendEntries { args }) {
            Some(RaftRpcResponse::AppendEntries(reply)) => reply,
            _ => AppendEntriesReply { term, success: false, conflict: None },
        }
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        let term = args.term;
        match self.inbox.take(self.me, RaftRpcRequest::InstallSnapshot { args }) {
            Some(RaftRpcResponse::InstallSnapshot(reply)) => reply,
            _ => InstallSnapshotReply { term },
        }
    }
}
