//! What S0 says to the puppets: a list of all its calls, with those that wait for an answer.

use std::sync::Arc;
use std::time::Duration;

use tarpc::context::Context;

use super::conduct::Conduct;
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RaftRpcRequest, RaftRpcResponse, RequestVoteArgs, RequestVoteReply,
};
use crate::api::{ServerId, Term};
use crate::runtime::channel::{self, Sender};
use crate::runtime::sync::{Condvar, Mutex};
use crate::runtime::time::{Instant, since_start};
use crate::runtime::{self, FailureKind};

/// A hundred times what any scenario needs: a server that repeats a call without a pause.
const CALLS_MAX: usize = 20_000;

/// One call that S0 made to a puppet.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its number, in the order of arrival.
    pub(super) number: usize,
    /// When it arrived.
    pub at: Duration,
    /// To which puppet.
    pub puppet: ServerId,
    /// What S0 said.
    pub request: Arc<RaftRpcRequest>,
}

impl Heard {
    /// The moment of its arrival, among the calls of S0.
    pub fn mark(&self) -> usize {
        self.number
    }

    /// The term that S0 gave as its own.
    pub fn term(&self) -> Term {
        match &*self.request {
            RaftRpcRequest::RequestVote { args } => args.term,
            RaftRpcRequest::AppendEntries { args } => args.term,
            RaftRpcRequest::InstallSnapshot { args } => args.term,
        }
    }

    /// What was said, if S0 asked for a vote.
    pub fn vote(&self) -> Option<&RequestVoteArgs> {
        match &*self.request {
            RaftRpcRequest::RequestVote { args } => Some(args),
            _ => None,
        }
    }

    /// What was said, if S0 acted as leader and sent entries, or a heartbeat.
    pub fn append(&self) -> Option<&AppendEntriesArgs> {
        match &*self.request {
            RaftRpcRequest::AppendEntries { args } => Some(args),
            _ => None,
        }
    }

    /// What was said, if S0 acted as leader and sent its snapshot.
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
    /// Beside each call: the way back, while it waits for an answer.
    waiting: Vec<Option<Sender<RaftRpcResponse>>>,
    /// One slot per server; S0's is unused.
    conducts: Vec<Conduct>,
}

impl Inbox {
    pub(super) fn new(servers: usize) -> Arc<Inbox> {
        let conducts = vec![Conduct::new(); servers];
        let state = State { heard: Vec::new(), waiting: Vec::new(), conducts };
        Arc::new(Inbox { state: Mutex::new(state), news: Condvar::new() })
    }

    /// How many calls there were.
    pub(super) fn count(&self) -> usize {
        self.state.lock().heard.len()
    }

    /// The calls from number `from` on.
    pub(super) fn since(&self, from: usize) -> Vec<Heard> {
        self.state.lock().heard[from..].to_vec()
    }

    /// The first call from number `from` on that `wanted` picks, waited for until `deadline`.
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

    /// Answers a call, if it still waits for that.
    pub(super) fn answer(&self, number: usize, response: RaftRpcResponse) {
        let waiting = self.state.lock().waiting[number].take();
        if let Some(back) = waiting {
            // Whoever asked may be gone.
            let _ = back.send(response);
        }
    }

    /// Changes how a puppet answers.
    pub(super) fn conduct<T>(&self, puppet: ServerId, change: impl FnOnce(&mut Conduct) -> T) -> T {
        change(&mut self.state.lock().conducts[puppet.slot()])
    }

    /// Takes in a call and waits for its answer; `None`: there will be none.
    fn take(&self, puppet: ServerId, request: RaftRpcRequest) -> Option<RaftRpcResponse> {
        let answer = {
            let mut state = self.state.lock();
            let response = state.conducts[puppet.slot()].answer(&request);
            let number = state.heard.len();
            if number >= CALLS_MAX {
                let message = format!("S0 has made {CALLS_MAX} calls to puppets");
                runtime::fail(FailureKind::Limit, "call_storm", message);
            }
            let request = Arc::new(request);
            state.heard.push(Heard { number, at: since_start(), puppet, request });
            let (back, answer) = channel::unbounded();
            let waits = response.is_none();
            state.waiting.push(waits.then_some(back));
            self.news.notify_all();
            if !waits {
                return response;
            }
            answer
        };
        answer.recv().ok()
    }
}

/// One puppet, as S0's calls find it.
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
