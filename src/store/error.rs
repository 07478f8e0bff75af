//! The errors of a server's store.

use std::io;

use crate::tick;

/// What can go wrong with a server's store. No error is temporary: the server stops, or does not
/// start.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The content is not what was written. The server must not start from it: a vote or an entry
    /// that is forgotten can be promised twice. Restore the disk from a copy, or replace the server
    /// by a new one.
    #[error(
        "the store is damaged: {0}; do not start a server from it: restore a copy, or replace the \
         server by a new one"
    )]
    Damaged(String),
    /// The disk failed. The server must stop: nothing since the last sync may be promised.
    #[error("the store could not be reached: {0}; stop the server and look at its disk")]
    Failed(String),
}

/// Classifies a database's error: its content is wrong, or the disk did not do what it was asked.
fn from_redb(error: &redb::Error) -> StoreError {
    match error {
        redb::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            StoreError::Damaged(error.to_string())
        }
        redb::Error::Io(_) | redb::Error::PreviousIo => StoreError::Failed(error.to_string()),
        _ => StoreError::Damaged(error.to_string()),
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> StoreError {
                from_redb(&error.into())
            }
        })*
    };
}

from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);

impl From<postcard::Error> for StoreError {
    fn from(error: postcard::Error) -> StoreError {
        StoreError::Damaged(format!("a record cannot be read: {error}"))
    }
}

impl From<StoreError> for tick::StorageError {
    fn from(error: StoreError) -> tick::StorageError {
        tick::StorageError::Failed(error.to_string())
    }
}
