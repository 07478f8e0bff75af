//! The stage: S0, the puppets, and the calls with which a scenario directs them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::conduct::{Appends, Votes};
use super::follower::Follower;
use super::inbox::{Heard, Inbox, Puppet};
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RaftRpcResponse, RequestVoteArgs, RequestVoteReply,
};
use crate::api::{
    ApplyMsg, Entry, Index, Leadership, NotLeader, Position, ServerId, Started, Term,
};
use crate::lab::cluster::ApplyLog;
use crate::lab::{Cluster, RaftPeer};
use crate::labrpc::{self, Host, Service};
use crate::persister::{Persister, Unsynced};
use crate::record;
use crate::runtime::time::Instant;
use crate::runtime::{block_on, thread};

/// The real server.
pub const S0: ServerId = ServerId(0);
/// A puppet.
pub const S1: ServerId = ServerId(1);
/// A puppet.
pub const S2: ServerId = ServerId(2);
/// A puppet, where there are five servers.
pub const S3: ServerId = ServerId(3);
/// A puppet, where there are five servers.
pub const S4: ServerId = ServerId(4);

/// Maximum number of attempts. If S0 overtakes all of them, it starts elections all the time.
const ATTEMPTS_MAX: u32 = 20;

/// Distance between the terms of two exchanges. Between them, S0 raises its own term by less.
const TERM_STEP: u64 = 10;

/// Maximum time that S0 may disregard a candidate after it heard from a leader (Raft §6).
///
/// This is also the longest election timeout that leaves room for one split vote within the lab's
/// five seconds.
const DISREGARD_MAX: Duration = Duration::from_secs(2);

/// Maximum time that S0 may take for a step that needs no election. The limit can be long: only a
/// wait that fails takes that long.
const SOON: Duration = Duration::from_secs(5);

/// S0 moved to a later term on its own during an attempt, which therefore proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overtaken;

/// The position of the entry of `term` at `index`.
pub const fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// Entries of `terms`, from the index after `prev` on. The command of 4/7 is `4/7`.
pub fn entries(prev: Position, terms: &[u64]) -> Vec<Entry> {
    let mut index = prev.index;
    let entry = |term: &u64| {
        index = index.next();
        let position = Position { term: Term(*term), index };
        Entry { term: position.term, index, data: position.to_string().into() }
    };
    terms.iter().map(entry).collect()
}

/// One real server among puppets. The [module](super) explains the idea.
pub struct Stage<'a> {
    cluster: &'a Cluster,
    apply_log: Arc<ApplyLog>,
    inbox: Arc<Inbox>,
    /// The puppets' clients for calls to S0, one per server; S0's own is unused.
    ends: Vec<RaftPeer>,
    /// The highest term in any message to or from S0.
    told: Cell<Term>,
    /// The latest term in which S0 was elected.
    led: Cell<Term>,
}

impl Stage<'_> {
    /// Replaces all servers of `cluster` but S0 by puppets.
    ///
    /// # Panics
    /// If the scenario is not registered with `puppets` as its network.
    pub fn new(cluster: &Cluster) -> Stage<'_> {
        let apply_log = cluster.apply_log().expect("the scenario is registered with `puppets`");
        let network = cluster.network();
        // A call to a puppet that is cut off ends within 100 ms.
        network.set_long_delays(false);
        let inbox = Inbox::new(cluster.server_count());
        let mut ends = Vec::new();
        for me in cluster.servers() {
            ends.push(RaftPeer::from(network.end(Host::Server(me), Host::Server(S0))));
            if me != S0 {
                let puppet = Puppet { me, inbox: inbox.clone() };
                network.add_server(Host::Server(me), vec![Service::new(puppet.serve())]);
            }
        }
        cluster.link(S0);
        Stage { cluster, apply_log, inbox, ends, told: Cell::default(), led: Cell::default() }
    }

    /// The cluster of this stage.
    pub fn cluster(&self) -> &Cluster {
        self.cluster
    }

    /// All servers but S0.
    pub fn puppets(&self) -> impl Iterator<Item = ServerId> + use<> {
        self.cluster.servers().skip(1)
    }

    /// Repeats `attempt` until S0 does not overtake it. Before each repetition, [begins
    /// anew](Stage::begin_anew).
    pub fn attempt<T>(&self, attempt: impl Fn() -> Result<T, Overtaken>) -> T {
        self.insist(|| attempt().inspect_err(|Overtaken| self.begin_anew()))
    }

    /// Replaces S0 and all puppets by new servers without any state. The puppets refuse their
    /// votes.
    pub fn begin_anew(&self) {
        self.all_vote(Votes::Refuse);
        self.cluster.replace(S0);
        self.inbox.forget();
    }

    /// Repeats `question` until S0 does not overtake it, with the same S0.
    pub fn insist<T>(&self, question: impl Fn() -> Result<T, Overtaken>) -> T {
        for _ in 0..ATTEMPTS_MAX {
            if let Ok(value) = question() {
                return value;
            }
        }
        let message = format!("S0 moved to a later term in each of {ATTEMPTS_MAX} attempts");
        self.cluster.end_by_limit("restless", message)
    }

    /// A new term, in which no server has been.
    pub fn fresh_term(&self) -> Term {
        let term = Term(self.told.get().max(self.state().term).0 + TERM_STEP);
        self.told.set(term);
        term
    }

    /// S0's term, and whether it leads.
    ///
    /// # Panics
    /// If S0 is down.
    pub fn state(&self) -> Leadership {
        self.cluster.state_of(S0).expect("S0 is up")
    }

    /// The stable storage of S0.
    pub fn persister(&self) -> Persister {
        self.cluster.persister(S0)
    }

    /// Crashes S0, which loses its unsynced writes, and starts it again.
    pub fn restart(&self) {
        self.cluster.crash_keeping(S0, Unsynced::LoseAll);
        self.cluster.restart(S0);
    }

    /// Submits a command to S0.
    ///
    /// # Errors
    /// [`NotLeader`]: S0 refused.
    pub fn start(&self, command: &str) -> Result<Started, NotLeader> {
        self.cluster.start(S0, command.as_bytes())
    }

    // Calls of the puppets to S0.

    pub(super) fn puppet<T>(&self, puppet: ServerId, change: impl FnOnce(&mut Follower) -> T) -> T {
        self.inbox.conduct(puppet, |conduct| change(&mut conduct.follower))
    }

    /// Makes `puppet`, as a candidate whose log ends at `last`, ask S0 for its vote.
    ///
    /// The puppet asks again while S0 disregards it: a server that has just heard from a leader may
    /// do so (Raft §6).
    ///
    /// # Errors
    /// [`Overtaken`].
    pub fn ask_vote(
        &self,
        puppet: ServerId,
        term: Term,
        last: Position,
    ) -> Result<RequestVoteReply, Overtaken> {
        record::step(|| {
            format!("asks S0 for a vote, as {puppet} in term {term} with a log up to {last}")
        });
        let args = RequestVoteArgs {
            term,
            candidate_id: puppet,
            last_log_index: last.index,
            last_log_term: last.term,
        };
        self.puppet(puppet, |follower| follower.stands(puppet, term));
        let end = &self.ends[puppet.slot()];
        let deadline = Instant::now() + DISREGARD_MAX;
        loop {
            let call = end.request_vote(labrpc::context(), args.clone());
            let reply = self.answered(block_on(call).ok());
            let disregards = !reply.vote_granted && reply.term < term;
            if !disregards || Instant::now() >= deadline {
                self.check_term(term, reply.term)?;
                return Ok(reply);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes `puppet` lead and send `entries` after `prev`.
    ///
    /// # Errors
    /// [`Overtaken`].
    pub fn append(
        &self,
        puppet: ServerId,
        term: Term,
        prev: Position,
        entries: Vec<Entry>,
        leader_commit: u64,
    ) -> Result<AppendEntriesReply, Overtaken> {
        record::step(|| {
            let count = entries.len();
            format!("sends S0 {count} entries after {prev}, as {puppet}, leader of term {term}")
        });
        let args = AppendEntriesArgs {
            term,
            leader_id: puppet,
            prev_log_index: prev.index,
            prev_log_term: prev.term,
            entries,
            leader_commit: Index(leader_commit),
        };
        self.puppet(puppet, |follower| follower.leads(puppet, term, prev, &args.entries));
        let end = &self.ends[puppet.slot()];
        let reply = self.answered(block_on(end.append_entries(labrpc::context(), args)).ok());
        self.check_term(term, reply.term)?;
        Ok(reply)
    }

    /// Makes `puppet` lead and send its snapshot, with the content
    /// [`snapshot_of`](Self::snapshot_of).
    ///
    /// # Errors
    /// [`Overtaken`].
    pub fn install(
        &self,
        puppet: ServerId,
        term: Term,
        last_included: Position,
    ) -> Result<InstallSnapshotReply, Overtaken> {
        record::step(|| {
            format!("sends S0 a snapshot up to {last_included}, as {puppet}, leader of term {term}")
        });
        let args = InstallSnapshotArgs {
            term,
            leader_id: puppet,
            last_included_index: last_included.index,
            last_included_term: last_included.term,
            data: Self::snapshot_of(last_included),
        };
        let end = &self.ends[puppet.slot()];
        let reply = self.answered(block_on(end.install_snapshot(labrpc::context(), args)).ok());
        self.check_term(term, reply.term)?;
        Ok(reply)
    }

    /// Whether S0's log has the entry at `position`: S1 sends a heartbeat with that previous entry.
    ///
    /// # Errors
    /// [`Overtaken`].
    pub fn has(&self, position: Position) -> Result<bool, Overtaken> {
        let reply = self.append(S1, self.fresh_term(), position, Vec::new(), 0)?;
        Ok(reply.success)
    }

    /// Makes S0 a follower of S1. The entries in both logs have exactly these `terms`; the first
    /// `leader_commit` entries are committed.
    ///
    /// # Errors
    /// [`Overtaken`].
    pub fn give_log(&self, terms: &[u64], leader_commit: u64) -> Result<(), Overtaken> {
        let log = entries(at(0, 0), terms);
        self.has_log(S1, log.clone());
        let reply = self.append(S1, self.fresh_term(), at(0, 0), log, leader_commit)?;
        assert!(reply.success, "entries from index 1 on fit any log: {reply:?}");
        Ok(())
    }

    /// The content of a snapshot up to `last_included`.
    pub fn snapshot_of(last_included: Position) -> Bytes {
        format!("everything up to {last_included}").into()
    }

    /// The latest term in which S0 was elected; 0 before the first election.
    pub(super) fn led(&self) -> Term {
        self.led.get()
    }

    /// Records that S0 was elected in `term`.
    pub(super) fn leads_in(&self, term: Term) {
        self.led.set(term);
    }

    fn answered<R>(&self, reply: Option<R>) -> R {
        reply.unwrap_or_else(|| {
            self.cluster.end_by_limit("no_answer", "S0 did not answer a call".to_string())
        })
    }

    /// Checks the term of a reply; `replied` is its term and `asked` that of its request.
    fn check_term(&self, asked: Term, replied: Term) -> Result<(), Overtaken> {
        assert!(
            replied >= asked,
            "S0 got a request of term {asked}, so its term cannot be lower; it says {replied}"
        );
        if replied > self.told.get() {
            self.told.set(replied);
            return Err(Overtaken);
        }
        Ok(())
    }

    // Replies of the puppets to S0.

    /// Sets how `puppet` reacts from now on when S0 asks for its vote.
    pub fn votes(&self, puppet: ServerId, votes: Votes) {
        self.inbox.conduct(puppet, |conduct| conduct.votes = votes);
    }

    /// Sets how all puppets react from now on when S0 asks for their votes.
    pub fn all_vote(&self, votes: Votes) {
        self.puppets().for_each(|puppet| self.votes(puppet, votes));
    }

    /// Sets `puppet`'s log to `log`, without a snapshot, as if other leaders had meanwhile sent it.
    pub fn has_log(&self, puppet: ServerId, log: Vec<Entry>) {
        let newest = log.last().map_or(Term(0), |entry| entry.term);
        self.told.set(self.told.get().max(newest));
        self.puppet(puppet, |follower| {
            follower.learns_of(newest);
            follower.has_log(&log);
        });
    }

    /// Makes `puppet` learn of `term`, of which S0 has not heard.
    pub fn learns_of(&self, puppet: ServerId, term: Term) {
        self.puppet(puppet, |follower| follower.learns_of(term));
    }

    /// Makes `puppet` follow from now on: entries, heartbeats and snapshots reach it at once,
    /// beginning with those in flight. (Late replies stay late.)
    pub fn follows(&self, puppet: ServerId) {
        self.appends(puppet, Appends::Follow);
        self.inbox.release_appends(puppet);
    }

    /// Sets how `puppet` reacts from now on to entries, a heartbeat or a snapshot.
    pub fn appends(&self, puppet: ServerId, appends: Appends) {
        self.inbox.conduct(puppet, |conduct| conduct.appends = appends);
    }

    /// Sets whether S0's calls reach `puppet`. Calls that wait for a reply when the link is cut get
    /// no reply.
    pub fn reaches(&self, puppet: ServerId, on: bool) {
        self.cluster.network().enable(Host::Server(S0), Host::Server(puppet), on);
    }

    /// Lets a held call reach its puppet, which handles it; the reply is late, until
    /// [`release`](Stage::release). The puppet gives a vote if it may.
    pub fn handle(&self, heard: &Heard) {
        self.inbox.handle(heard.number);
    }

    /// Lets a held call reach its puppet, if it has not yet, and the reply reach S0.
    pub fn release(&self, heard: &Heard) {
        self.inbox.release(heard.number);
    }

    /// Answers a call with a reply that its puppet would not give. The scenario must explain why.
    pub fn lie(&self, heard: &Heard, response: RaftRpcResponse) {
        self.inbox.lie(heard.number, response);
    }

    // Calls of S0.

    /// A mark of the present moment: the number of calls that S0 has made so far.
    pub fn mark(&self) -> usize {
        self.inbox.count()
    }

    /// The calls of S0 since `mark`.
    pub fn heard_since(&self, mark: usize) -> Vec<Heard> {
        self.inbox.since(mark)
    }

    /// The first call of S0 since `mark` that `wanted` picks, if it comes `within` that time.
    pub fn try_hear(
        &self,
        mark: usize,
        within: Duration,
        wanted: impl FnMut(&Heard) -> bool,
    ) -> Option<Heard> {
        let heard = self.inbox.find(mark, Instant::now() + within, wanted)?;
        self.told.set(self.told.get().max(heard.term()));
        Some(heard)
    }

    /// Returns the first call of S0 since `mark` that `wanted` picks, like
    /// [`try_hear`](Stage::try_hear); if none comes, ends the run. `what` describes the call.
    pub fn hear(
        &self,
        mark: usize,
        within: Duration,
        what: &str,
        wanted: impl FnMut(&Heard) -> bool,
    ) -> Heard {
        self.try_hear(mark, within, wanted).unwrap_or_else(|| {
            self.cluster.end_by_limit("silent", format!("S0 did not {what} within {within:?}"))
        })
    }

    /// Waits until `done`, for at most five seconds. Returns whether `done` became true.
    pub fn happens_soon(&self, mut done: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + SOON;
        while !done() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Waits until `puppet`, which must follow, has S0's log up to `index`.
    pub fn wait_followed(&self, puppet: ServerId, index: Index) {
        if !self.happens_soon(|| self.last_of(puppet).index >= index) {
            let last = self.last_of(puppet);
            let message = format!("{puppet} answers every call but has {last}; S0 has {index}");
            self.cluster.end_by_limit("not_followed", message);
        }
    }

    // Messages of S0 to its service.

    /// The messages that S0 sent its service in its present life.
    pub fn applied(&self) -> Vec<ApplyMsg> {
        self.apply_log.messages()
    }

    /// The last index that the service has, by commands or a snapshot.
    pub fn applied_index(&self) -> Index {
        self.apply_log.applied()
    }

    /// The commands that S0 sent its service in its present life.
    pub fn commands(&self) -> Vec<String> {
        let command = |message| match message {
            ApplyMsg::Command { command, .. } => Some(String::from_utf8_lossy(&command).into()),
            ApplyMsg::Snapshot { .. } => None,
        };
        self.applied().into_iter().filter_map(command).collect()
    }

    /// Waits until the service has everything up to `index`.
    pub fn wait_applied(&self, index: u64) {
        if !self.happens_soon(|| self.applied_index() >= Index(index)) {
            let applied = self.applied_index();
            let message = format!("index {index} is committed, but only {applied} is applied");
            self.cluster.end_by_limit("not_applied", message);
        }
    }

    /// Makes the service take a snapshot at `position` once it has applied that entry.
    pub fn snapshot_at(&self, position: Position) {
        self.apply_log.snapshot_at(position.index, Self::snapshot_of(position));
    }
}
