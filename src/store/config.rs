//! The settings of a server, and the numbers that are not settings.

use std::time::Duration;

/// The settings of a [`StoreServer`](super::StoreServer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// How many applied entries the log may have before the leader has it cut; `None`: any number.
    pub log_gc_limit: Option<u64>,
    /// Most bytes of a snapshot in one call.
    pub chunk_bytes: usize,
    /// Most chunks in flight to one follower.
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

/// How many chunks may be lost in a row before the snapshot is given up.
///
/// The chunks that have arrived are kept, and the next attempt continues from there.
pub(super) const CHUNK_LOSSES_MAX: u32 = 8;

/// Bytes of the database that are kept in memory. A multiple of what a run of the suite writes.
pub(super) const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// Ticks between two checks of the log's length by a leader: one, as a check costs nothing.
pub(super) const GC_TICKS: u32 = 1;
