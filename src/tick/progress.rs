//! What a node knows of the others: how far each has the log, and how fast it may be sent more.
//!
//! Without flow control a follower is always in [`Flow::Replicate`] and nothing is held back: an
//! append is sent at once, on the assumption that the ones before it arrive. With it, a leader
//! first feels its way, one append per answer ([`Flow::Probe`]); then streams, up to a window
//! ([`Flow::Replicate`]); and falls silent while a snapshot is under way ([`Flow::Snapshot`]).
//!
//! ```text
//!              an append is taken                   no entries left to send it
//!   ┌───────┐ ─────────────────────► ┌───────────┐            ┌──────────┐
//!   │ Probe │                        │ Replicate │ ──────────►│ Snapshot │
//!   └───────┘ ◄───────────────────── └───────────┘            └──────────┘
//!       ▲      one is refused, or the node is unreachable           │
//!       └───────────────────────────────────────────────────────────┘
//!                      the snapshot has arrived, or has not
//! ```

use std::collections::VecDeque;
use std::ops::{Index as At, IndexMut as AtMut};

use crate::api::{Index, ServerId, quorum_size};

/// What a leader knows of one node, itself included (`nextIndex` and `matchIndex` of Figure 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub(super) id: ServerId,
    pub(super) matched: Index,
    pub(super) next: Index,
    pub(super) flow: Flow,
    /// The last entry of each append without an answer; empty without flow control.
    pub(super) inflight: VecDeque<Index>,
    /// Whether the node was heard from since the last look (check quorum).
    pub(super) recent_active: bool,
    /// The newest round of reads that the node has answered.
    pub(super) round: u64,
    /// The answer to the current campaign.
    pub(super) vote: Option<bool>,
    pub(super) outgoing: Outgoing,
}

/// How a leader paces what it sends to a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// One append at a time: where the logs agree is not known yet.
    Probe {
        /// Whether that append is under way.
        sent: bool,
    },
    /// As many appends as the window allows.
    Replicate,
    /// None: a snapshot is under way.
    Snapshot {
        /// The snapshot's end.
        index: Index,
        /// Heartbeats that were answered since it was sent.
        answered: u32,
    },
}

/// The append in the outbox that more entries for the same node may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Outgoing {
    /// Which filling of the outbox it is in; 0 is none.
    pub(super) epoch: u64,
    /// Its place there.
    pub(super) at: usize,
    /// Bytes of commands that it carries.
    pub(super) bytes: usize,
}

impl Progress {
    fn new(id: ServerId) -> Progress {
        Progress {
            id,
            matched: Index(0),
            next: Index(1),
            flow: Flow::Replicate,
            inflight: VecDeque::new(),
            recent_active: false,
            round: 0,
            vote: None,
            outgoing: Outgoing::default(),
        }
    }

    /// The node.
    pub const fn id(&self) -> ServerId {
        self.id
    }

    /// Highest index known to be replicated there. Never decreases within a term of leadership.
    pub const fn matched(&self) -> Index {
        self.matched
    }

    /// The next entry to send; always beyond `matched`.
    pub const fn next(&self) -> Index {
        self.next
    }

    /// How it is paced.
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// How many appends are under way, as far as they are counted.
    pub fn inflight(&self) -> usize {
        self.inflight.len()
    }

    /// Whether nothing may be sent now, with a window of `inflight_max`.
    pub(super) fn is_paused(&self, inflight_max: usize) -> bool {
        match self.flow {
            Flow::Probe { sent } => sent,
            Flow::Replicate => self.inflight.len() >= inflight_max,
            Flow::Snapshot { .. } => true,
        }
    }

    /// Takes over an answer that the node has everything up to `index`; whether that is news.
    pub(super) fn update(&mut self, index: Index) -> bool {
        if index <= self.matched {
            return false;
        }
        self.matched = index;
        self.next = self.next.max(index.next());
        while self.inflight.front().is_some_and(|last| *last <= index) {
            self.inflight.pop_front();
        }
        true
    }

    /// Takes over that `prev` was refused and that the logs agree at `agreed` at best; whether the
    /// answer belongs to something that still stands.
    pub(super) fn back_up(&mut self, prev: Index, agreed: Index) -> bool {
        let stale = match self.flow {
            Flow::Probe { .. } => self.next.prev() != prev,
            Flow::Replicate => prev <= self.matched,
            Flow::Snapshot { .. } => true,
        };
        if stale {
            return false;
        }
        self.next = prev.min(agreed.next()).max(self.matched.next());
        true
    }

    /// Goes back to one append at a time.
    pub(super) fn become_probe(&mut self) {
        self.flow = Flow::Probe { sent: false };
        self.inflight.clear();
    }

    /// Starts to stream after what is known to be there.
    pub(super) fn become_replicate(&mut self) {
        self.flow = Flow::Replicate;
        self.next = self.matched.next();
        self.inflight.clear();
    }

    /// Falls silent while the snapshot that ends at `index` is under way.
    pub(super) fn become_snapshot(&mut self, index: Index) {
        self.flow = Flow::Snapshot { index, answered: 0 };
        self.next = index.next();
        self.inflight.clear();
    }
}

/// All nodes of the cluster, this one too, in the order of their ids.
///
/// A handful: to look one up is to look at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracker {
    nodes: Vec<Progress>,
}

impl Tracker {
    /// The nodes of `ids`, each once.
    pub(super) fn new(mut ids: Vec<ServerId>) -> Tracker {
        ids.sort_unstable();
        ids.dedup();
        Tracker { nodes: ids.into_iter().map(Progress::new).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Progress> {
        self.nodes.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Progress> {
        self.nodes.iter_mut()
    }

    /// The place of node `id`; `None` for a stranger.
    pub(super) fn slot(&self, id: ServerId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Starts anew: nothing is known of anybody.
    pub(super) fn reset(&mut self) {
        for node in &mut self.nodes {
            *node = Progress::new(node.id);
        }
    }

    /// Whether the nodes that `holds` is true of are a majority.
    pub(super) fn is_majority(&self, holds: impl Fn(&Progress) -> bool) -> bool {
        self.nodes.iter().filter(|node| holds(node)).count() >= quorum_size(self.nodes.len())
    }

    /// The greatest value that a majority has reached.
    pub(super) fn majority_has<V: Copy + Ord + Default>(&self, of: impl Fn(&Progress) -> V) -> V {
        let mut reached = V::default();
        for node in &self.nodes {
            let value = of(node);
            if value > reached && self.is_majority(|other| of(other) >= value) {
                reached = value;
            }
        }
        reached
    }
}

impl At<usize> for Tracker {
    type Output = Progress;

    fn index(&self, slot: usize) -> &Progress {
        &self.nodes[slot]
    }
}

impl AtMut<usize> for Tracker {
    fn index_mut(&mut self, slot: usize) -> &mut Progress {
        &mut self.nodes[slot]
    }
}
