//! What the driver asks of a core, and our own core in these words.

use bytes::Bytes;

use super::timing::{ELECTION_TICKS, FLOW_CONTROL, HEARTBEAT_TICKS};
use crate::api::{Index, Position, ServerId, Term};
use crate::persister::Persisted;
use crate::runtime::rand::Chance;
use crate::tick::{
    self, ConfState, Config, HardState, MemoryStorage, Message, RawNode, Ready, Role, Snapshot,
    Storage,
};

/// A Raft without thread, clock, socket or disk, as its driver needs it.
///
/// One task owns it. What it must store it names in a [`Ready`], in the order and under the
/// contract that stand there; what it reads again it keeps for itself.
pub trait Core: Send + Sized + 'static {
    /// A node that goes on where its storage stopped.
    fn restart(life: Life) -> Self;

    /// One unit of time passes.
    fn tick(&mut self);

    /// Takes in a message. The place of the response, if it calls one forth, among the messages
    /// of the next [`Ready`].
    fn step(&mut self, message: Message) -> Option<usize>;

    /// Puts an entry at the end of the log, if the node leads.
    fn propose(&mut self, data: Bytes) -> Option<Position>;

    /// Finds out, if the node leads, up to where a read must wait; the answer is among the read
    /// states of a later [`Ready`], under the name `context`. Whether it was taken in.
    fn read_index(&mut self, context: u64) -> bool;

    /// An append that was sent to `to` is lost, as far as anybody can tell.
    fn report_unreachable(&mut self, to: ServerId);

    /// A snapshot that was sent to `to` is lost, as far as anybody can tell.
    fn report_snapshot_lost(&mut self, to: ServerId);

    /// Takes `data` in place of the applied entries up to `index`; where they end. `None` if a
    /// snapshot there covers them already.
    fn compact(&mut self, index: Index, data: Bytes) -> Option<Position>;

    /// What is to be done, if anything is.
    fn ready(&mut self) -> Option<Ready>;

    /// All of the last [`Ready`] is done.
    fn advance(&mut self);

    /// What the node is to others.
    fn status(&self) -> Status;

    /// The last entry of the log.
    fn last_index(&self) -> Index;
}

/// What a node is made from.
pub struct Life {
    /// Which server it is.
    pub me: ServerId,
    /// How many servers the cluster has.
    pub servers: usize,
    /// What earlier lives left.
    pub persisted: Persisted,
    /// Where election timeouts come from.
    pub chance: Chance,
}

/// What a node is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The latest term seen.
    pub term: Term,
    /// Whether the node leads in it.
    pub is_leader: bool,
    /// Who leads in it, as far as is known.
    pub leader: Option<ServerId>,
}

/// Our own core. Its storage is a copy in memory of what the driver stores.
impl Core for RawNode<MemoryStorage> {
    fn restart(life: Life) -> RawNode<MemoryStorage> {
        let Life { me, servers, persisted, chance } = life;
        let peers: Vec<_> = (0..servers).map(ServerId::from_slot).collect();
        let config = Config {
            election_tick: ELECTION_TICKS,
            heartbeat_tick: HEARTBEAT_TICKS,
            applied: persisted.last_included.index,
            read_index: true,
            flow_control: Some(FLOW_CONTROL),
            ..Config::new(me, peers.clone())
        };
        RawNode::new(config, stored(persisted, peers), timeouts(chance))
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
        let raft = self.raft();
        let is_leader = raft.role() == Role::Leader;
        Status { term: raft.term(), is_leader, leader: raft.lead() }
    }

    fn last_index(&self) -> Index {
        self.raft().log().last_index()
    }
}

/// Takes in a message. The place of the response, if it calls one forth, among the messages of the
/// next [`Ready`].
pub(crate) fn step<S: Storage>(node: &mut RawNode<S>, message: Message) -> Option<usize> {
    let (from, place) = (message.from, node.raft().msgs().len());
    // A message for somebody else, or from nobody, changes nothing.
    node.step(message).ok()?;
    let answers = |reply: &Message| reply.to == from && reply.is_response();
    let found = node.raft().msgs().get(place..)?.iter().position(answers);
    found.map(|offset| place + offset)
}

/// Where the core draws its election timeouts from.
pub(crate) fn timeouts(mut chance: Chance) -> Box<dyn tick::Chance> {
    Box::new(move |bound: u32| {
        u32::try_from(chance.below(bound.into())).expect("a draw is below its bound")
    })
}

/// What earlier lives left, as the core reads it.
///
/// The commit index is not stored, since no promise rests on it: a node that starts again takes
/// the snapshot to be committed, which it is, and learns the rest from its leader.
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
