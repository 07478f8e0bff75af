//! A Raft that elects a leader and does nothing else yet: part 2A of the lab.
//!
//! It has one lock, one task that looks at the clock, and a short task for each call to a peer. It
//! has no log and stores nothing, so its log always ends at 0/0 and it forgets its vote in a crash.
//! Parts 2B and 2C are left for you.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Context, InstallSnapshotArgs, InstallSnapshotReply,
    RaftRpc, RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{
    Bytes, Consensus, Index, Leadership, NotLeader, ServerId, Started, Term, quorum_size,
};
use raftlab::lab::RaftPeer;
use raftlab::labrpc;
use raftlab::runtime::rand::{self, Chance};
use raftlab::runtime::sync::Mutex;
use raftlab::runtime::time::Instant;
use raftlab::runtime::{block_on, thread};

/// How often the ticker task looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// The interval between the heartbeats of a leader.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);

/// The shortest time without a leader after which a server starts an election, in milliseconds.
const ELECTION_TIMEOUT_MIN: u64 = 400;

/// The random part that is added to it, less than this many milliseconds.
const ELECTION_TIMEOUT_SPREAD: u64 = 400;

/// One server. A clone is another handle to the same one.
#[derive(Clone)]
pub struct Raft {
    shared: Arc<Shared>,
}

/// The data that the tasks of a server share.
struct Shared {
    me: ServerId,
    peers: Vec<RaftPeer>,
    state: Mutex<State>,
    stopped: AtomicBool,
}

enum Role {
    Follower,
    Candidate { votes: BTreeSet<ServerId> },
    Leader { next_heartbeat: Instant },
}

struct State {
    current_term: Term,
    voted_for: Option<ServerId>,
    leader_id: Option<ServerId>,
    role: Role,
    /// When to start an election, unless a leader is heard before.
    deadline: Instant,
    chance: Chance,
}

impl State {
    fn reset_timer(&mut self) {
        let span = ELECTION_TIMEOUT_MIN + self.chance.below(ELECTION_TIMEOUT_SPREAD);
        self.deadline = Instant::now() + Duration::from_millis(span);
    }

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
    /// follower" (Figure 2).
    fn observe_term(&mut self, term: Term) {
        if term > self.current_term {
            self.current_term = term;
            self.voted_for = None;
            self.leader_id = None;
            self.role = Role::Follower;
        }
    }

    /// Follows `leader`, which sent a message of `term`, unless that term is over.
    fn hear_leader(&mut self, leader: ServerId, term: Term) {
        self.observe_term(term);
        if term == self.current_term {
            self.leader_id = Some(leader);
            self.role = Role::Follower;
            self.reset_timer();
        }
    }
}

impl Raft {
    /// Starts server `me`; `peers` has one slot per server, of which our own is unused.
    pub fn make(peers: Vec<RaftPeer>, me: ServerId) -> Raft {
        let mut state = State {
            current_term: Term(0),
            voted_for: None,
            leader_id: None,
            role: Role::Follower,
            deadline: Instant::now(),
            // Each server needs a name of its own: the same name gives the same stream.
            chance: rand::stream(&format!("election timeouts of {me}")),
        };
        state.reset_timer();
        let stopped = AtomicBool::new(false);
        let raft =
            Raft { shared: Arc::new(Shared { me, peers, state: Mutex::new(state), stopped }) };
        let ticker = raft.clone();
        thread::spawn("ticker", move || ticker.run());
        raft
    }

    fn stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    fn others(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.shared.me;
        (0..self.shared.peers.len()).map(ServerId::from_slot).filter(move |peer| *peer != me)
    }

    /// Looks at the clock until the server is killed.
    fn run(&self) {
        while !self.stopped() {
            thread::sleep(TICK);
            let mut state = self.shared.state.lock();
            let now = Instant::now();
            let due = match &state.role {
                Role::Leader { next_heartbeat } => *next_heartbeat,
                Role::Follower | Role::Candidate { .. } => state.deadline,
            };
            if now < due {
                continue;
            }
            match &mut state.role {
                Role::Leader { next_heartbeat } => {
                    *next_heartbeat = now + HEARTBEAT_INTERVAL;
                    self.send_heartbeats(state.current_term);
                }
                Role::Follower | Role::Candidate { .. } => self.stand(&mut state),
            }
        }
    }

    /// Starts an election in a new term (Raft §5.2).
    fn stand(&self, state: &mut State) {
        state.current_term = state.current_term.next();
        state.voted_for = Some(self.shared.me);
        state.leader_id = None;
        state.role = Role::Candidate { votes: BTreeSet::from([self.shared.me]) };
        state.reset_timer();
        let args = RequestVoteArgs {
            term: state.current_term,
            candidate_id: self.shared.me,
            last_log_index: Index(0),
            last_log_term: Term(0),
        };
        for voter in self.others() {
            let (raft, args) = (self.clone(), args.clone());
            // A task of its own for each call: a call to a dead peer takes seconds to fail.
            thread::go(move || {
                let asked = args.term;
                let peer = &raft.shared.peers[voter.slot()];
                if let Ok(reply) = block_on(peer.request_vote(labrpc::context(), args)) {
                    raft.on_vote(voter, asked, &reply);
                }
            });
        }
    }

    /// Counts a vote, if the election that asked for it is not over.
    fn on_vote(&self, voter: ServerId, asked: Term, reply: &RequestVoteReply) {
        let mut state = self.shared.state.lock();
        state.observe_term(reply.term);
        if asked != state.current_term || !reply.vote_granted || self.stopped() {
            return;
        }
        let Role::Candidate { votes } = &mut state.role else { return };
        votes.insert(voter);
        if votes.len() >= quorum_size(self.shared.peers.len()) {
            let next_heartbeat = Instant::now() + HEARTBEAT_INTERVAL;
            state.role = Role::Leader { next_heartbeat };
            state.leader_id = Some(self.shared.me);
            self.send_heartbeats(state.current_term);
        }
    }

    fn send_heartbeats(&self, term: Term) {
        let args = AppendEntriesArgs {
            term,
            leader_id: self.shared.me,
            prev_log_index: Index(0),
            prev_log_term: Term(0),
            entries: Vec::new(),
            leader_commit: Index(0),
        };
        for follower in self.others() {
            let (raft, args) = (self.clone(), args.clone());
            thread::go(move || {
                let peer = &raft.shared.peers[follower.slot()];
                if let Ok(reply) = block_on(peer.append_entries(labrpc::context(), args)) {
                    raft.shared.state.lock().observe_term(reply.term);
                }
            });
        }
    }
}

impl RaftRpc for Raft {
    async fn request_vote(self, _: Context, args: RequestVoteArgs) -> RequestVoteReply {
        let mut state = self.shared.state.lock();
        state.observe_term(args.term);
        let free = state.voted_for.is_none_or(|candidate| candidate == args.candidate_id);
        let vote_granted = args.term == state.current_term && free;
        if vote_granted {
            state.voted_for = Some(args.candidate_id);
            state.reset_timer();
        }
        RequestVoteReply { term: state.current_term, vote_granted }
    }

    async fn append_entries(self, _: Context, args: AppendEntriesArgs) -> AppendEntriesReply {
        let mut state = self.shared.state.lock();
        state.hear_leader(args.leader_id, args.term);
        // There is no log yet: only a heartbeat whose previous entry is 0/0 matches it.
        let success = args.term == state.current_term
            && args.prev_log_index == Index(0)
            && args.entries.is_empty();
        AppendEntriesReply { term: state.current_term, success, conflict: None }
    }

    async fn install_snapshot(self, _: Context, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        let mut state = self.shared.state.lock();
        state.hear_leader(args.leader_id, args.term);
        InstallSnapshotReply { term: state.current_term }
    }
}

impl Consensus for Raft {
    fn start(&self, _: Bytes) -> Result<Started, NotLeader> {
        // Part 2B: a leader appends the command to its log.
        let state = self.shared.state.lock();
        Err(NotLeader { term: state.current_term, leader_hint: state.leader_id })
    }

    fn get_state(&self) -> Leadership {
        let state = self.shared.state.lock();
        let is_leader = matches!(state.role, Role::Leader { .. });
        Leadership { term: state.current_term, is_leader }
    }

    fn snapshot(&self, _: Index, _: Bytes) {
        // Part 2D.
    }

    fn kill(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
    }
}
