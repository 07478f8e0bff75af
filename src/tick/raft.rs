//! The state of a node, and what all roles share: the clock, the changes of role, the outbox.
//!
//! How a node handles a message is in `step.rs`.

use super::config::{Chance, Config, ConfigError};
use super::log::RaftLog;
use super::message::{Kind, Message};
use super::progress::{Flow, Progress, Tracker};
use super::read_index::{ReadState, Reads};
use super::storage::{HardState, Snapshot, Storage, StorageError};
use crate::api::{Index, ServerId, Term};

/// The roles of a node (Figure 4), and the additional role of a pre-vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Follows a leader, or waits for one.
    #[default]
    Follower,
    /// Asks whether it would be elected; its term is still the old one.
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Leads its term.
    Leader,
}

/// The reason why a node refused an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings make no sense: correct them.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The storage failed: the node does not start.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The command was not appended: try the leader if one is known, else try again later.
    #[error("the proposal was dropped")]
    ProposalDropped {
        /// The leader, if the node knows it; the node itself while it transfers its leadership.
        leader: Option<ServerId>,
    },
    /// Only a leader can do this: ask the leader.
    #[error("this node does not lead")]
    NotLeader {
        /// The leader, if the node knows it.
        leader: Option<ServerId>,
    },
    /// The feature is off: see [`Config`].
    #[error("this needs a feature that is off")]
    Disabled,
    /// The node is not a member of this cluster: drop the input.
    #[error("{0} is not a member of this cluster")]
    PeerNotFound(ServerId),
    /// The message is for another node: deliver it there.
    #[error("this message is for {0}")]
    Misdirected(ServerId),
}

/// One node of a cluster: pure state, driven by `tick` and `step`.
#[derive(Debug)]
pub struct Raft<S> {
    pub(super) config: Config,
    pub(super) id: ServerId,
    /// Latest term seen. Persistent; never decreases. Figure 2.
    pub(super) term: Term,
    /// The candidate that has this term's vote. Persistent. Figure 2.
    pub(super) vote: Option<ServerId>,
    /// The leader of this term, if it is known.
    pub(super) lead: Option<ServerId>,
    pub(super) role: Role,
    pub(super) log: RaftLog<S>,
    pub(super) prs: Tracker,
    /// The outbox: a message is sent by pushing it here.
    pub(super) msgs: Vec<Message>,
    /// Number of the outbox's current filling, from 1; rises whenever the outbox is emptied.
    pub(super) epoch: u64,
    /// Ticks since the election timer was reset; on a leader, since the last check of its majority.
    pub(super) election_elapsed: u32,
    /// Ticks since the last heartbeat; leaders only.
    pub(super) heartbeat_elapsed: u32,
    /// This node's own election timeout in ticks, in `election_tick..2 * election_tick`.
    pub(super) randomized_election_timeout: u32,
    /// The node that leadership is being transferred to.
    pub(super) lead_transferee: Option<ServerId>,
    pub(super) reads: Reads,
    pub(super) read_states: Vec<ReadState>,
    chance: Source,
}

/// The injected source of randomness, with a `Debug` output of its own.
struct Source(Box<dyn Chance>);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chance")
    }
}

impl<S: Storage> Raft<S> {
    /// Starts a follower that continues from its storage; in term 0 on a first start.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Storage`]: nothing was started.
    pub fn new(config: Config, storage: S, chance: Box<dyn Chance>) -> Result<Raft<S>, Error> {
        // Handout 2A: be a follower, with what was stored; 2C: `restore` commit and applied.
        config.validate()?;
        let (hard, conf) = storage.initial_state()?;
        let nodes = if conf.nodes.is_empty() { config.peers.clone() } else { conf.nodes };
        let mut log = RaftLog::new(storage)?;
        log.restore(hard, config.applied)?;
        let mut raft = Raft {
            id: config.id,
            config,
            term: hard.term,
            vote: hard.vote,
            lead: None,
            role: Role::Follower,
            log,
            prs: Tracker::new(nodes),
            msgs: Vec::new(),
            epoch: 1,
            election_elapsed: 0,
            heartbeat_elapsed: 0,
            randomized_election_timeout: 0,
            lead_transferee: None,
            reads: Reads::default(),
            read_states: Vec::new(),
            chance: Source(chance),
        };
        raft.become_follower(hard.term, None);
        Ok(raft)
    }

    /// Counts one tick: a unit of time has passed.
    ///
    /// Differs: time is counted in ticks that the owner decides on; the paper has milliseconds
    /// (Raft §5.6).
    pub fn tick(&mut self) {
        // Handout 2A: count one tick: towards a heartbeat or towards an election.
        match self.role {
            Role::Leader => self.tick_heartbeat(),
            _ => self.tick_election(),
        }
    }

    /// Becomes a follower in `term`, which follows `lead` or waits for a leader.
    pub fn become_follower(&mut self, term: Term, lead: Option<ServerId>) {
        // Handout 2A: enter the term as a follower. What of the old role must go?
        self.reset(term);
        self.role = Role::Follower;
        self.lead = lead;
    }

    /// Becomes a candidate: raises the term and votes for itself.
    ///
    /// # Panics
    /// If the node leads: a leader has nothing to win.
    pub fn become_candidate(&mut self) {
        // Handout 2A: raise the term, and vote for yourself.
        assert_ne!(self.role, Role::Leader, "leader of term {} cannot be a candidate", self.term);
        self.reset(self.term.next());
        self.role = Role::Candidate;
        self.vote = Some(self.id);
    }

    /// Becomes the leader of this term.
    ///
    /// Appends a no-op entry, which commits everything before it (Raft §8), and sends nothing yet.
    ///
    /// # Panics
    /// If the node is a follower: it has not been elected.
    pub fn become_leader(&mut self) {
        // Handout 2A: lead; append the no-op entry; 2B: what do you know of the others?
        assert_ne!(self.role, Role::Follower, "follower in term {} cannot lead", self.term);
        self.reset(self.term);
        self.role = Role::Leader;
        self.lead = Some(self.id);
        let (last, id) = (self.log.last_index(), self.id);
        let paced = self.config.flow_control.is_some();
        for node in self.prs.iter_mut() {
            node.next = last.next();
            node.matched = if node.id == id { last } else { Index(0) };
            node.flow = if paced { Flow::Probe { sent: false } } else { Flow::Replicate };
        }
        self.append_entry(bytes::Bytes::new());
    }

    /// Does what all changes of role or term have in common.
    pub(super) fn reset(&mut self, term: Term) {
        // Handout: left out.
        assert!(term >= self.term, "terms_grow: from {} to {term}", self.term);
        if term > self.term {
            self.term = term;
            self.vote = None;
        }
        self.lead = None;
        self.lead_transferee = None;
        self.restart_election_timer();
        self.heartbeat_elapsed = 0;
        self.prs.reset();
        self.reads.clear();
    }

    /// Restarts the election timer with a new timeout: "election timeouts are chosen randomly … to
    /// prevent split votes" (Raft §5.2).
    fn restart_election_timer(&mut self) {
        // Handout: left out.
        let base = self.config.election_tick;
        self.election_elapsed = 0;
        self.randomized_election_timeout = base + self.chance.0.below(base);
    }

    /// Pushes a message in this node's term into the outbox.
    #[inline]
    pub(super) fn send(&mut self, to: ServerId, kind: Kind) {
        // Handout 2A: put a message of this term into the outbox.
        self.send_in(self.term, to, kind);
    }

    /// Pushes a message in `term` into the outbox; only pre-votes need another term than our own.
    #[inline]
    pub(super) fn send_in(&mut self, term: Term, to: ServerId, kind: Kind) {
        // Handout 2A: put a message into the outbox.
        self.msgs.push(Message { from: self.id, to, term, kind });
    }
}

/// Access to the state of a node.
impl<S> Raft<S> {
    /// The node's id.
    pub const fn id(&self) -> ServerId {
        self.id
    }

    /// The latest term seen.
    pub const fn term(&self) -> Term {
        self.term
    }

    /// The candidate that has this term's vote.
    pub const fn vote(&self) -> Option<ServerId> {
        self.vote
    }

    /// The leader of this term, if it is known.
    pub const fn lead(&self) -> Option<ServerId> {
        self.lead
    }

    /// The node's role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The log.
    pub const fn log(&self) -> &RaftLog<S> {
        &self.log
    }

    /// The log, with the storage that the application writes.
    pub const fn log_mut(&mut self) -> &mut RaftLog<S> {
        &mut self.log
    }

    /// The outbox: the messages that wait to be sent.
    pub fn msgs(&self) -> &[Message] {
        &self.msgs
    }

    /// Empties the outbox, and returns its messages.
    pub fn take_msgs(&mut self) -> Vec<Message> {
        self.epoch += 1;
        std::mem::take(&mut self.msgs)
    }

    /// The members, in the order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = ServerId> {
        self.prs.iter().map(Progress::id)
    }

    /// The progress of each node, itself included; meaningful only on a leader.
    pub fn progress(&self) -> impl Iterator<Item = &Progress> {
        self.prs.iter()
    }

    /// The settings that the node was started with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the node may start an election: it is a member of the cluster.
    pub fn is_promotable(&self) -> bool {
        self.prs.slot(self.id).is_some()
    }

    /// Sets this node's election timeout until its next change of role, for scripts that choose
    /// which node starts the first election.
    pub const fn set_randomized_election_timeout(&mut self, ticks: u32) {
        self.randomized_election_timeout = ticks;
    }
}

impl<S: Storage> Raft<S> {
    /// Term, vote and commit index as they must be on disk.
    pub fn hard_state(&self) -> HardState {
        HardState { term: self.term, vote: self.vote, commit: self.log.committed() }
    }

    /// Takes over the members that a snapshot names, if it names any.
    pub(super) fn adopt_members(&mut self, snapshot: &Snapshot) {
        // Handout 2D: take over the members that the snapshot names.
        let nodes = &snapshot.conf_state.nodes;
        if !nodes.is_empty() {
            self.prs = Tracker::new(nodes.clone());
        }
    }
}
