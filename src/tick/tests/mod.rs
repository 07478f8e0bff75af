//! The behaviours of the core, one test each, and the helpers to set them up.
//!
//! A test's name ends in the part of the tick design that it tests: `2aa` elections, `2ab`
//! replication, `2ac` the node and its `Ready`, `2c` snapshots. Tests without a part test details
//! that those parts leave open, and the additional features.
//!
//! [`node`] is one node whose messages are read from its outbox. [`Cluster`](cluster::Cluster) is a
//! few nodes with disks, and a network that delivers messages at once and in order, or loses them.

mod answers;
mod cluster;
mod commits;
mod elections;
mod features;
mod flow;
mod followers;
mod leaders;
mod merging;
mod readies;
mod snapshots;
mod timeouts;

use bytes::Bytes;

use super::storage::{HardState, Snapshot};
use super::{Chance, ConfState, Config, Kind, MemoryStorage, Message, Raft};
use crate::api::{Entry, Index, Position, ServerId, Term};

type Node = Raft<MemoryStorage>;

fn id(number: u32) -> ServerId {
    ServerId(number)
}

fn ids(size: u32) -> Vec<ServerId> {
    (1..=size).map(ServerId).collect()
}

fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), data: Bytes::new() }
}

/// Entries with the given terms, the first at `first`.
fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    (first..).zip(terms).map(|(index, term)| entry(*term, index)).collect()
}

/// A disk with a log of the given terms; its current term is the last one.
fn disk(terms: &[u64]) -> MemoryStorage {
    let mut disk = MemoryStorage::new();
    disk.append(entries(1, terms));
    let term = Term(terms.last().copied().unwrap_or(0));
    disk.set_hard_state(HardState { term, ..HardState::default() });
    disk
}

/// A source of randomness that depends only on `seed` (SplitMix64).
fn chance(seed: u64) -> Box<dyn Chance> {
    let mut state = seed;
    Box::new(move |bound: u32| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z >> 32) % u64::from(bound)).unwrap()
    })
}

/// Node `me` of `size`, on an empty disk: 10 ticks to an election, 1 to a heartbeat.
fn node(me: u32, size: u32) -> Node {
    node_on(me, size, MemoryStorage::new())
}

fn node_on(me: u32, size: u32, disk: MemoryStorage) -> Node {
    node_with(me, size, disk, |_| {})
}

fn node_with(me: u32, size: u32, disk: MemoryStorage, change: impl FnOnce(&mut Config)) -> Node {
    let mut config = Config::new(id(me), ids(size));
    change(&mut config);
    Raft::new(config, disk, chance(u64::from(me))).unwrap()
}

/// Makes a node the leader of its next term, without votes of other nodes.
fn elect(node: &mut Node) {
    node.become_candidate();
    node.become_leader();
    node.take_msgs();
}

/// Node 1 of `size`, leader of term 1, whose first entry all nodes have.
fn leader(size: u32) -> Node {
    let mut leader = node(1, size);
    settle_leader(&mut leader);
    leader
}

/// Elects `node` and lets the others accept its whole log.
fn settle_leader(node: &mut Node) {
    elect(node);
    let last = node.log().last_index().0;
    for peer in node.nodes().filter(|peer| *peer != node.id()).collect::<Vec<_>>() {
        accept(node, peer.0, last);
    }
    node.take_msgs();
}

/// Delivers node `from`'s response that it has everything up to `index`.
fn accept(node: &mut Node, from: u32, index: u64) {
    let kind = Kind::AppendResponse { index: Index(index), rejection: None };
    step(node, from, node.term().0, kind);
}

/// Delivers a message of node `from` in `term`.
fn step(node: &mut Node, from: u32, term: u64, kind: Kind) {
    node.step(Message { from: id(from), to: node.id(), term: Term(term), kind });
}

fn append(prev: Position, terms: &[u64], commit: u64) -> Kind {
    Kind::Append { prev, entries: entries(prev.index.0 + 1, terms), commit: Index(commit) }
}

fn heartbeat(commit: u64) -> Kind {
    Kind::Heartbeat { commit: Index(commit), round: 0 }
}

fn request_vote(last: Position) -> Kind {
    Kind::RequestVote { last, transfer: false }
}

fn vote(granted: bool) -> Kind {
    Kind::RequestVoteResponse { granted }
}

fn accepted(index: u64) -> Kind {
    Kind::AppendResponse { index: Index(index), rejection: None }
}

fn snapshot(position: Position, nodes: &[u32]) -> Snapshot {
    let nodes = nodes.iter().copied().map(ServerId).collect();
    Snapshot { position, conf_state: ConfState { nodes }, data: Bytes::from_static(b"state") }
}

fn snapshot_message(position: Position, nodes: &[u32]) -> Kind {
    Kind::Snapshot { snapshot: Box::new(snapshot(position, nodes)) }
}

/// Empties the outbox; returns (receiver, content) of each message.
fn said(node: &mut Node) -> Vec<(u32, Kind)> {
    node.take_msgs().into_iter().map(|message| (message.to.0, message.kind)).collect()
}

/// The terms of a node's log.
fn terms(node: &Node) -> Vec<u64> {
    node.log().all_entries().map(|entry| entry.term.0).collect()
}

fn indices<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<u64> {
    entries.map(|entry| entry.index.0).collect()
}
