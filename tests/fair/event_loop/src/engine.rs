//! The loop: it handles one event after the other, each as a step of Figure 2 or Figure 13.
//!
//! A step changes the state and collects its messages: `calls` to peers, `applies` for the service,
//! and an answer to the caller. None of them leaves before [`Engine::settle`] has synced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use raftlab::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, Conflict, InstallSnapshotArgs, InstallSnapshotReply,
    RequestVoteArgs, RequestVoteReply,
};
use raftlab::api::{ApplyMsg, Bytes, Entry, Index, Leadership, NotLeader, Position, ServerId};
use raftlab::api::{Started, Term, quorum_size};
use raftlab::lab::RaftPeer;
use raftlab::labrpc;
use raftlab::persister::PersistError;
use raftlab::runtime::channel::{Receiver, RecvTimeoutError, Sender};
use raftlab::runtime::rand::{self, Chance};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{block_on, thread};

use crate::raft::{Event, Outside, Sent};
use crate::stable::Stable;

/// A leader sends at least this often, and repeats the messages that got no reply.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// The shortest election timeout; the longest is twice as long (§5.2).
const ELECTION_MS: u64 = 400;

enum Role {
    Follower,
    Candidate { votes: BTreeSet<ServerId> },
    Leader { progress: Vec<Progress> },
}

/// "Volatile state on leaders" (Figure 2), for one follower.
#[derive(Clone)]
struct Progress {
    /// nextIndex: a guess, until something matches.
    next: Index,
    /// matchIndex: the last entry that the follower certainly has.
    matched: Index,
    /// Entries or a snapshot are in flight: send no more before a reply or a heartbeat.
    busy: bool,
}

enum Request {
    Vote(RequestVoteArgs),
    Append(AppendEntriesArgs),
    Install(InstallSnapshotArgs),
}

pub struct Engine {
    me: ServerId,
    peers: Arc<[RaftPeer]>,
    stable: Stable,
    role: Role,
    /// The leader of the current term, once it is known.
    leader: Option<ServerId>,
    /// commitIndex. A committed entry goes to the applier in the same step, so this is lastApplied
    /// too (Figure 2).
    commit: Index,
    /// When to act without an event: a leader's next heartbeat, another server's next election.
    due: Instant,
    chance: Chance,
    /// Our own inbox, for the replies of peers.
    inbox: Sender<Event>,
    applier: Sender<ApplyMsg>,
    outside: Arc<Outside>,
    calls: Vec<(ServerId, Request)>,
    applies: Vec<ApplyMsg>,
}

impl Engine {
    pub fn new(
        me: ServerId,
        peers: Vec<RaftPeer>,
        stable: Stable,
        inbox: Sender<Event>,
        applier: Sender<ApplyMsg>,
        outside: Arc<Outside>,
    ) -> Engine {
        // A stream's numbers follow from its name, so no two servers or lives should share a name.
        let chance = rand::stream(&format!("event loop {me} from {}", stable.term()));
        let mut engine = Engine {
            me,
            peers: peers.into(),
            // A snapshot covers only committed entries.
            commit: stable.base().index,
            stable,
            role: Role::Follower,
            leader: None,
            due: Instant::now(),
            chance,
            inbox,
            applier,
            outside,
            calls: Vec::new(),
            applies: Vec::new(),
        };
        engine.reset_timer();
        engine
    }

    /// Runs until the server is killed or its storage fails.
    pub fn run(&mut self, events: &Receiver<Event>) {
        while !self.outside.stopped() {
            let step = match events.recv_deadline(self.due) {
                Ok(event) => self.handle(event),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // After every event too: a full inbox must not keep a leader silent.
            if step.and_then(|()| self.look_at_the_clock()).is_err() {
                break;
            }
        }
        self.outside.stop();
    }

    fn handle(&mut self, event: Event) -> Result<(), PersistError> {
        match event {
            Event::RequestVote(args, reply) => {
                let answer = self.on_request_vote(&args);
                self.answer(&reply, answer)?;
            }
            Event::AppendEntries(args, reply) => {
                let answer = self.on_append_entries(&args);
                self.answer(&reply, answer)?;
            }
            Event::InstallSnapshot(args, reply) => {
                let answer = self.on_install_snapshot(args);
                self.answer(&reply, answer)?;
            }
            Event::Start(command, reply) => {
                let answer = self.on_start(command);
                self.answer(&reply, answer)?;
            }
            Event::GetState(reply) => {
                let is_leader = matches!(self.role, Role::Leader { .. });
                self.answer(&reply, Leadership { term: self.stable.term(), is_leader })?;
            }
            Event::Voted(from, asked, reply) => self.on_voted(from, asked, &reply),
            Event::Appended(from, sent, reply) => self.on_appended(from, &sent, &reply),
            Event::Installed(from, sent, reply) => {
                if self.is_present(sent.term, reply.term) {
                    self.on_match(from, sent.last);
                }
            }
            Event::Snapshot(index, data) => self.on_snapshot(index, data),
            Event::Wake => {}
        }
        self.settle()
    }

    /// Answers the caller that waits. If the caller is gone, the answer is dropped.
    fn answer<T>(&mut self, to: &Sender<T>, answer: T) -> Result<(), PersistError> {
        self.settle()?;
        let _ = to.send(answer);
        Ok(())
    }

    /// Ends a step: makes it durable, then sends its messages. "Updated on stable storage before
    /// responding to RPCs" (Figure 2), and before calling or applying as well: a candidate counts
    /// its own vote and a leader its own entries.
    fn settle(&mut self) -> Result<(), PersistError> {
        self.stable.sync()?;
        self.outside.show_term(self.stable.term());
        for message in self.applies.drain(..) {
            // If the applier is gone, so is its service.
            let _ = self.applier.send(message);
        }
        for (to, request) in std::mem::take(&mut self.calls) {
            self.call(to, request);
        }
        Ok(())
    }

    /// Makes a call in a task of its own: a call to a dead peer takes seconds to fail.
    fn call(&self, to: ServerId, request: Request) {
        let (peers, inbox) = (self.peers.clone(), self.inbox.clone());
        thread::go(move || {
            let (peer, context) = (&peers[to.slot()], labrpc::context());
            let event = match request {
                Request::Vote(args) => {
                    let asked = args.term;
                    let reply = block_on(peer.request_vote(context, args));
                    reply.map(|reply| Event::Voted(to, asked, reply))
                }
                Request::Append(args) => {
                    let (prev, last) = (args.prev_log_index, args.last_new_index());
                    let sent = Sent { term: args.term, prev, last };
                    let reply = block_on(peer.append_entries(context, args));
                    reply.map(|reply| Event::Appended(to, sent, reply))
                }
                Request::Install(args) => {
                    let (prev, last) = (Index(0), args.last_included_index);
                    let sent = Sent { term: args.term, prev, last };
                    let reply = block_on(peer.install_snapshot(context, args));
                    reply.map(|reply| Event::Installed(to, sent, reply))
                }
            };
            // A lost reply needs no event: the next heartbeat or election asks again.
            if let Ok(event) = event {
                let _ = inbox.send(event);
            }
        });
    }

    fn others(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.me;
        (0..self.peers.len()).map(ServerId::from_slot).filter(move |peer| *peer != me)
    }

    fn reset_timer(&mut self) {
        let span = ELECTION_MS + self.chance.below(ELECTION_MS);
        self.due = Instant::now() + Duration::from_millis(span);
    }

    fn look_at_the_clock(&mut self) -> Result<(), PersistError> {
        if Instant::now() >= self.due {
            if matches!(self.role, Role::Leader { .. }) { self.heartbeat() } else { self.stand() }
        }
        self.settle()
    }

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
    /// follower" (Figure 2).
    fn observe_term(&mut self, term: Term) {
        if term <= self.stable.term() {
            return;
        }
        self.stable.set_vote(term, None);
        self.leader = None;
        if matches!(self.role, Role::Leader { .. }) {
            // A leader's timer is that of its next heartbeat.
            self.reset_timer();
        }
        self.role = Role::Follower;
    }

    /// Learns from a reply's term. Returns whether the rest of the reply counts: it must answer a
    /// request of the current term, from a server that is in the current term.
    fn is_present(&mut self, asked: Term, answered: Term) -> bool {
        self.observe_term(answered);
        asked == self.stable.term() && answered == asked
    }

    /// Notes a call of a leader of `term`; returns whether it is the leader to follow.
    fn hear_leader(&mut self, leader: ServerId, term: Term) -> bool {
        self.observe_term(term);
        if term < self.stable.term() {
            return false;
        }
        self.role = Role::Follower;
        self.leader = Some(leader);
        self.reset_timer();
        true
    }

    // Elections (§5.2, §5.4.1).

    fn stand(&mut self) {
        self.stable.set_vote(self.stable.term().next(), Some(self.me));
        self.leader = None;
        self.role = Role::Candidate { votes: BTreeSet::from([self.me]) };
        self.reset_timer();
        let last = self.stable.last();
        for voter in self.others() {
            let args = RequestVoteArgs {
                term: self.stable.term(),
                candidate_id: self.me,
                last_log_index: last.index,
                last_log_term: last.term,
            };
            self.calls.push((voter, Request::Vote(args)));
        }
        self.lead_if_elected();
    }

    fn on_request_vote(&mut self, args: &RequestVoteArgs) -> RequestVoteReply {
        self.observe_term(args.term);
        let free = self.stable.voted_for().is_none_or(|voted| voted == args.candidate_id);
        let up_to_date = args.last_log() >= self.stable.last();
        let vote_granted = args.term == self.stable.term() && free && up_to_date;
        if vote_granted {
            self.stable.set_vote(args.term, Some(args.candidate_id));
            self.reset_timer();
        }
        RequestVoteReply { term: self.stable.term(), vote_granted }
    }

    fn on_voted(&mut self, from: ServerId, asked: Term, reply: &RequestVoteReply) {
        if !self.is_present(asked, reply.term) || !reply.vote_granted {
            return;
        }
        if let Role::Candidate { votes } = &mut self.role {
            votes.insert(from);
            self.lead_if_elected();
        }
    }

    fn lead_if_elected(&mut self) {
        let Role::Candidate { votes } = &self.role else { return };
        if votes.len() < quorum_size(self.peers.len()) {
            return;
        }
        let next = self.stable.last().index.next();
        let unknown = Progress { next, matched: Index(0), busy: false };
        self.role = Role::Leader { progress: vec![unknown; self.peers.len()] };
        self.leader = Some(self.me);
        self.heartbeat();
    }

    // A leader (§5.3).

    fn on_start(&mut self, command: Bytes) -> Result<Started, NotLeader> {
        let term = self.stable.term();
        let Role::Leader { .. } = self.role else {
            return Err(NotLeader { term, leader_hint: self.leader });
        };
        let index = self.stable.last().index.next();
        self.stable.overwrite(&[Entry { term, index, data: command }]);
        self.advance_commit();
        for follower in self.others() {
            self.send_new(follower);
        }
        Ok(Started { term, index })
    }

    fn heartbeat(&mut self) {
        self.due = Instant::now() + HEARTBEAT;
        for follower in self.others() {
            self.send(follower);
        }
    }

    /// Sends the entries that the follower lacks, unless a message is in flight.
    fn send_new(&mut self, to: ServerId) {
        let Role::Leader { progress } = &self.role else { return };
        let progress = &progress[to.slot()];
        if !progress.busy && progress.next <= self.stable.last().index {
            self.send(to);
        }
    }

    /// Sends all entries from `next` on, even if there are none; the snapshot if the log begins
    /// later (§7).
    fn send(&mut self, to: ServerId) {
        let Role::Leader { progress } = &mut self.role else { return };
        let progress = &mut progress[to.slot()];
        let (term, leader_id, leader_commit) = (self.stable.term(), self.me, self.commit);
        let prev_log_index = progress.next.prev();
        let request = if let Some(prev_log_term) = self.stable.term_at(prev_log_index) {
            let entries = self.stable.tail(progress.next);
            progress.busy = !entries.is_empty();
            Request::Append(AppendEntriesArgs {
                term,
                leader_id,
                prev_log_index,
                prev_log_term,
                entries,
                leader_commit,
            })
        } else {
            progress.busy = true;
            let (base, data) = (self.stable.base(), self.stable.snapshot());
            Request::Install(InstallSnapshotArgs {
                term,
                leader_id,
                last_included_index: base.index,
                last_included_term: base.term,
                data,
            })
        };
        self.calls.push((to, request));
    }

    fn on_appended(&mut self, from: ServerId, sent: &Sent, reply: &AppendEntriesReply) {
        if !self.is_present(sent.term, reply.term) {
            return;
        }
        if reply.success {
            return self.on_match(from, sent.last);
        }
        let Role::Leader { progress } = &mut self.role else { return };
        let progress = &mut progress[from.slot()];
        // A refusal of an earlier guess says nothing new.
        if sent.prev <= progress.matched || sent.prev.next() != progress.next {
            return;
        }
        // "The leader decrements nextIndex and retries" (§5.3): by one, without a hint.
        let hint = reply.conflict.map_or(sent.prev, |conflict| conflict.index);
        progress.next = hint.min(sent.prev).max(progress.matched.next());
        progress.busy = false;
        self.send_new(from);
    }

    /// Notes that the follower has our log up to `last`.
    fn on_match(&mut self, from: ServerId, last: Index) {
        let Role::Leader { progress } = &mut self.role else { return };
        let progress = &mut progress[from.slot()];
        // A message in flight ends after the known match, so a reply without progress belongs to
        // an older message.
        if last > progress.matched {
            *progress = Progress { next: last.next(), matched: last, busy: false };
            self.advance_commit();
            self.send_new(from);
        }
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and
    /// log[N].term == currentTerm: set commitIndex = N" (Figure 2, §5.4.2).
    fn advance_commit(&mut self) {
        let Role::Leader { progress } = &self.role else { return };
        let mut ends: Vec<Index> = progress.iter().map(|follower| follower.matched).collect();
        ends[self.me.slot()] = self.stable.last().index;
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let on_majority = ends[quorum_size(ends.len()) - 1];
        if self.stable.term_at(on_majority) == Some(self.stable.term()) {
            self.commit_up_to(on_majority);
        }
    }

    fn commit_up_to(&mut self, index: Index) {
        while self.commit < index {
            let Some(entry) = self.stable.entry(self.commit.next()) else { return };
            self.commit = entry.index;
            let Entry { term, index, data } = entry.clone();
            self.applies.push(ApplyMsg::Command { index, term, command: data });
        }
    }

    // A follower (§5.3, §7).

    fn on_append_entries(&mut self, args: &AppendEntriesArgs) -> AppendEntriesReply {
        let followed = self.hear_leader(args.leader_id, args.term);
        let term = self.stable.term();
        if !followed {
            return AppendEntriesReply { term, success: false, conflict: None };
        }
        let (prev, base) = (args.prev_log(), self.stable.base().index);
        // Our snapshot covers committed entries, so the leader has the same ones (§5.4.3).
        if prev.index >= base && self.stable.term_at(prev.index) != Some(prev.term) {
            let conflict = Some(self.conflict_at(prev.index));
            return AppendEntriesReply { term, success: false, conflict };
        }
        // Only a conflict may cut the log: a late message must not remove entries that came after.
        let mut entries = args.entries.iter();
        let new = entries.position(|entry| {
            entry.index > base && self.stable.term_at(entry.index) != Some(entry.term)
        });
        if let Some(new) = new {
            self.stable.overwrite(&args.entries[new..]);
        }
        self.commit_up_to(args.leader_commit.min(args.last_new_index()));
        AppendEntriesReply { term, success: true, conflict: None }
    }

    /// Names the index that the leader should try next, if the logs do not agree at `prev`.
    ///
    /// If our log ends before `prev`, that is the index after our last entry. Otherwise it is the
    /// index after our commit index, up to which the leader's log does agree (§5.4.3). So two
    /// refusals are enough, however many terms the logs differ in. §5.3 searches by terms instead:
    /// that sends less but may take longer, and an unreliable network delivers few replies.
    fn conflict_at(&self, prev: Index) -> Conflict {
        match self.stable.term_at(prev) {
            None => Conflict { term: None, index: self.stable.last().index.next() },
            term => Conflict { term, index: self.commit.next() },
        }
    }

    fn on_install_snapshot(&mut self, args: InstallSnapshotArgs) -> InstallSnapshotReply {
        let followed = self.hear_leader(args.leader_id, args.term);
        let last_included = args.last_included();
        // Up to our commit index we have the entries, or an earlier snapshot had them.
        if followed && last_included.index > self.commit {
            self.stable.compact(last_included, args.data.clone());
            self.commit = last_included.index;
            self.applies.push(ApplyMsg::Snapshot { last_included, data: args.data });
        }
        InstallSnapshotReply { term: self.stable.term() }
    }

    /// Saves the service's state up to `index`, unless a leader's snapshot has overtaken it.
    fn on_snapshot(&mut self, index: Index, data: Bytes) {
        if index <= self.stable.base().index || index > self.commit {
            return;
        }
        if let Some(term) = self.stable.term_at(index) {
            self.stable.compact(Position { term, index }, data);
        }
    }
}
