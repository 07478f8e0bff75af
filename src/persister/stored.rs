//! What a service above finds of its own when its server starts.

use bytes::Bytes;

use super::{PersistError, Persisted, Persister};
use crate::api::Position;

/// The snapshot in what a server has stored, of a consensus that stores it as it is.
pub fn plain_snapshot(persisted: &Persisted) -> Option<(Position, Bytes)> {
    persisted.snapshot.clone().map(|data| (persisted.last_included, data))
}

/// What survived of the earlier lives of a service.
pub struct Stored {
    /// The storage below, for its size.
    pub persister: Persister,
    /// The newest snapshot, and the last entry that it covers.
    pub snapshot: Option<(Position, Bytes)>,
}

impl Stored {
    /// What `persister` has, of a consensus that stores snapshots as they are.
    ///
    /// # Errors
    /// [`PersistError`]: the storage cannot be read. The server must not start.
    pub fn read(persister: Persister) -> Result<Stored, PersistError> {
        let snapshot = plain_snapshot(&persister.load()?);
        Ok(Stored { persister, snapshot })
    }
}
