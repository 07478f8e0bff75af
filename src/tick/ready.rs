//! What the core wants done: the contract between it and the application.

use super::message::Message;
use super::raft::Role;
use super::read_index::ReadState;
use super::storage::{HardState, Snapshot};
use crate::api::{Entry, ServerId};

/// Everything that is to be stored, sent and applied before the next one.
///
/// In this order:
///
/// 1. **Send** those `messages` that do not wait for the disk ([`Message::waits_for_disk`]).
///    Optional: they may go with the others.
/// 2. **Store** `snapshot`, `entries` and `hard_state`, in one step if that is possible, and in
///    this order if not. An entry replaces what is stored at its index and drops all that
///    follows. If `must_sync`, they are on disk before the next step: a vote or an entry that a
///    crash can forget can be promised twice.
/// 3. **Send** the other `messages`.
/// 4. **Apply** `snapshot`, then `committed_entries` in order, then answer `read_states` as far
///    as the state machine has come. Some of the committed entries may be in `entries` too: not
///    before step 2.
/// 5. Call [`RawNode::advance`](super::RawNode::advance).
///
/// Between `ready` and `advance` the node may be ticked and stepped; what comes of it is in the
/// next one. Everything in here belongs to the application, which may move it out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ready {
    /// Who leads and what this node is, if either has changed. Not to be stored.
    pub soft_state: Option<SoftState>,
    /// Term, vote and commit index, if one has changed.
    pub hard_state: Option<HardState>,
    /// Entries to store.
    pub entries: Vec<Entry>,
    /// A snapshot to store and to apply.
    pub snapshot: Option<Snapshot>,
    /// Entries to apply; those without data a leader began its term with.
    pub committed_entries: Vec<Entry>,
    /// Messages to send. The order does not matter; a lost one is made up for.
    pub messages: Vec<Message>,
    /// Reads that may be answered once their entry is applied.
    pub read_states: Vec<ReadState>,
    /// Whether what is stored must be on disk before the messages that wait for it leave; `false`
    /// if at most the commit index has changed.
    pub must_sync: bool,
}

/// What a node is, as far as it is worth a word to others but no place on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoftState {
    /// The leader, as far as it is known.
    pub lead: Option<ServerId>,
    /// What the node is to the others.
    pub role: Role,
}
