//! The snapshot that a service finds in storage when its server starts.

use bytes::Bytes;

use super::{PersistError, Persisted, Persister};
use crate::api::Position;

/// Returns the stored snapshot, for a consensus that stores the service's snapshots unchanged.
pub fn plain_snapshot(persisted: &Persisted) -> Option<(Position, Bytes)> {
    persisted.snapshot.clone().map(|data| (persisted.last_included, data))
}

/// The state that survived a service's earlier lives.
pub struct Stored {
    /// The consensus's storage; the service reads its size.
    pub persister: Persister,
    /// The newest snapshot, and the last entry that it covers.
    pub snapshot: Option<(Position, Bytes)>,
}

impl Stored {
    /// Reads `persister`, for a consensus that stores the service's snapshots unchanged.
    ///
    /// # Errors
    /// [`PersistError`]: the storage cannot be read. The server must not start.
    pub fn read(persister: Persister) -> Result<Stored, PersistError> {
        let snapshot = plain_snapshot(&persister.load()?);
        Ok(Stored { persister, snapshot })
    }
}
