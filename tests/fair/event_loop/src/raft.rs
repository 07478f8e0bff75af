//! The outside of a server: calls become events, and wait for the loop's answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Context, InstallSnapshotArgs, InstallSnapshotReply,
    RaftRpc, RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{ApplyMsg, Bytes, Consensus, Index, Leadership, NotLeader, ServerId};
use raftlab::api::{Started, Term};
use raftlab::lab::RaftPeer;
use raftlab::persister::{PersistError, Persister};
use raftlab::runtime::channel::{self, Receiver, SendTimeoutError, Sender};
use raftlab::runtime::thread;

use crate::engine::Engine;
use crate::stable::Stable;

/// How often an applier whose service does not read checks whether to stop.
const APPLY_PATIENCE: Duration = Duration::from_millis(500);

/// An event of a server's life. Timeouts are the only ones that are not here.
pub enum Event {
    /// A peer calls; the reply goes into the channel.
    RequestVote(RequestVoteArgs, Sender<RequestVoteReply>),
    AppendEntries(AppendEntriesArgs, Sender<AppendEntriesReply>),
    InstallSnapshot(InstallSnapshotArgs, Sender<InstallSnapshotReply>),
    /// A peer answers a call that we made in the given term, or in that of [`Sent`].
    Voted(ServerId, Term, RequestVoteReply),
    Appended(ServerId, Sent, AppendEntriesReply),
    Installed(ServerId, Sent, InstallSnapshotReply),
    /// The service above calls.
    Start(Bytes, Sender<Result<Started, NotLeader>>),
    GetState(Sender<Leadership>),
    Snapshot(Index, Bytes),
    /// Only wakes the loop, which then notices that it must stop.
    Wake,
}

/// The contents of a call to a follower, by which its reply is judged.
pub struct Sent {
    pub term: Term,
    /// The entry before the first one sent.
    pub prev: Index,
    /// The last entry that the follower has if it agrees.
    pub last: Index,
}

/// The loop's state that other tasks may read without an event.
pub struct Outside {
    /// The loop's latest durable term, which is all that a stopped server still knows for certain.
    term: AtomicU64,
    stopped: AtomicBool,
}

impl Outside {
    pub fn show_term(&self, term: Term) {
        self.term.store(term.0, Ordering::SeqCst);
    }

    fn term(&self) -> Term {
        Term(self.term.load(Ordering::SeqCst))
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// One server. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Raft {
    inbox: Sender<Event>,
    outside: Arc<Outside>,
}

impl Raft {
    /// Starts server `me`; `peers` has a slot per server, our own is unused.
    pub fn make(
        peers: Vec<RaftPeer>,
        me: ServerId,
        persister: Persister,
        apply_ch: Sender<ApplyMsg>,
    ) -> Result<Raft, PersistError> {
        let stable = Stable::load(persister)?;
        let term = AtomicU64::new(stable.term().0);
        let outside = Arc::new(Outside { term, stopped: AtomicBool::new(false) });
        // Neither channel is bounded: the loop waits for no task, and no task waits to send to it.
        let (inbox, events) = channel::unbounded();
        let (applier, committed) = channel::unbounded();
        let mut engine = Engine::new(me, peers, stable, inbox.clone(), applier, outside.clone());
        thread::spawn("loop", move || engine.run(&events));
        let watched = outside.clone();
        thread::spawn("applier", move || apply(&committed, &apply_ch, &watched));
        Ok(Raft { inbox, outside })
    }

    /// Sends the loop an event and waits for its answer. `None`: the loop has stopped.
    ///
    /// The wait always ends: when the loop stops, it drops its end of the inbox, and with it the
    /// remaining events and the channels for their answers.
    fn ask<T>(&self, event: impl FnOnce(Sender<T>) -> Event) -> Option<T> {
        if self.outside.stopped() {
            return None;
        }
        let (reply, answer) = channel::bounded(1);
        self.inbox.send(event(reply)).ok()?;
        answer.recv().ok()
    }
}

/// Passes committed entries to the service. It is a task of its own, since a service may be slow.
fn apply(committed: &Receiver<ApplyMsg>, apply_ch: &Sender<ApplyMsg>, outside: &Outside) {
    for mut message in committed.iter() {
        loop {
            if outside.stopped() {
                return;
            }
            match apply_ch.send_timeout(message, APPLY_PATIENCE) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(unsent)) => message = unsent,
                Err(SendTimeoutError::Disconnected(_)) => return,
            }
        }
    }
}

/// The term in a stopped server's replies to its peers.
///
/// A handler must return something, and a stopped server may promise nothing. A refusal in the
/// caller's own term would not work, for [`InstallSnapshotReply`] has no refusal: a reply in that
/// term says that the snapshot is stored. Term 0 is before the first election, so no caller is in
/// it, and every caller ignores the reply as one of another term.
const NO_TERM: Term = Term(0);

impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        self.ask(|reply| Event::RequestVote(args, reply))
            .unwrap_or(RequestVoteReply { term: NO_TERM, vote_granted: false })
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        self.ask(|reply| Event::AppendEntries(args, reply)).unwrap_or(AppendEntriesReply {
            term: NO_TERM,
            success: false,
            conflict: None,
        })
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        self.ask(|reply| Event::InstallSnapshot(args, reply))
            .unwrap_or(InstallSnapshotReply { term: NO_TERM })
    }
}

impl Consensus for Raft {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        self.ask(|reply| Event::Start(command, reply))
            .unwrap_or_else(|| Err(NotLeader { term: self.outside.term(), leader_hint: None }))
    }

    fn get_state(&self) -> Leadership {
        self.ask(Event::GetState)
            .unwrap_or_else(|| Leadership { term: self.outside.term(), is_leader: false })
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        // There is no answer to wait for, and a loop that has stopped needs no snapshot.
        let _ = self.inbox.send(Event::Snapshot(index, data));
    }

    fn kill(&self) {
        // The flag stops the loop even before a full inbox is empty; the event ends its sleep.
        self.outside.stop();
        let _ = self.inbox.send(Event::Wake);
    }
}
