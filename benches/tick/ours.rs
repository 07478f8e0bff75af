//! The benchmark's nodes with the project's own core.

use bytes::Bytes;
use raftlab::api::{Entry, ServerId};
use raftlab::tick::{Config, MemoryStorage, RawNode};

use crate::{Cluster, Group};

pub(crate) struct Nodes {
    nodes: Vec<RawNode<MemoryStorage>>,
    applied: usize,
}

fn node(id: u32, election_tick: u32) -> RawNode<MemoryStorage> {
    let peers = (1..=3).map(ServerId).collect();
    let config = Config { election_tick, ..Config::new(ServerId(id), peers) };
    RawNode::new(config, MemoryStorage::new(), Box::new(|_| 0)).expect("the settings are fine")
}

impl Cluster for Nodes {
    const NAME: &'static str = "tick";

    fn start() -> Nodes {
        let mut cluster = Nodes { nodes: (1..=3).map(|id| node(id, 10)).collect(), applied: 0 };
        cluster.nodes[0].campaign();
        cluster.settle();
        cluster
    }

    fn propose(&mut self, data: Bytes) {
        self.nodes[0].propose(data).expect("it leads");
    }

    fn settle(&mut self) {
        loop {
            let mut sent = Vec::new();
            for node in &mut self.nodes {
                while node.has_ready() {
                    let ready = node.ready();
                    let disk = node.storage_mut();
                    disk.append(ready.entries);
                    if let Some(hard_state) = ready.hard_state {
                        disk.set_hard_state(hard_state);
                    }
                    sent.extend(ready.messages);
                    self.applied += ready.committed_entries.into_iter().map(apply).sum::<usize>();
                    node.advance();
                }
            }
            if sent.is_empty() {
                return;
            }
            for message in sent {
                let to = message.to.slot() - 1;
                self.nodes[to].step(message).expect("it is for this node");
            }
        }
    }

    fn compact(&mut self) {
        for node in &mut self.nodes {
            let applied = node.raft().log().applied();
            node.storage_mut().compact(applied).expect("it goes forward");
        }
    }

    fn applied(&self) -> usize {
        self.applied
    }
}

fn apply(entry: Entry) -> usize {
    std::hint::black_box(entry);
    1
}

pub(crate) struct Idle(RawNode<MemoryStorage>);

impl Group for Idle {
    const NAME: &'static str = "tick";

    fn start() -> Idle {
        Idle(node(1, u32::MAX / 4))
    }

    fn tick(&mut self) {
        self.0.tick();
    }
}
