//! A few nodes with disks, and a network without delay.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{chance, id, ids};
use crate::api::{Entry, Index, Position, ServerId};
use crate::tick::{Config, Error, Local, MemoryStorage, Message, Raft, RawNode, Ready};

/// Whether a message gets lost.
type Loss = Box<dyn Fn(&Message) -> bool>;

/// Nodes 1 to `size`, driven according to the contract of [`Ready`].
pub(super) struct Cluster {
    nodes: Vec<RawNode<MemoryStorage>>,
    /// The entries that each node has applied.
    pub(super) applied: Vec<Vec<Entry>>,
    down: BTreeSet<u32>,
    cut: BTreeSet<(u32, u32)>,
    loss: Loss,
    /// All delivered messages, in order.
    pub(super) delivered: Vec<Message>,
}

impl Cluster {
    pub(super) fn new(size: u32) -> Cluster {
        Cluster::with(size, |_| {})
    }

    /// Starts nodes on empty disks; `change` adapts their default settings.
    pub(super) fn with(size: u32, change: impl Fn(&mut Config)) -> Cluster {
        Cluster::on((0..size).map(|_| MemoryStorage::new()).collect(), change)
    }

    /// Starts one node per disk.
    pub(super) fn on(disks: Vec<MemoryStorage>, change: impl Fn(&mut Config)) -> Cluster {
        let size = u32::try_from(disks.len()).unwrap();
        let start = |(disk, me): (MemoryStorage, ServerId)| {
            let mut config = Config::new(me, ids(size));
            change(&mut config);
            RawNode::new(config, disk, chance(u64::from(me.0))).unwrap()
        };
        Cluster {
            nodes: disks.into_iter().zip(ids(size)).map(start).collect(),
            applied: vec![Vec::new(); size as usize],
            down: BTreeSet::new(),
            cut: BTreeSet::new(),
            loss: Box::new(|_| false),
            delivered: Vec::new(),
        }
    }

    pub(super) fn node(&self, me: u32) -> &Raft<MemoryStorage> {
        self.nodes[slot(me)].raft()
    }

    pub(super) fn raw(&mut self, me: u32) -> &mut RawNode<MemoryStorage> {
        &mut self.nodes[slot(me)]
    }

    /// Loses every message to or from node `me` from now on.
    pub(super) fn isolate(&mut self, me: u32) {
        self.down.insert(me);
    }

    /// Loses every message between two nodes from now on.
    pub(super) fn cut(&mut self, a: u32, b: u32) {
        self.cut.extend([(a, b), (b, a)]);
    }

    /// Loses the messages that `loss` selects, until the network is healed.
    pub(super) fn lose(&mut self, loss: impl Fn(&Message) -> bool + 'static) {
        self.loss = Box::new(loss);
    }

    pub(super) fn heal(&mut self) {
        self.down.clear();
        self.cut.clear();
        self.loss = Box::new(|_| false);
    }

    /// Lets node `me` start an election, and settles.
    pub(super) fn campaign(&mut self, me: u32) {
        self.raw(me).campaign();
        self.settle();
    }

    /// Lets node `me` send heartbeats, and settles.
    pub(super) fn beat(&mut self, me: u32) {
        self.raw(me).raft_mut().step_local(Local::Beat).unwrap();
        self.settle();
    }

    /// Proposes a command at node `me`, and settles.
    pub(super) fn propose(&mut self, me: u32, data: &'static str) -> Result<Position, Error> {
        let proposed = self.raw(me).propose(Bytes::from_static(data.as_bytes()));
        self.settle();
        proposed
    }

    /// Lets `count` ticks pass for node `me`, and settles after each.
    pub(super) fn tick(&mut self, me: u32, count: u32) {
        for _ in 0..count {
            self.raw(me).tick();
            self.settle();
        }
    }

    /// Stores, sends, applies and delivers until no node has anything left to do.
    pub(super) fn settle(&mut self) {
        let mut queue = Vec::new();
        for round in 0.. {
            assert!(round < 1000, "the nodes never stop sending messages");
            for me in 1..=self.size() {
                for count in 0.. {
                    if !self.nodes[slot(me)].has_ready() {
                        break;
                    }
                    assert!(count < 10, "S{me} has more than ten Readys in a row");
                    queue.extend(self.drive(me));
                }
            }
            if queue.is_empty() {
                return;
            }
            for message in std::mem::take(&mut queue) {
                if self.arrives(&message) {
                    self.delivered.push(message.clone());
                    self.nodes[slot(message.to.0)].step(message).unwrap();
                }
            }
        }
    }

    /// Handles one `Ready` of node `me`; returns the messages to send.
    fn drive(&mut self, me: u32) -> Vec<Message> {
        let node = &mut self.nodes[slot(me)];
        let ready = node.ready();
        let Ready { hard_state, entries, snapshot, committed_entries, messages, .. } = ready;
        let disk = node.storage_mut();
        if let Some(snapshot) = snapshot {
            self.applied[slot(me)].clear();
            disk.apply_snapshot(snapshot).unwrap();
        }
        disk.append(entries);
        if let Some(hard_state) = hard_state {
            disk.set_hard_state(hard_state);
        }
        self.applied[slot(me)].extend(committed_entries);
        node.advance();
        messages
    }

    /// Replaces node `me`'s log up to `index` by a snapshot.
    pub(super) fn compact(&mut self, me: u32, index: u64) {
        let conf_state = crate::tick::ConfState { nodes: ids(self.size()) };
        let disk = self.raw(me).storage_mut();
        disk.create_snapshot(Index(index), conf_state, Bytes::from_static(b"state")).unwrap();
        disk.compact(Index(index)).unwrap();
        self.raw(me).raft_mut().log_mut().maybe_compact();
    }

    fn arrives(&self, message: &Message) -> bool {
        let (from, to) = (message.from.0, message.to.0);
        let dead = self.down.contains(&from) || self.down.contains(&to);
        !dead && !self.cut.contains(&(from, to)) && !(self.loss)(message)
    }

    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap()
    }

    /// The terms of node `me`'s log.
    pub(super) fn terms(&self, me: u32) -> Vec<u64> {
        super::terms(self.node(me))
    }

    /// The commit index of every node.
    pub(super) fn commits(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.raft().log().committed().0).collect()
    }

    /// The commands that node `me` has applied, without the no-op entries of leaders.
    pub(super) fn commands(&self, me: u32) -> Vec<Bytes> {
        let commands = self.applied[slot(me)].iter().map(|entry| entry.data.clone());
        commands.filter(|data| !data.is_empty()).collect()
    }

    /// Stops node `me` and starts it again from its disk and its applied index.
    pub(super) fn restart(&mut self, me: u32) {
        let node = &self.nodes[slot(me)];
        let disk = node.storage().clone();
        let config =
            Config { applied: node.raft().log().applied(), ..node.raft().config().clone() };
        self.nodes[slot(me)] = RawNode::new(config, disk, chance(u64::from(me))).unwrap();
        assert_eq!(self.node(me).id(), id(me), "the node keeps its id");
    }
}

fn slot(me: u32) -> usize {
    me as usize - 1
}
