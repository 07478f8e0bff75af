//! The benchmark's nodes with the crate `raft`, set up to be as similar to ours as possible.
//!
//! The crate batches appends, of any size.

use bytes::Bytes;
use raft::prelude::{Config, Entry, RawNode};
use raft::storage::MemStorage;

use crate::{Cluster, Group};

pub(crate) struct Nodes {
    nodes: Vec<RawNode<MemStorage>>,
    applied: usize,
}

fn node(id: u64, election_tick: usize) -> RawNode<MemStorage> {
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let disk = MemStorage::new_with_conf_state((vec![1, 2, 3], vec![]));
    let config = Config {
        id,
        election_tick,
        heartbeat_tick: 1,
        max_size_per_msg: u64::MAX,
        batch_append: true,
        ..Config::default()
    };
    RawNode::new(&config, disk, &logger).expect("the settings are fine")
}

impl Cluster for Nodes {
    const NAME: &'static str = "raft-rs";

    fn start() -> Nodes {
        let mut cluster = Nodes { nodes: (1..=3).map(|id| node(id, 10)).collect(), applied: 0 };
        cluster.nodes[0].campaign().expect("it may stand");
        cluster.settle();
        cluster
    }

    fn propose(&mut self, data: Bytes) {
        // The crate owns its commands; this one is not shared, so nothing is copied.
        self.nodes[0].propose(Vec::new(), Vec::from(data)).expect("it leads");
    }

    fn settle(&mut self) {
        loop {
            let mut sent = Vec::new();
            for node in &mut self.nodes {
                while node.has_ready() {
                    let mut ready = node.ready();
                    sent.extend(ready.take_messages());
                    self.applied +=
                        ready.take_committed_entries().into_iter().map(apply).sum::<usize>();
                    let disk = node.store().clone();
                    disk.wl().append(ready.entries()).expect("it leaves no gap");
                    if let Some(hard_state) = ready.hs() {
                        disk.wl().set_hardstate(hard_state.clone());
                    }
                    sent.extend(ready.take_persisted_messages());
                    let mut rest = node.advance(ready);
                    if let Some(commit) = rest.commit_index() {
                        disk.wl().mut_hard_state().set_commit(commit);
                    }
                    sent.extend(rest.take_messages());
                    self.applied +=
                        rest.take_committed_entries().into_iter().map(apply).sum::<usize>();
                    node.advance_apply();
                }
            }
            if sent.is_empty() {
                return;
            }
            for message in sent {
                let to = usize::try_from(message.to).expect("three nodes") - 1;
                self.nodes[to].step(message).expect("it is for this node");
            }
        }
    }

    fn compact(&mut self) {
        for node in &mut self.nodes {
            let applied = node.raft.raft_log.applied;
            node.store().wl().compact(applied).expect("it goes forward");
        }
    }

    fn applied(&self) -> usize {
        self.applied
    }
}

fn apply(entry: Entry) -> usize {
    // A leader's first entry counts here too, but the measured part has no such entry.
    std::hint::black_box(entry);
    1
}

pub(crate) struct Idle(RawNode<MemStorage>);

impl Group for Idle {
    const NAME: &'static str = "raft-rs";

    fn start() -> Idle {
        Idle(node(1, 1_000_000_000))
    }

    fn tick(&mut self) {
        self.0.tick();
    }
}
