//! The tables of the database: some for the log, some for the data, changed together.
//!
//! ```text
//! raft_log     index ──► term, data            what Raft must not forget
//! raft_state   "hard", "members", "truncated"
//! ─────────────────────────────────────────
//! data         key ──► value                   the result of the entries up to `applied`
//! sessions     client ──► number
//! applied      the last entry in the data
//! ```
//!
//! All tables are in one database, so that one transaction can change all of them, or none.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use crate::api::{Entry, Index, Position, Term};

pub(super) const LOG: TableDefinition<'_, u64, (u64, &[u8])> = TableDefinition::new("raft_log");
pub(super) const RAFT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("raft_state");
pub(super) const DATA: TableDefinition<'_, &str, &str> = TableDefinition::new("data");
pub(super) const SESSIONS: TableDefinition<'_, u64, u64> = TableDefinition::new("sessions");
pub(super) const APPLIED: TableDefinition<'_, (), (u64, u64)> = TableDefinition::new("applied");

/// Term, vote and commit index, in [`RAFT`].
pub(super) const HARD: &str = "hard";

/// The members of the cluster, in [`RAFT`].
pub(super) const MEMBERS: &str = "members";

/// The last entry that the log has dropped, in [`RAFT`].
pub(super) const TRUNCATED: &str = "truncated";

/// All tables, within a transaction that changes them.
pub(super) struct Tables<'t> {
    log: Table<'t, u64, (u64, &'static [u8])>,
    raft: Table<'t, &'static str, &'static [u8]>,
    pub(super) data: Table<'t, &'static str, &'static str>,
    pub(super) sessions: Table<'t, u64, u64>,
    applied: Table<'t, (), (u64, u64)>,
}

impl<'t> Tables<'t> {
    /// Opens all tables; missing ones are created.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Tables<'t>, StoreError> {
        Ok(Tables {
            log: transaction.open_table(LOG)?,
            raft: transaction.open_table(RAFT)?,
            data: transaction.open_table(DATA)?,
            sessions: transaction.open_table(SESSIONS)?,
            applied: transaction.open_table(APPLIED)?,
        })
    }

    /// Writes `entries`, which follow each other, over a log that ends at `last`.
    ///
    /// The old entries from the first one's index on are gone.
    pub(super) fn append(&mut self, entries: &[Entry], last: Index) -> Result<(), StoreError> {
        for entry in entries {
            self.log.insert(entry.index.0, (entry.term.0, &entry.data[..]))?;
        }
        match entries.last() {
            Some(entry) if entry.index < last => {
                self.log.retain_in(entry.index.next().0.., |_, _| false)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Drops the entries of `start..end`, end excluded. The cost depends on what is dropped.
    pub(super) fn drop_entries(&mut self, start: Index, end: Index) -> Result<(), StoreError> {
        Ok(self.log.retain_in(start.0..end.0, |_, _| false)?)
    }

    /// The term of a stored entry.
    pub(super) fn term(&self, index: Index) -> Result<Option<Term>, StoreError> {
        Ok(self.log.get(index.0)?.map(|row| Term(row.value().0)))
    }

    /// Writes a value of the Raft state.
    pub(super) fn set<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        self.raft.insert(name, &postcard::to_allocvec(value)?[..])?;
        Ok(())
    }

    /// Records the last entry in the data.
    pub(super) fn set_applied(&mut self, position: Position) -> Result<(), StoreError> {
        self.applied.insert((), (position.term.0, position.index.0))?;
        Ok(())
    }
}

/// Reads a value of the Raft state; the default if none was written.
pub(super) fn get<T: DeserializeOwned + Default>(
    raft: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<T, StoreError> {
    let row = raft.get(name)?;
    Ok(row.map(|row| postcard::from_bytes(row.value())).transpose()?.unwrap_or_default())
}

/// Converts a row to a position.
pub(super) fn position((term, index): (u64, u64)) -> Position {
    Position { term: Term(term), index: Index(index) }
}
