//! The settings of a server, and the numbers that are not settings.

use std::time::Duration;

/// The settings of a [`StoreServer`](super::StoreServer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// Number of applied entries in the log at which the leader has it compacted; `None`: never.
    pub log_gc_limit: Option<u64>,
    /// Maximum number of bytes of a snapshot in one call.
    pub chunk_bytes: usize,
    /// Maximum number of chunks in flight to one follower.
    pub chunks_in_flight: usize,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig { log_gc_limit: Some(128_000), chunk_bytes: 64 * 1024, chunks_in_flight: 4 }
    }
}

/// How long the sender of a chunk waits for the reply before it sends the chunk again.
///
/// Several times what a call takes on the unreliable network.
pub(super) const CHUNK_PATIENCE: Duration = Duration::from_millis(300);

/// Maximum number of chunks that are lost in a row before the snapshot is given up.
///
/// The chunks that have arrived are kept, and the next attempt continues from there.
pub(super) const CHUNK_LOSSES_MAX: u32 = 8;

/// Size of the database's cache in bytes: several times what a run of the suite writes.
pub(super) const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// Ticks between two checks of the log's length by a leader: one, as a check costs nothing.
pub(super) const GC_TICKS: u32 = 1;
