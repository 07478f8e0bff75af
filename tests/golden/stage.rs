//! The nodes of a script and their disks.

use std::collections::BTreeMap;

use bytes::Bytes;
use raftlab::api::{Index, ServerId};
use raftlab::tick::{ConfState, Config, MemoryStorage, Message, RawNode, Ready};

use crate::network::Network;
use crate::notation;

pub(crate) type Node = RawNode<MemoryStorage>;

/// Everything that a script acts on.
#[derive(Default)]
pub(crate) struct Stage {
    pub nodes: BTreeMap<ServerId, Node>,
    pub network: Network<Message>,
}

impl Stage {
    /// Starts a node on `disk`. Every random draw of node n is n: S1 waits 11 ticks, S2 waits 12.
    pub(crate) fn start(&mut self, config: Config, disk: MemoryStorage) -> Result<(), String> {
        let id = config.id;
        let chance = Box::new(move |bound: u32| id.0 % bound);
        let node = Node::new(config, disk, chance).map_err(|error| error.to_string())?;
        self.nodes.insert(id, node);
        Ok(())
    }

    pub(crate) fn node(&mut self, id: ServerId) -> Result<&mut Node, String> {
        self.nodes.get_mut(&id).ok_or_else(|| format!("there is no {id}"))
    }

    /// Does `act` to a node, then handles each `Ready` of the node; returns the output.
    pub(crate) fn act(
        &mut self,
        id: ServerId,
        act: impl FnOnce(&mut Node) -> String,
    ) -> Result<String, String> {
        let before = notation::summary(self.node(id)?);
        let mut told = act(self.node(id)?);
        told += &notation::summary(self.node(id)?).changes_since(&before);
        while self.node(id)?.has_ready() {
            let messages = work(self.node(id)?, &mut told);
            for message in messages {
                told += &self.send(message);
            }
        }
        Ok(told)
    }

    /// Sends a message; returns the output.
    fn send(&mut self, message: Message) -> String {
        let fate = self.network.send((message.from, message.to), message.clone());
        notation::message(&message, fate)
    }

    /// Delivers the messages that are in flight now; if `only` is given, those to this node.
    pub(crate) fn deliver(&mut self, only: Option<ServerId>) -> Result<String, String> {
        let mut told = String::new();
        for ((_, to), message) in self.network.take(only) {
            told += &self.act(to, |node| match node.step(message) {
                Ok(()) => String::new(),
                Err(error) => format!("{to} {error}\n"),
            })?;
        }
        Ok(told)
    }

    /// Delivers until no message is in flight.
    pub(crate) fn settle(&mut self) -> Result<String, String> {
        let mut told = String::new();
        while !self.network.is_quiet() {
            told += &self.deliver(None)?;
        }
        Ok(told)
    }

    /// Replaces a node's log up to `index` by a snapshot.
    pub(crate) fn compact(&mut self, id: ServerId, index: Index) -> Result<(), String> {
        let node = self.node(id)?;
        let conf_state = ConfState { nodes: node.raft().nodes().collect() };
        let disk = node.storage_mut();
        let made = disk.create_snapshot(index, conf_state, Bytes::from_static(b"state"));
        made.and_then(|()| disk.compact(index)).map_err(|error| error.to_string())?;
        node.raft_mut().log_mut().maybe_compact();
        Ok(())
    }

    /// Stops a node and starts it again from its disk; it keeps its applied index.
    pub(crate) fn restart(&mut self, id: ServerId) -> Result<(), String> {
        let node = self.node(id)?;
        let disk = node.storage().clone();
        let applied = node.raft().log().applied();
        let config = Config { applied, ..node.raft().config().clone() };
        self.start(config, disk)
    }
}

/// Handles one `Ready` according to its contract; returns the messages to send.
fn work(node: &mut Node, told: &mut String) -> Vec<Message> {
    let Ready { hard_state, entries, snapshot, messages, read_states, .. } = node.ready();
    let id = node.raft().id();
    let disk = node.storage_mut();
    if let Some(snapshot) = snapshot {
        *told += &format!("{id} stores the snapshot up to {}\n", snapshot.position);
        disk.apply_snapshot(snapshot).expect("the core hands out newer snapshots only");
    }
    disk.append(entries);
    if let Some(hard_state) = hard_state {
        disk.set_hard_state(hard_state);
    }
    for state in read_states {
        *told += &notation::read(id, state);
    }
    node.advance();
    messages
}
