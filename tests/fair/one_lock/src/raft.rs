//! The server: a ticker that polls, an applier that waits, and a short task for each call to a
//! peer. All of them share one lock, and no task holds it while it waits for anything else.

use std::sync::Arc;
use std::time::Duration;

use raftlab::api::raft_rpc::{AppendEntriesArgs, InstallSnapshotArgs, RequestVoteArgs};
use raftlab::api::{
    ApplyMsg, Bytes, Consensus, Index, Leadership, NotLeader, Position, ServerId, Started, Term,
};
use raftlab::lab::RaftPeer;
use raftlab::labrpc;
use raftlab::persister::{PersistError, Persister};
use raftlab::runtime::channel::{SendTimeoutError, Sender};
use raftlab::runtime::sync::{Condvar, Mutex, MutexGuard};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{block_on, thread};

use crate::state::{Role, State};

/// How often the ticker looks. Commands that arrive in between are sent together.
const TICK: Duration = Duration::from_millis(10);

/// A leader sends at least this often.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Maximum number of entries per call, since a leader sends them again and again to a peer that is
/// away.
const BATCH: usize = 100;

/// How often the applier checks for `kill` while the service does not take a message.
const APPLY_PATIENCE: Duration = Duration::from_millis(200);

/// One server. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Raft {
    shared: Arc<Shared>,
}

struct Shared {
    peers: Vec<RaftPeer>,
    apply_ch: Sender<ApplyMsg>,
    state: Mutex<State>,
    /// Signals that something was committed, or that the server was killed.
    applicable: Condvar,
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
        let shared = Shared { peers, apply_ch, state, applicable: Condvar::new() };
        let raft = Raft { shared: Arc::new(shared) };
        let (ticker, applier) = (raft.clone(), raft.clone());
        thread::spawn("ticker", move || ticker.tick());
        thread::spawn("applier", move || applier.apply());
        Ok(raft)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    /// The state, unless the server was killed.
    pub fn live(&self) -> Option<MutexGuard<'_, State>> {
        Some(self.lock()).filter(|state| !state.killed)
    }

    /// Polls the clock until the server is killed.
    fn tick(&self) {
        loop {
            thread::sleep(TICK);
            let Some(mut state) = self.live() else { return };
            let due = Instant::now() >= state.deadline;
            match state.role {
                Role::Leader if due || state.unsent => self.broadcast(&mut state),
                Role::Follower | Role::Candidate if due => self.stand(&mut state),
                Role::Leader | Role::Follower | Role::Candidate => {}
            }
        }
    }

    /// Calls every other server in a task of its own: a call to one that is away takes seconds.
    fn each_peer(&self, state: &State, call: impl Fn(ServerId)) {
        let all = (0..self.shared.peers.len()).map(ServerId::from_slot);
        all.filter(|peer| *peer != state.me).for_each(call);
    }

    /// Stands for election (§5.2).
    fn stand(&self, state: &mut State) {
        state.become_candidate();
        if !state.flush() {
            return;
        }
        let last = state.log.last();
        let args = RequestVoteArgs {
            term: state.current_term,
            candidate_id: state.me,
            last_log_index: last.index,
            last_log_term: last.term,
        };
        self.each_peer(state, |voter| {
            let (raft, args) = (self.clone(), args.clone());
            thread::go(move || {
                let asked = args.term;
                let peer = &raft.shared.peers[voter.slot()];
                if let Ok(reply) = block_on(peer.request_vote(labrpc::context(), args)) {
                    raft.on_vote(asked, reply.term, reply.vote_granted);
                }
            });
        });
        self.lead(state);
    }

    /// Counts a vote, if it is for the current election.
    fn on_vote(&self, asked: Term, term: Term, granted: bool) {
        let Some(mut state) = self.live() else { return };
        state.observe_term(term);
        if state.flush() && granted && term == asked && term == state.current_term {
            state.votes += 1;
            self.lead(&mut state);
        }
    }

    /// "Upon election: send initial empty AppendEntries RPCs" (Figure 2), if the votes suffice.
    fn lead(&self, state: &mut State) {
        if state.become_leader() {
            self.broadcast(state);
        }
    }

    /// Sends every follower the entries that it lacks, or a heartbeat.
    fn broadcast(&self, state: &mut State) {
        state.unsent = false;
        state.deadline = Instant::now() + HEARTBEAT;
        self.each_peer(state, |follower| self.replicate(state, follower));
    }

    /// Sends one follower the entries that it lacks, or the snapshot if they are gone (§7).
    fn replicate(&self, state: &State, follower: ServerId) {
        let next = state.next_index[follower.slot()];
        if next <= state.log.base().index {
            self.send_snapshot(state, follower);
        } else {
            self.send_entries(state, follower, next);
        }
    }

    fn send_entries(&self, state: &State, follower: ServerId, next: Index) {
        let prev = next.prev();
        let args = AppendEntriesArgs {
            term: state.current_term,
            leader_id: state.me,
            prev_log_index: prev,
            prev_log_term: state.log.term(prev).expect("the log reaches to what was acknowledged"),
            entries: state.log.slice(next, BATCH).to_vec(),
            leader_commit: state.commit_index,
        };
        let last = args.last_new_index();
        let more = last < state.log.last().index;
        let raft = self.clone();
        thread::go(move || {
            let asked = args.term;
            let peer = &raft.shared.peers[follower.slot()];
            let Ok(reply) = block_on(peer.append_entries(labrpc::context(), args)) else { return };
            let Some(mut state) = raft.still_leads(asked, reply.term) else { return };
            if reply.success {
                raft.on_match(&mut state, follower, last, more);
            } else if state.back_up(follower, prev, reply.conflict.map(|conflict| conflict.index)) {
                raft.replicate(&state, follower);
            }
        });
    }

    fn send_snapshot(&self, state: &State, follower: ServerId) {
        let end = state.log.base();
        let args = InstallSnapshotArgs {
            term: state.current_term,
            leader_id: state.me,
            last_included_index: end.index,
            last_included_term: end.term,
            data: state.snapshot.clone(),
        };
        let raft = self.clone();
        thread::go(move || {
            let asked = args.term;
            let peer = &raft.shared.peers[follower.slot()];
            let Ok(reply) = block_on(peer.install_snapshot(labrpc::context(), args)) else {
                return;
            };
            if let Some(mut state) = raft.still_leads(asked, reply.term) {
                raft.on_match(&mut state, follower, end.index, true);
            }
        });
    }

    /// The state, if we still lead in term `asked` and the reply, of `term`, is of the same term.
    fn still_leads(&self, asked: Term, term: Term) -> Option<MutexGuard<'_, State>> {
        let mut state = self.live()?;
        state.observe_term(term);
        let leads = state.flush() && state.role == Role::Leader;
        (leads && asked == state.current_term && term == asked).then_some(state)
    }

    /// Notes that a follower has our log up to `index`. `more`: its request did not have the rest.
    fn on_match(&self, state: &mut State, follower: ServerId, index: Index, more: bool) {
        if !state.acknowledge(follower, index) {
            return;
        }
        if state.advance_commit() {
            self.wake_applier(state);
        }
        // A follower that lags need not wait for the next heartbeat.
        if more && index < state.log.last().index {
            self.replicate(state, follower);
        }
    }

    pub fn wake_applier(&self, state: &State) {
        if state.last_applied < state.commit_index {
            self.shared.applicable.notify_one();
        }
    }

    /// Sends the service the committed entries, in order. No other task does.
    fn apply(&self) {
        loop {
            let mut state = self.lock();
            while !state.killed && state.last_applied >= state.commit_index {
                self.shared.applicable.wait(&mut state);
            }
            if state.killed {
                return;
            }
            let messages = take_committed(&mut state);
            // The service may call `snapshot` before it takes the next message: hold no lock.
            drop(state);
            for message in messages {
                if !self.deliver(message) {
                    return;
                }
            }
        }
    }

    /// Delivers the message; returns whether the service took it.
    fn deliver(&self, mut message: ApplyMsg) -> bool {
        loop {
            match self.shared.apply_ch.send_timeout(message, APPLY_PATIENCE) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(back)) => message = back,
            }
            if self.live().is_none() {
                return false;
            }
        }
    }
}

/// Takes the committed entries that the service lacks, after a snapshot if the log lacks some.
fn take_committed(state: &mut State) -> Vec<ApplyMsg> {
    let mut messages = Vec::new();
    let base = state.log.base();
    if state.last_applied < base.index {
        messages.push(ApplyMsg::Snapshot { last_included: base, data: state.snapshot.clone() });
        state.last_applied = base.index;
    }
    let count = (state.commit_index.0 - state.last_applied.0) as usize;
    let entries = state.log.slice(state.last_applied.next(), count).iter().cloned();
    messages.extend(entries.map(|entry| ApplyMsg::Command {
        index: entry.index,
        term: entry.term,
        command: entry.data,
    }));
    state.last_applied = state.commit_index;
    messages
}

impl Consensus for Raft {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        let mut state = self.lock();
        if !state.leadership().is_leader {
            return Err(state.not_leader());
        }
        let index = state.push(command);
        if !state.flush() {
            return Err(state.not_leader());
        }
        // In a cluster of one, the server is the majority.
        if state.advance_commit() {
            self.wake_applier(&state);
        }
        Ok(Started { term: state.current_term, index })
    }

    fn get_state(&self) -> Leadership {
        self.lock().leadership()
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        let Some(mut state) = self.live() else { return };
        // An older snapshot is of no use, and no service has state that was never applied.
        if index <= state.log.base().index || index > state.last_applied {
            return;
        }
        let term = state.log.term(index).expect("applied entries are in the log");
        state.save_snapshot(Position { term, index }, data);
        // A server whose storage fails here is dead, and refuses everything from now on.
        let _ = state.flush();
    }

    fn kill(&self) {
        self.lock().killed = true;
        self.shared.applicable.notify_all();
    }
}
