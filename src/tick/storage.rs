//! What a node has on disk, as the core reads it.
//!
//! The core never writes: it names what is to be written in a [`Ready`](super::Ready), and the
//! application writes it. So a `Storage` only answers questions, at the start and when a follower
//! needs a snapshot.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::{Entry, Index, Position, ServerId, Term};

/// Term, vote and commit index: what must survive a crash beside the log.
///
/// Term and vote must be on disk before a message that rests on them leaves (Figure 2, persistent
/// state). The commit index may lag behind: a restarted node would learn it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HardState {
    /// The latest term seen.
    pub term: Term,
    /// The candidate that has this term's vote.
    pub vote: Option<ServerId>,
    /// The highest index known to be committed.
    pub commit: Index,
}

/// Who belongs to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConfState {
    /// All nodes, each with a vote.
    pub nodes: Vec<ServerId>,
}

/// The application's state after some entry, in place of the entries up to there (Raft §7).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that it covers.
    pub position: Position,
    /// The cluster as of that entry.
    pub conf_state: ConfState,
    /// The state, opaque to the core. May be a mere name if the data go another way.
    pub data: Bytes,
}

/// Why the storage has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The entry is gone: a snapshot covers it. Send that instead.
    #[error("the entry is compacted")]
    Compacted,
    /// The entry is not there yet.
    #[error("the entry is not there")]
    Unavailable,
    /// A newer snapshot is there already; drop this one.
    #[error("the snapshot is older than the one there is")]
    SnapOutOfDate,
    /// The snapshot is being made. Ask again later.
    #[error("the snapshot is not ready yet")]
    SnapshotTemporarilyUnavailable,
    /// The disk failed. The node must not take part any longer.
    #[error("the storage failed: {0}")]
    Failed(String),
}

/// What the core asks of a node's disk.
///
/// The entries kept are `first_index..=last_index`, without a gap; of the one before them the term
/// is still known, since the snapshot up to there names it.
pub trait Storage {
    /// The hard state and the members; defaults on a first start.
    ///
    /// # Errors
    /// [`StorageError::Failed`]: the node does not start.
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError>;

    /// The entries of `first..end`, end excluded.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] if `first` is gone, [`StorageError::Unavailable`] if `end` is
    /// beyond the log: ask for what is there.
    fn entries(&self, first: Index, end: Index) -> Result<Vec<Entry>, StorageError>;

    /// The term of an entry from `first_index - 1` to `last_index`.
    ///
    /// # Errors
    /// As for [`entries`](Storage::entries).
    fn term(&self, index: Index) -> Result<Term, StorageError>;

    /// The first entry kept; one beyond the last if none is.
    fn first_index(&self) -> Index;

    /// The last entry kept, or the last one that the snapshot covers.
    fn last_index(&self) -> Index;

    /// The newest snapshot: an `Ok` is one that may be sent as it is.
    ///
    /// # Errors
    /// [`StorageError::SnapshotTemporarilyUnavailable`]: the core sends none now and asks again
    /// at the follower's next answer. It does so too after any other error: who owns the disk
    /// stops the node.
    fn snapshot(&self) -> Result<Snapshot, StorageError>;
}
