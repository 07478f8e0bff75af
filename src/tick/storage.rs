//! A node's disk, as the core reads it.
//!
//! The core never writes: a [`Ready`](super::Ready) names what to write, and the application writes
//! it. So the core only reads a `Storage`: at the start, to notice a compaction, and when a
//! follower needs a snapshot.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::{Entry, Index, Position, ServerId, Term};

/// Term, vote and commit index: what besides the log must survive a crash.
///
/// Term and vote must be on disk before a message that relies on them leaves (Figure 2, persistent
/// state). The commit index on disk may lag behind: a restarted node learns it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HardState {
    /// The latest term seen.
    pub term: Term,
    /// The candidate that has this term's vote.
    pub vote: Option<ServerId>,
    /// The highest index known to be committed.
    pub commit: Index,
}

/// The members of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConfState {
    /// All nodes; each has a vote.
    pub nodes: Vec<ServerId>,
}

/// The application's state after some entry, in place of the entries up to there (Raft §7).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that it covers.
    pub position: Position,
    /// The members of the cluster as of that entry.
    pub conf_state: ConfState,
    /// The state, opaque to the core. It may be only a name if the data travel in another way.
    pub data: Bytes,
}

/// The reason why a storage cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A snapshot covers the entry. Send the snapshot instead.
    #[error("the entry is compacted")]
    Compacted,
    /// The log does not reach that far yet.
    #[error("the log does not have the entry yet")]
    Unavailable,
    /// There is a snapshot that is at least as new; drop this one.
    #[error("the snapshot is not newer than the stored one")]
    SnapOutOfDate,
    /// The snapshot is being made. Ask again later.
    #[error("the snapshot is not ready yet")]
    SnapshotTemporarilyUnavailable,
    /// The disk failed. The node must stop.
    #[error("the storage failed: {0}")]
    Failed(String),
}

/// Read access to a node's disk.
///
/// The entries kept are `first_index..=last_index`, without a gap. The term of the entry before
/// them is still known, since the snapshot up to there names it.
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
    /// beyond the log: ask for entries that it has.
    fn entries(&self, first: Index, end: Index) -> Result<Vec<Entry>, StorageError>;

    /// The term of an entry from `first_index - 1` to `last_index`.
    ///
    /// # Errors
    /// As for [`entries`](Storage::entries).
    fn term(&self, index: Index) -> Result<Term, StorageError>;

    /// Index of the first entry kept, or one beyond the last index if no entry is kept.
    fn first_index(&self) -> Index;

    /// Index of the last entry kept, or of the last one that the snapshot covers.
    fn last_index(&self) -> Index;

    /// The newest snapshot, which may be sent as it is.
    ///
    /// # Errors
    /// [`StorageError::SnapshotTemporarilyUnavailable`]: the core sends none now and asks again
    /// at the follower's next response. It handles every other error alike: the owner of the disk
    /// must stop the node.
    fn snapshot(&self) -> Result<Snapshot, StorageError>;
}
