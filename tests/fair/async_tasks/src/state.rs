//! The state of a server and the rules of Figures 2 and 13. It knows no task and no network.

use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, InstallSnapshotReply,
    RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{
    ApplyMsg, Bytes, Entry, Index, NotLeader, Position, ServerId, Started, Term, quorum_size,
};
use raftlab::persister::{PersistError, Persister};
use raftlab::runtime::rand::{self, Chance};
use raftlab::runtime::time::Instant;

use crate::log::Log;

/// A leader sends to each follower at least this often.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// The shortest election timeout, in milliseconds; all are below twice as much (§5.2).
const ELECTION_TIMEOUT: u64 = 400;

/// Maximum number of entries in one message; a follower that was away gets several.
const BATCH: usize = 200;

/// Maximum number of calls in flight to one follower; heartbeats are sent beyond that.
const WINDOW: usize = 8;

pub enum Role {
    Follower,
    Candidate { votes: usize },
    Leader { followers: Vec<Progress> },
}

/// A leader's knowledge of a follower: nextIndex and matchIndex, and how to send.
pub struct Progress {
    next: Index,
    matched: Index,
    /// The leader does not know up to where the logs agree: it sends one message at a time, and
    /// `next` stays until a reply comes. Otherwise `next` runs ahead, and a lost message shows when
    /// the next one is refused.
    probing: bool,
    /// When to send the next message, even without new entries.
    beat: Instant,
}

/// The next action of a follower's task.
pub enum Todo {
    /// This server does not lead.
    Rest,
    /// Send nothing for this long.
    Wait(Duration),
    Append(AppendEntriesArgs),
    Install(InstallSnapshotArgs),
}

/// A follower's reply, and the facts of the request by which it is judged.
pub struct Answer {
    /// Term of the request.
    pub asked: Term,
    /// Term of the reply.
    pub term: Term,
    /// The last entry that the follower has of the leader's log; or the entry before the new ones,
    /// which it refused, and its conflict.
    pub agrees: Result<Index, (Index, Option<Conflict>)>,
}

/// The parts of the state that other tasks wait on.
#[derive(PartialEq, Eq)]
pub struct Glance {
    pub term: Term,
    pub leads: bool,
    pub stands: bool,
    pub last: Position,
    pub commit: Index,
    pub base: Position,
}

pub struct State {
    me: ServerId,
    servers: usize,
    persister: Persister,
    /// Whether something was written that is not durable yet.
    unsynced: bool,
    pub current_term: Term,
    voted_for: Option<ServerId>,
    pub leader: Option<ServerId>,
    pub role: Role,
    log: Log,
    /// The service's state at the base of the log.
    snapshot: Bytes,
    commit: Index,
    /// When to stand for election, unless a leader's message comes before.
    pub deadline: Instant,
    chance: Chance,
}

impl State {
    pub fn load(me: ServerId, servers: usize, persister: Persister) -> Result<State, PersistError> {
        let stored = persister.load()?;
        let mut state = State {
            me,
            servers,
            persister,
            unsynced: false,
            current_term: stored.current_term,
            voted_for: stored.voted_for,
            leader: None,
            role: Role::Follower,
            log: Log::new(stored.last_included, stored.entries),
            snapshot: stored.snapshot.unwrap_or_default(),
            // A snapshot covers only committed entries (§7).
            commit: stored.last_included.index,
            deadline: Instant::now(),
            chance: rand::stream(&format!("election timeouts of {me}")),
        };
        state.reset_timer();
        Ok(state)
    }

    /// Makes all writes durable, if there were any.
    pub fn sync(&mut self) -> Result<(), PersistError> {
        if std::mem::take(&mut self.unsynced) { self.persister.sync() } else { Ok(()) }
    }

    pub fn glance(&self) -> Glance {
        Glance {
            term: self.current_term,
            leads: matches!(self.role, Role::Leader { .. }),
            stands: matches!(self.role, Role::Candidate { .. }),
            last: self.log.last(),
            commit: self.commit,
            base: self.log.base(),
        }
    }

    fn reset_timer(&mut self) {
        let span = ELECTION_TIMEOUT + self.chance.below(ELECTION_TIMEOUT);
        self.deadline = Instant::now() + Duration::from_millis(span);
    }

    fn enter(&mut self, term: Term, voted_for: Option<ServerId>) {
        (self.current_term, self.voted_for) = (term, voted_for);
        self.persister.save_vote(term, voted_for);
        self.unsynced = true;
    }

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
    /// follower" (Figure 2, all servers).
    fn observe(&mut self, term: Term) {
        if term > self.current_term {
            if matches!(self.role, Role::Leader { .. }) {
                // A leader's own timer has long run out.
                self.reset_timer();
            }
            self.enter(term, None);
            self.leader = None;
            self.role = Role::Follower;
        }
    }

    /// Follows a leader of `term` if that is the current term; returns whether it is (§5.2).
    fn follow(&mut self, leader: ServerId, term: Term) -> bool {
        self.observe(term);
        let current = term == self.current_term;
        if current {
            self.role = Role::Follower;
            self.leader = Some(leader);
            self.reset_timer();
        }
        current
    }

    /// Starts an election if it is time for one (§5.2).
    pub fn stand(&mut self) -> Option<RequestVoteArgs> {
        if matches!(self.role, Role::Leader { .. }) || Instant::now() < self.deadline {
            return None;
        }
        self.enter(self.current_term.next(), Some(self.me));
        self.leader = None;
        self.role = Role::Candidate { votes: 0 };
        self.reset_timer();
        let (term, last) = (self.current_term, self.log.last());
        self.count_vote(term, &RequestVoteReply { term, vote_granted: true });
        Some(RequestVoteArgs {
            term,
            candidate_id: self.me,
            last_log_index: last.index,
            last_log_term: last.term,
        })
    }

    /// Counts one voter's reply in the election of term `asked`; each voter's comes once.
    pub fn count_vote(&mut self, asked: Term, reply: &RequestVoteReply) {
        self.observe(reply.term);
        if asked != self.current_term || !reply.vote_granted {
            return;
        }
        let Role::Candidate { votes } = &mut self.role else { return };
        *votes += 1;
        if *votes >= quorum_size(self.servers) {
            let next = self.log.last().index.next();
            let beat = Instant::now();
            let follower = |_| Progress { next, matched: Index(0), probing: true, beat };
            self.role = Role::Leader { followers: (0..self.servers).map(follower).collect() };
            self.leader = Some(self.me);
        }
    }

    /// Figure 2, RequestVote RPC, receiver.
    pub fn vote(&mut self, args: &RequestVoteArgs) -> RequestVoteReply {
        self.observe(args.term);
        let free = self.voted_for.is_none_or(|candidate| candidate == args.candidate_id);
        // §5.4.1: the candidate's log is at least as up-to-date as ours.
        let vote_granted =
            args.term == self.current_term && free && args.last_log() >= self.log.last();
        if vote_granted {
            if self.voted_for.is_none() {
                self.enter(args.term, Some(args.candidate_id));
            }
            self.reset_timer();
        }
        RequestVoteReply { term: self.current_term, vote_granted }
    }

    /// Figure 2, AppendEntries RPC, receiver.
    pub fn append(&mut self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        let current = self.follow(args.leader_id, args.term);
        let conflict = if current { self.log.conflict_at(args.prev_log()) } else { None };
        let success = current && conflict.is_none();
        if success {
            let fresh = self.log.merge(&args.entries);
            self.unsynced |= !fresh.is_empty();
            self.persister.append(fresh);
            // Beyond the last new entry, our log may differ from the leader's.
            self.commit = self.commit.max(args.leader_commit.min(args.last_new_index()));
        }
        AppendEntriesReply { term: self.current_term, success, conflict }
    }

    /// Figure 13, receiver. The applying task passes the snapshot on to the service.
    pub fn install(&mut self, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        if self.follow(args.leader_id, args.term) {
            self.compact(args.last_included(), args.data);
        }
        InstallSnapshotReply { term: self.current_term }
    }

    /// Saves a snapshot that the service has taken up to `index` (§7).
    pub fn snapshot_taken(&mut self, index: Index, data: Bytes) {
        if let Some(term) = self.log.term_at(index) {
            self.compact(Position { term, index }, data);
        }
    }

    /// Replaces the beginning of the log by a snapshot, unless the log begins with a later one.
    fn compact(&mut self, base: Position, data: Bytes) {
        if base.index > self.log.base().index {
            self.log.rebase(base);
            self.persister.save_snapshot(base, data.clone());
            self.unsynced = true;
            self.snapshot = data;
            self.commit = self.commit.max(base.index);
        }
    }

    /// "If command received from client: append entry to local log" (Figure 2, leaders).
    pub fn start(&mut self, command: Bytes) -> Result<Started, NotLeader> {
        let term = self.current_term;
        if !matches!(self.role, Role::Leader { .. }) {
            return Err(NotLeader { term, leader_hint: self.leader });
        }
        let entry = Entry { term, index: self.log.last().index.next(), data: command };
        let index = entry.index;
        self.persister.append(std::slice::from_ref(&entry));
        self.unsynced = true;
        self.log.push(entry);
        self.advance_commit();
        Ok(Started { term, index })
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and
    /// log[N].term == currentTerm: set commitIndex = N" (Figure 2; §5.4.2). Our own log counts:
    /// it is durable before any other task can see the new commit index.
    fn advance_commit(&mut self) {
        let Role::Leader { followers } = &mut self.role else { return };
        followers[self.me.slot()].matched = self.log.last().index;
        let mut matched: Vec<Index> = followers.iter().map(|follower| follower.matched).collect();
        matched.sort_unstable();
        let index = matched[self.servers - quorum_size(self.servers)];
        if index > self.commit && self.log.term_at(index) == Some(self.current_term) {
            self.commit = index;
        }
    }

    /// Decides what to send to `peer` now; `calls` calls to it are in flight (Figure 2, leaders).
    pub fn todo(&mut self, peer: ServerId, calls: usize) -> Todo {
        let Role::Leader { followers } = &mut self.role else { return Todo::Rest };
        let follower = &mut followers[peer.slot()];
        let now = Instant::now();
        let news = !follower.probing && calls < WINDOW && follower.next <= self.log.last().index;
        if !news && now < follower.beat {
            return Todo::Wait(follower.beat - now);
        }
        follower.beat = now + HEARTBEAT;
        let (term, leader_id) = (self.current_term, self.me);
        let prev_log_index = follower.next.prev();
        let Some(prev_log_term) = self.log.term_at(prev_log_index) else {
            // §7: the entries that the follower lacks are gone. The heartbeats name the snapshot's
            // end as their previous entry: if it is lost, they are refused, and it is sent again.
            let base = self.log.base();
            follower.next = base.index.next();
            follower.probing = true;
            let (last_included_index, last_included_term) = (base.index, base.term);
            let data = self.snapshot.clone();
            return Todo::Install(InstallSnapshotArgs {
                term,
                leader_id,
                last_included_index,
                last_included_term,
                data,
            });
        };
        let entries = self.log.copy(follower.next, BATCH);
        if !follower.probing {
            follower.next = follower.next.plus(entries.len());
        }
        let leader_commit = self.commit;
        Todo::Append(AppendEntriesArgs {
            term,
            leader_id,
            prev_log_index,
            prev_log_term,
            entries,
            leader_commit,
        })
    }

    /// Handles a reply of `peer`, which may be late, or answer a request of another term.
    pub fn take_answer(&mut self, peer: ServerId, answer: &Answer) {
        self.observe(answer.term);
        if answer.asked != self.current_term || answer.term != self.current_term {
            return;
        }
        let Role::Leader { followers } = &mut self.role else { return };
        let follower = &mut followers[peer.slot()];
        match answer.agrees {
            Ok(index) => {
                follower.probing = false;
                follower.matched = follower.matched.max(index);
                follower.next = follower.next.max(follower.matched.next());
                self.advance_commit();
            }
            // A refusal at or before the known match is old, and so is a refusal of a message
            // other than the last probe.
            Err((prev, conflict)) => {
                let old =
                    prev <= follower.matched || follower.probing && prev != follower.next.prev();
                if !old {
                    let next = self.log.next_after_refusal(prev, conflict);
                    follower.next = next.max(follower.matched.next());
                    follower.probing = true;
                    follower.beat = Instant::now();
                }
            }
        }
    }

    /// The next messages for the service, which has all entries up to `applied`: a snapshot if one
    /// is ahead of it, otherwise the next few committed commands.
    pub fn to_apply(&self, applied: Index) -> Vec<ApplyMsg> {
        let last_included = self.log.base();
        if last_included.index > applied {
            return vec![ApplyMsg::Snapshot { last_included, data: self.snapshot.clone() }];
        }
        let count = (self.commit.0 - applied.0).min(BATCH as u64) as usize;
        let entries = self.log.copy(applied.next(), count).into_iter();
        entries
            .map(|Entry { term, index, data }| ApplyMsg::Command { index, term, command: data })
            .collect()
    }
}
