//! What can go wrong with stored state.

/// Why stored state could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// The content is not what was written. The server must not start from it: a term or a vote
    /// that is forgotten can be given twice. Restore the state from a copy, or give the server's
    /// place in the cluster to a new one.
    #[error(
        "stored state is damaged: record {record} at byte {offset}: {what}; \
         do not start a server from it: restore a copy, or replace the server by a new one"
    )]
    Damaged {
        /// Which record, counted from 0, in the order of [`Persister::export`].
        ///
        /// [`Persister::export`]: super::Persister::export
        record: u64,
        /// Where that record begins, in bytes from the start.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The device failed. The server must stop: nothing since the last sync may be promised.
    #[error("stored state could not be reached: {0}; stop the server and look at its device")]
    Io(#[from] std::io::Error),
}
