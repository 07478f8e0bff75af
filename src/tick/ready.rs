//! The contract between the core and its application: the work in a `Ready`, and its order.

use super::message::Message;
use super::raft::Role;
use super::read_index::ReadState;
use super::storage::{HardState, Snapshot};
use crate::api::{Entry, ServerId};

/// Everything that the application must store, send and apply before the next `Ready`.
///
/// In this order:
///
/// 1. **Send** those `messages` that do not wait for the disk ([`Message::waits_for_disk`]).
///    Optional: they may leave with the others.
/// 2. **Store** `snapshot`, `entries` and `hard_state`: in one step if possible, else in this
///    order. An entry replaces the stored one at its index and drops all that follow. If
///    `must_sync` is set, all of this must be on disk before the next step: if a crash could lose
///    a vote or an entry, the node could promise it twice.
/// 3. **Send** the other `messages`.
/// 4. **Apply** `snapshot`, then `committed_entries` in order, then answer those `read_states`
///    whose entry is applied. Some of the committed entries may be in `entries` too, so do not
///    apply before step 2.
/// 5. Call [`RawNode::advance`](super::RawNode::advance).
///
/// Between `ready` and `advance` the node may be ticked and stepped; the results are in the next
/// `Ready`. The application owns all the fields, and may move them out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ready {
    /// The leader and this node's role, if either has changed. Not to be stored.
    pub soft_state: Option<SoftState>,
    /// Term, vote and commit index, if one has changed.
    pub hard_state: Option<HardState>,
    /// Entries to store.
    pub entries: Vec<Entry>,
    /// A snapshot to store and to apply.
    pub snapshot: Option<Snapshot>,
    /// Entries to apply. An entry without data is the no-op entry of a leader.
    pub committed_entries: Vec<Entry>,
    /// Messages to send: the whole outbox, in the order in which [`step`](super::RawNode::step) and
    /// the others filled it, so that the application finds the response to a message. They may
    /// leave in any order; losing one is harmless.
    pub messages: Vec<Message>,
    /// Reads that may be answered once their entry is applied.
    pub read_states: Vec<ReadState>,
    /// Whether step 2 must be on disk before the messages of step 3 leave; `false` if at most the
    /// commit index has changed.
    pub must_sync: bool,
}

/// The part of a node's state that its application wants to know but does not store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoftState {
    /// The leader, if it is known.
    pub lead: Option<ServerId>,
    /// The node's role.
    pub role: Role,
}
