//! Progress: how much of the log each node has, and how fast a leader sends it more.
//!
//! Without flow control a follower is always in [`Flow::Replicate`] and never paused: an append is
//! sent at once, on the assumption that earlier ones arrive. With flow control, a leader first
//! sends one append per response ([`Flow::Probe`]); then it streams appends, up to a window
//! ([`Flow::Replicate`]); and it sends none while a snapshot is in flight ([`Flow::Snapshot`]).
//!
//! ```text
//!               an append is accepted
//!   ┌───────┐ ─────────────────────────► ┌───────────┐
//!   │ Probe │                            │ Replicate │
//!   └───────┘ ◄───────────────────────── └───────────┘
//!     │   ▲      an append is rejected,     │     ▲
//!     │   │      or the node is unreachable │     │
//!     │   │                                 │ (2) │ the snapshot is accepted
//!     │   │  (1)                            ▼     │
//!     │   └───────────────────────────── ┌──────────┐
//!     └────────────────────────────────► │ Snapshot │
//!                  (2)                   └──────────┘
//!
//! (1) a report says what became of the snapshot, or none has come for an election timeout
//! (2) the entries to send next are compacted
//! ```

use std::collections::VecDeque;
use std::ops::{Index as At, IndexMut as AtMut};

use crate::api::{Index, ServerId, quorum_size};

/// A leader's record of one node, itself included (`nextIndex` and `matchIndex` of Figure 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub(super) id: ServerId,
    pub(super) matched: Index,
    pub(super) next: Index,
    pub(super) flow: Flow,
    /// The last entry of each append without a response; empty without flow control.
    pub(super) inflight: VecDeque<Index>,
    /// Whether the node has responded since the last check (check quorum).
    pub(super) recent_active: bool,
    /// The newest round of reads that the node has responded to.
    pub(super) round: u64,
    /// The node's response in the current election, if there is one.
    pub(super) vote: Option<bool>,
    pub(super) outgoing: Outgoing,
}

/// The pace of a leader's appends to a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// One append at a time: it is not known yet where the logs agree.
    Probe {
        /// Whether that append is in flight.
        sent: bool,
    },
    /// As many appends as the window allows.
    Replicate,
    /// No append: a snapshot is in flight.
    Snapshot {
        /// The snapshot's end.
        index: Index,
        /// Number of heartbeat responses since it was sent.
        answered: u32,
    },
}

/// The append in the outbox that more entries for the same node may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Outgoing {
    /// The epoch of the outbox that it is in; 0 if there is no such append.
    pub(super) epoch: u64,
    /// Its offset in the outbox.
    pub(super) at: usize,
    /// Bytes of commands in it.
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

    /// The id of the node.
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

    /// The pace of the appends to it.
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// Number of appends in flight; 0 without flow control.
    pub fn inflight(&self) -> usize {
        self.inflight.len()
    }

    /// Whether no append may be sent now, with a window of `inflight_max`.
    pub(super) fn is_paused(&self, inflight_max: usize) -> bool {
        // Handout 2B: whether to send nothing now; without flow control, never.
        match self.flow {
            Flow::Probe { sent } => sent,
            Flow::Replicate => self.inflight.len() >= inflight_max,
            Flow::Snapshot { .. } => true,
        }
    }

    /// Records that the node has everything up to `index`; returns whether `matched` rose.
    pub(super) fn update(&mut self, index: Index) -> bool {
        // Handout 2B: note that the node has all up to an index; a late answer changes nothing.
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

    /// Moves `next` back after `prev` was rejected; returns `false` if the rejection is stale.
    ///
    /// The logs agree up to `agreed` at best.
    pub(super) fn back_up(&mut self, prev: Index, agreed: Index) -> bool {
        // Handout 2B: move `next` back, but never to what the node is known to have.
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

    /// Returns to one append at a time.
    pub(super) fn become_probe(&mut self) {
        // Handout 2B: for flow control only: send one append per response.
        self.flow = Flow::Probe { sent: false };
        self.inflight.clear();
    }

    /// Starts to stream the entries after `matched`.
    pub(super) fn become_replicate(&mut self) {
        // Handout 2B: for flow control only: send as many as the window allows.
        self.flow = Flow::Replicate;
        self.next = self.matched.next();
        self.inflight.clear();
    }

    /// Pauses while the snapshot that ends at `index` is in flight.
    pub(super) fn become_snapshot(&mut self, index: Index) {
        // Handout 2D: for flow control only.
        self.flow = Flow::Snapshot { index, answered: 0 };
        self.next = index.next();
        self.inflight.clear();
    }
}

/// All nodes of the cluster, this one too, in the order of their ids.
///
/// There are only a few, so a lookup scans them all.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracker {
    nodes: Vec<Progress>,
}

impl Tracker {
    /// Tracks the nodes of `ids`, each once.
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

    /// The slot of node `id`; `None` for an unknown node.
    pub(super) fn slot(&self, id: ServerId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Forgets everything about all nodes.
    pub(super) fn reset(&mut self) {
        for node in &mut self.nodes {
            *node = Progress::new(node.id);
        }
    }

    /// Whether `holds` is true for a majority of the nodes.
    pub(super) fn is_majority(&self, holds: impl Fn(&Progress) -> bool) -> bool {
        // Handout 2A: whether a majority of all nodes fits.
        self.nodes.iter().filter(|node| holds(node)).count() >= quorum_size(self.nodes.len())
    }

    /// The greatest value that a majority has reached.
    pub(super) fn majority_has<V: Copy + Ord + Default>(&self, of: impl Fn(&Progress) -> V) -> V {
        // Handout 2B: the greatest value that a majority has reached.
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
