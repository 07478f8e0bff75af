//! Errors of stored state.

/// Why stored state could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// The content is not what was written. The server must not start from it: a server that
    /// forgets its term or its vote can vote twice. Restore the state from a copy, or replace the
    /// server by a new one.
    #[error(
        "stored state is damaged: record {record} at byte {offset}: {what}; \
         do not start a server from it: restore a copy, or replace the server by a new one"
    )]
    Damaged {
        /// Number of the record, counted from 0, in the order of [`Persister::export`].
        ///
        /// [`Persister::export`]: super::Persister::export
        record: u64,
        /// Byte offset of that record from the start.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The device failed. The server must stop: it may promise nothing written since the last sync.
    #[error("stored state could not be reached: {0}; stop the server and look at its device")]
    Io(#[from] std::io::Error),
}
