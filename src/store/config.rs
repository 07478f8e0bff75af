//! What may be chosen about a server, and every number that may not.

use std::time::Duration;

/// What may be chosen about a [`StoreServer`](super::StoreServer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// How many applied entries the log may have before the leader has it cut; `None`: as many as
    /// it likes.
    pub log_gc_limit: Option<u64>,
    /// Most bytes of a snapshot in one call.
    pub chunk_bytes: usize,
    /// Most chunks that are under way to one follower.
    pub chunks_in_flight: usize,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig { log_gc_limit: Some(128_000), chunk_bytes: 64 * 1024, chunks_in_flight: 4 }
    }
}

/// How long the sender of a chunk waits for the answer before it sends the chunk again: several
/// times what a call takes on the unreliable network.
pub(super) const CHUNK_PATIENCE: Duration = Duration::from_millis(300);

/// How many chunks may be lost one after the other before the snapshot is given up; what has
/// arrived is kept, and the next attempt goes on from there.
pub(super) const CHUNK_LOSSES_MAX: u32 = 8;

/// Bytes of the database that are kept in memory. A multiple of what a run of the suite writes.
pub(super) const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// Ticks between two looks of a leader at the length of its log. Each: a look costs nothing.
pub(super) const GC_TICKS: u32 = 1;
