//! The trait through which the driver uses a core, and its implementation for our own core.

use bytes::Bytes;

use super::timing::{ELECTION_TICKS, FLOW_CONTROL, HEARTBEAT_TICKS};
use crate::api::{Index, Position, ServerId, Term};
use crate::persister::Persisted;
use crate::runtime::rand::{self, Chance};
use crate::tick::{
    self, ConfState, Config, HardState, MemoryStorage, Message, RawNode, Ready, Role, Snapshot,
    Storage,
};

/// A Raft without thread, clock, socket or disk, as its driver needs it.
///
/// One task owns it. In a [`Ready`] the core names what the driver must store; the docs of `Ready`
/// have the contract. The core has a copy of everything that it reads again, so it never reads the
/// driver's storage.
pub trait Core: Send + Sized + 'static {
    /// Starts a node that continues from its storage.
    fn restart(life: Life) -> Self;

    /// Counts one tick: a unit of time has passed.
    fn tick(&mut self);

    /// Handles a message. Returns the index, in the next [`Ready`]'s messages, of the response that
    /// it triggers, if any.
    fn step(&mut self, message: Message) -> Option<usize>;

    /// Appends an entry to the log, if the node leads.
    fn propose(&mut self, data: Bytes) -> Option<Position>;

    /// Accepts a read, if the node leads; returns whether it did.
    ///
    /// The index that the read must wait for is among the read states of a later [`Ready`], under
    /// the name `context`.
    fn read_index(&mut self, context: u64) -> bool;

    /// Reports that an append that was sent to `to` is probably lost.
    fn report_unreachable(&mut self, to: ServerId);

    /// Reports that a snapshot that was sent to `to` is probably lost.
    fn report_snapshot_lost(&mut self, to: ServerId);

    /// Replaces the applied entries up to `index` by the snapshot `data`; returns their last
    /// position, or `None` if an earlier snapshot covers them already.
    fn compact(&mut self, index: Index, data: Bytes) -> Option<Position>;

    /// Hands over the next [`Ready`], if there is anything to do.
    fn ready(&mut self) -> Option<Ready>;

    /// Confirms that all of the last [`Ready`] is done.
    fn advance(&mut self);

    /// The status of the node.
    fn status(&self) -> Status;

    /// Index of the last entry of the log.
    fn last_index(&self) -> Index;
}

/// The data from which one life of a node starts.
pub struct Life {
    /// The id of the node's server.
    pub me: ServerId,
    /// Number of servers in the cluster.
    pub servers: usize,
    /// The state that earlier lives stored.
    pub persisted: Persisted,
    /// The source of election timeouts.
    pub chance: Chance,
}

/// The term and the leader that a node knows, as its server publishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The latest term seen.
    pub term: Term,
    /// Whether the node leads that term.
    pub is_leader: bool,
    /// The leader of that term, if it is known.
    pub leader: Option<ServerId>,
}

impl Status {
    /// The status of one of our own nodes.
    pub(crate) fn of<S: Storage>(node: &RawNode<S>) -> Status {
        let raft = node.raft();
        let is_leader = raft.role() == Role::Leader;
        Status { term: raft.term(), is_leader, leader: raft.lead() }
    }
}

/// Our own core. Its storage is a copy in memory of what the driver stores.
impl Core for RawNode<MemoryStorage> {
    fn restart(life: Life) -> RawNode<MemoryStorage> {
        let Life { me, servers, persisted, chance } = life;
        let peers: Vec<_> = (0..servers).map(ServerId::from_slot).collect();
        let config =
            Config { applied: persisted.last_included.index, ..Config::new(me, peers.clone()) };
        restart(config, stored(persisted, peers), chance)
            .expect("what was stored and read back fits together")
    }

    fn tick(&mut self) {
        RawNode::tick(self);
    }

    fn step(&mut self, message: Message) -> Option<usize> {
        step(self, message)
    }

    fn propose(&mut self, data: Bytes) -> Option<Position> {
        RawNode::propose(self, data).ok()
    }

    fn read_index(&mut self, context: u64) -> bool {
        self.status().is_leader && RawNode::read_index(self, context).is_ok()
    }

    fn report_unreachable(&mut self, to: ServerId) {
        RawNode::report_unreachable(self, to);
    }

    fn report_snapshot_lost(&mut self, to: ServerId) {
        self.report_snapshot(to, false);
    }

    fn compact(&mut self, index: Index, data: Bytes) -> Option<Position> {
        let storage = self.storage_mut();
        let conf_state = storage.initial_state().ok()?.1;
        storage.create_snapshot(index, conf_state, data).ok()?;
        storage.compact(index).ok()?;
        let term = storage.term(index).ok()?;
        self.raft_mut().log_mut().maybe_compact();
        Some(Position { term, index })
    }

    fn ready(&mut self) -> Option<Ready> {
        if !self.has_ready() {
            return None;
        }
        let ready = RawNode::ready(self);
        let storage = self.storage_mut();
        if let Some(snapshot) = ready.snapshot.clone() {
            storage.apply_snapshot(snapshot).expect("a snapshot is received only if it is newer");
        }
        storage.append(ready.entries.iter().cloned());
        Some(ready)
    }

    fn advance(&mut self) {
        RawNode::advance(self);
    }

    fn status(&self) -> Status {
        Status::of(self)
    }

    fn last_index(&self) -> Index {
        self.raft().log().last_index()
    }
}

/// Handles a message. Returns the index, in the next [`Ready`]'s messages, of the response that it
/// triggers, if any.
pub(crate) fn step<S: Storage>(node: &mut RawNode<S>, message: Message) -> Option<usize> {
    let (from, place) = (message.from, node.raft().msgs().len());
    // A message for another node, or a response from an unknown node, changes nothing.
    node.step(message).ok()?;
    let answers = |reply: &Message| reply.to == from && reply.is_response();
    let found = node.raft().msgs().get(place..)?.iter().position(answers);
    found.map(|offset| place + offset)
}

/// Starts a node with the numbers of `timing.rs`, which replace those in `config`.
pub(crate) fn restart<S: Storage>(
    config: Config,
    storage: S,
    mut chance: Chance,
) -> Result<RawNode<S>, tick::Error> {
    let config = Config {
        election_tick: ELECTION_TICKS,
        heartbeat_tick: HEARTBEAT_TICKS,
        read_index: true,
        flow_control: Some(FLOW_CONTROL),
        ..config
    };
    let draw = move |bound: u32| {
        u32::try_from(chance.below(bound.into())).expect("a draw is below its bound")
    };
    RawNode::new(config, storage, Box::new(draw))
}

/// The source of election timeouts of server `me`, whose life begins in `term`.
///
/// The term is in the name because a server that restarts often must not draw the same timeouts
/// each time.
pub(crate) fn election_chance(me: ServerId, term: Term) -> Chance {
    rand::stream(&format!("election-timeout-{me}-{term}"))
}

/// Builds the storage that the core reads from what earlier lives stored.
///
/// The commit index is not stored, since no promise relies on it: a restarted node begins with the
/// snapshot, which is committed, and learns the rest from its leader.
fn stored(persisted: Persisted, nodes: Vec<ServerId>) -> MemoryStorage {
    let mut storage = MemoryStorage::new();
    let conf_state = ConfState { nodes };
    storage.set_conf_state(conf_state.clone());
    let position = persisted.last_included;
    if let Some(data) = persisted.snapshot {
        let snapshot = Snapshot { position, conf_state, data };
        storage.apply_snapshot(snapshot).expect("it is the first one");
    }
    storage.append(persisted.entries);
    storage.set_hard_state(HardState {
        term: persisted.current_term,
        vote: persisted.voted_for,
        commit: position.index,
    });
    storage
}
