//! The state that the one lock guards, and the rules of Figure 2 that need nothing else.

use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, RequestVoteArgs,
};
use raftlab::api::{Bytes, Index, Leadership, NotLeader, Position, ServerId, Term, quorum_size};
use raftlab::persister::{PersistError, Persister};
use raftlab::runtime::rand::{self, Chance};
use raftlab::runtime::time::Instant;

use crate::log::Log;

/// The shortest election timeout, in milliseconds: longer than a few lost heartbeats.
const TIMEOUT_MIN: u64 = 350;

/// The range above the shortest timeout, in milliseconds; wide, so that few votes split (§5.2).
const TIMEOUT_SPREAD: u64 = 350;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Follower,
    Candidate,
    Leader,
}

pub struct State {
    pub me: ServerId,
    /// Persistent state (Figure 2); every change is written at once, and durable after `flush`.
    pub current_term: Term,
    pub voted_for: Option<ServerId>,
    pub log: Log,
    /// The service's state up to the log's base; empty without a snapshot.
    pub snapshot: Bytes,
    /// Volatile state (Figure 2). `last_applied` is the last entry that the applier took to send.
    pub commit_index: Index,
    pub last_applied: Index,
    /// Volatile state on leaders (Figure 2), a slot per server; our own is unused.
    pub next_index: Vec<Index>,
    pub match_index: Vec<Index>,
    pub role: Role,
    pub leader: Option<ServerId>,
    /// A candidate's votes. It asks each voter once in a term, so a count is enough.
    pub votes: usize,
    /// Whether a leader has entries that it has sent to no follower yet.
    pub unsent: bool,
    /// When a leader sends its next heartbeat, and when any other server starts an election.
    pub deadline: Instant,
    /// Set for good by `kill`, and when the storage fails.
    pub killed: bool,
    unsynced: bool,
    persister: Persister,
    chance: Chance,
}

impl State {
    /// Loads the state of a server that starts from `persister`.
    pub fn load(me: ServerId, servers: usize, persister: Persister) -> Result<State, PersistError> {
        let stored = persister.load()?;
        let base = stored.last_included;
        let mut state = State {
            me,
            current_term: stored.current_term,
            voted_for: stored.voted_for,
            log: Log::new(base, stored.entries),
            snapshot: stored.snapshot.unwrap_or_default(),
            // A snapshot holds only what was applied, and its service starts from it.
            commit_index: base.index,
            last_applied: base.index,
            next_index: vec![Index(1); servers],
            match_index: vec![Index(0); servers],
            role: Role::Follower,
            leader: None,
            votes: 0,
            unsent: false,
            deadline: Instant::now(),
            killed: false,
            unsynced: false,
            persister,
            chance: rand::stream(&format!("election timeouts of {me}")),
        };
        state.reset_timer();
        Ok(state)
    }

    pub fn leadership(&self) -> Leadership {
        let is_leader = self.role == Role::Leader && !self.killed;
        Leadership { term: self.current_term, is_leader }
    }

    pub fn not_leader(&self) -> NotLeader {
        NotLeader { term: self.current_term, leader_hint: self.leader }
    }

    /// Makes all changes durable. `false`: the server is dead and must send nothing any more.
    ///
    /// Callers do it before they release the lock, so no other task and no other server ever sees
    /// a change that a crash could undo.
    #[must_use]
    pub fn flush(&mut self) -> bool {
        if self.unsynced && self.persister.sync().is_err() {
            self.killed = true;
        }
        self.unsynced = false;
        !self.killed
    }

    pub fn reset_timer(&mut self) {
        let span = TIMEOUT_MIN + self.chance.below(TIMEOUT_SPREAD);
        self.deadline = Instant::now() + Duration::from_millis(span);
    }

    fn set_vote(&mut self, term: Term, voted_for: Option<ServerId>) {
        (self.current_term, self.voted_for) = (term, voted_for);
        self.persister.save_vote(term, voted_for);
        self.unsynced = true;
    }

    /// "If RPC request or response contains term T > currentTerm" (Figure 2, all servers).
    pub fn observe_term(&mut self, term: Term) {
        if term <= self.current_term {
            return;
        }
        if self.role == Role::Leader {
            // A leader's deadline is that of its next heartbeat.
            self.reset_timer();
        }
        self.role = Role::Follower;
        self.leader = None;
        self.set_vote(term, None);
    }

    /// Notes a message of a leader of `term`; returns whether it is the leader that we follow.
    fn hear_leader(&mut self, leader: ServerId, term: Term) -> bool {
        self.observe_term(term);
        if term < self.current_term {
            return false;
        }
        self.role = Role::Follower;
        self.leader = Some(leader);
        self.reset_timer();
        true
    }

    /// Enters a new term and votes for ourselves in it (§5.2).
    pub fn become_candidate(&mut self) {
        self.set_vote(self.current_term.next(), Some(self.me));
        self.role = Role::Candidate;
        self.leader = None;
        self.votes = 1;
        self.reset_timer();
    }

    /// Becomes leader if a majority has voted for us; returns whether it did.
    pub fn become_leader(&mut self) -> bool {
        if self.role != Role::Candidate || self.votes < quorum_size(self.next_index.len()) {
            return false;
        }
        self.role = Role::Leader;
        self.leader = Some(self.me);
        self.next_index.fill(self.log.last().index.next());
        self.match_index.fill(Index(0));
        true
    }

    /// RequestVote, receiver (Figure 2). Returns whether we vote for the candidate.
    pub fn grant_vote(&mut self, args: &RequestVoteArgs) -> bool {
        self.observe_term(args.term);
        let free = self.voted_for.is_none_or(|candidate| candidate == args.candidate_id);
        // Voters with a more up-to-date log keep their vote (§5.4.1).
        if args.term < self.current_term || !free || args.last_log() < self.log.last() {
            return false;
        }
        if self.voted_for.is_none() {
            self.set_vote(args.term, Some(args.candidate_id));
        }
        self.reset_timer();
        true
    }

    /// AppendEntries, receiver (Figure 2).
    pub fn append(&mut self, args: AppendEntriesArgs) -> AppendEntriesReply {
        let follows = self.hear_leader(args.leader_id, args.term);
        let reply =
            |success, conflict| AppendEntriesReply { term: self.current_term, success, conflict };
        if !follows {
            return reply(false, None);
        }
        if let Some(index) = self.log.missing(args.prev_log()) {
            // Our leaders read only the index.
            return reply(false, Some(Conflict { term: None, index }));
        }
        let reply = reply(true, None);
        // Beyond the last new entry our log may still differ from the leader's (step 5).
        let known = args.leader_commit.min(args.last_new_index());
        let new = self.log.merge(args.entries);
        if !new.is_empty() {
            self.persister.append(new);
            self.unsynced = true;
        }
        self.commit_index = self.commit_index.max(known);
        reply
    }

    /// InstallSnapshot, receiver (Figure 13).
    pub fn install(&mut self, args: InstallSnapshotArgs) {
        let follows = self.hear_leader(args.leader_id, args.term);
        // A snapshot of entries that are committed here is not needed: the applier will reach them.
        if follows && args.last_included_index > self.commit_index {
            self.commit_index = args.last_included_index;
            self.save_snapshot(args.last_included(), args.data);
        }
    }

    pub fn save_snapshot(&mut self, end: Position, data: Bytes) {
        self.persister.save_snapshot(end, data.clone());
        self.log.cover(end);
        self.snapshot = data;
        self.unsynced = true;
    }

    /// Appends a command to the leader's log (§5.3); returns its index.
    pub fn push(&mut self, command: Bytes) -> Index {
        let entry = self.log.push(self.current_term, command);
        self.persister.append(std::slice::from_ref(entry));
        self.unsynced = true;
        self.unsent = true;
        self.log.last().index
    }

    /// Notes that a follower has our log up to `index`; returns whether that is news.
    pub fn acknowledge(&mut self, follower: ServerId, index: Index) -> bool {
        let known = &mut self.match_index[follower.slot()];
        if index <= *known {
            return false;
        }
        *known = index;
        let next = &mut self.next_index[follower.slot()];
        *next = index.next().max(*next);
        true
    }

    /// Notes that a follower refused the entries after `prev` and asks for those from `hint` on.
    /// Returns whether that is news: a reply to an older request is not.
    pub fn back_up(&mut self, follower: ServerId, prev: Index, hint: Option<Index>) -> bool {
        let known = self.match_index[follower.slot()];
        let next = &mut self.next_index[follower.slot()];
        if *next != prev.next() || prev <= known {
            return false;
        }
        // At least one entry back, as in the paper, or the retries might never get anywhere.
        *next = hint.unwrap_or(prev).min(prev).max(known.next());
        true
    }

    /// The last rule for leaders in Figure 2: commits the entries that a majority has, if the last
    /// of them is of our term (§5.4.2). Returns whether there were any.
    pub fn advance_commit(&mut self) -> bool {
        let mut have = self.match_index.clone();
        have[self.me.slot()] = self.log.last().index;
        have.sort_unstable_by(|a, b| b.cmp(a));
        let index = have[quorum_size(have.len()) - 1];
        if index <= self.commit_index || self.log.term(index) != Some(self.current_term) {
            return false;
        }
        self.commit_index = index;
        true
    }
}
