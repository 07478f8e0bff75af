//! The commands in the log, and the effect of applying them to the data.

use bytes::Bytes;
use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::tables::{TRUNCATED, Tables};
use crate::api::kv_rpc::RequestId;
use crate::api::{Entry, Index, Position};

/// A change, as the log has it. A leader's no-op entry has no data, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    /// A client's change.
    Write {
        key: String,
        what: Change,
        /// Identifies the operation: all its copies have it.
        request: RequestId,
    },
    /// The leader's decision to compact the log: entries up to this one are no longer needed.
    ///
    /// It is in the log, so that all servers drop the same entries when they apply it, and each
    /// server drops only entries that it has applied.
    Compact(Index),
}

/// The change of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    Put(String),
    Append(String),
    Delete,
}

impl Command {
    /// Encodes the command as an entry's data.
    pub(super) fn encode(&self) -> Bytes {
        let encoded = postcard::to_allocvec(self);
        Bytes::from(encoded.expect("commands are plain data, which can always be encoded"))
    }
}

impl Tables<'_> {
    /// Applies one entry. Returns the last entry that the log has dropped, if that has changed.
    ///
    /// The caller records, in the same transaction, that the entry is applied.
    pub(super) fn apply(
        &mut self,
        entry: &Entry,
        truncated: Index,
    ) -> Result<Option<Position>, StoreError> {
        if entry.data.is_empty() {
            return Ok(None);
        }
        let command: Command = postcard::from_bytes(&entry.data).map_err(|error| {
            StoreError::Damaged(format!("entry {} is not a command: {error}", entry.position()))
        })?;
        match command {
            Command::Write { key, what, request } => {
                if self.record_if_new(request)? {
                    self.change(&key, what)?;
                }
                Ok(None)
            }
            // The entry itself and later ones are not in the data yet, so they are never dropped.
            Command::Compact(index) => self.compact(truncated, index.min(entry.index.prev())),
        }
    }

    /// Records `request`, and returns whether it is new: the rule of sessions in
    /// [`kv`](crate::kv).
    fn record_if_new(&mut self, request: RequestId) -> Result<bool, StoreError> {
        let last = self.sessions.get(request.client.0)?.map_or(0, |row| row.value());
        let is_new = request.number > last;
        if is_new {
            self.sessions.insert(request.client.0, request.number)?;
        }
        Ok(is_new)
    }

    fn change(&mut self, key: &str, what: Change) -> Result<(), StoreError> {
        match what {
            Change::Put(value) => drop(self.data.insert(key, &value[..])?),
            Change::Append(more) => {
                let before = self.data.get(key)?.map(|row| row.value().to_owned());
                let value = before.unwrap_or_default() + &more;
                self.data.insert(key, &value[..])?;
            }
            Change::Delete => drop(self.data.remove(key)?),
        }
        Ok(())
    }

    /// Drops the log up to `index`. Returns the last entry dropped, `None` if none was.
    fn compact(&mut self, truncated: Index, index: Index) -> Result<Option<Position>, StoreError> {
        // Already dropped, or covered by a snapshot.
        let Some(term) = self.term(index)? else { return Ok(None) };
        let position = Position { term, index };
        self.drop_entries(truncated.next(), index.next())?;
        self.set(TRUNCATED, &position)?;
        Ok(Some(position))
    }
}
