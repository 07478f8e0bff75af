//! The database: opened, read, and changed by one transaction at a time.

use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::{
    Builder, Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, TableError,
};

use super::config::CACHE_BYTES;
use super::disk::Disk;
use super::error::StoreError;
use super::rpc::{Keys, ScanArgs};
use super::tables::{APPLIED, DATA, HARD, LOG, MEMBERS, RAFT, TRUNCATED, Tables, get, position};
use crate::api::{Entry, Index, Position, Term};
use crate::tick::{ConfState, HardState};

/// Bytes at the start of a database that mark it as one.
const MARK: usize = 9;

/// A server's database. A clone is another handle to the same database.
///
/// Nothing in it waits for another task: there is one writer, and a reader sees the state at the
/// moment when it begins.
#[derive(Clone)]
pub(super) struct Engine {
    database: Arc<Database>,
}

/// What a server finds when it starts, without the entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) hard_state: HardState,
    pub(super) members: ConfState,
    pub(super) truncated: Position,
    /// The last entry of the log, or `truncated`.
    pub(super) last: Position,
    pub(super) applied: Position,
}

impl Engine {
    /// Opens the database on `disk`; on an empty disk it creates one.
    pub(super) fn open(disk: &Disk) -> Result<Engine, StoreError> {
        Engine::on(disk.claim()?)
    }

    /// Opens the database on any backend that works like a disk.
    pub(super) fn on(backend: impl StorageBackend) -> Result<Engine, StoreError> {
        clear_unfinished(&backend).map_err(redb::StorageError::from)?;
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let database = Arc::new(builder.create_with_backend(backend)?);
        let engine = Engine { database };
        match engine.read()?.open_table(LOG) {
            Err(TableError::TableDoesNotExist(_)) => {
                engine.write(Durability::Immediate, |_| Ok(()))?;
            }
            other => drop(other?),
        }
        Ok(engine)
    }

    /// Begins to read the state as it is now; later changes are not visible.
    pub(super) fn read(&self) -> Result<ReadTransaction, StoreError> {
        Ok(self.database.begin_read()?)
    }

    /// Carries `work` out in one transaction: all of it, or nothing.
    ///
    /// Without [`Durability::Immediate`] a crash may undo the transaction, along with all that
    /// follow, up to the next one that has it.
    pub(super) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction
            .set_durability(durability)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let done = work(&mut Tables::open(&transaction)?)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Reads what earlier lives left.
    pub(super) fn load(&self) -> Result<Found, StoreError> {
        let read = self.read()?;
        let (raft, log) = (read.open_table(RAFT)?, read.open_table(LOG)?);
        let truncated = get(&raft, TRUNCATED)?;
        let last = log.last()?.map(|(index, row)| position((row.value().0, index.value())));
        let found = Found {
            hard_state: get(&raft, HARD)?,
            members: get(&raft, MEMBERS)?,
            truncated,
            last: last.unwrap_or(truncated),
            applied: applied_in(&read)?,
        };
        found.check()?;
        Ok(found)
    }

    /// Returns the entries of `first..end`, end excluded, as far as they exist.
    pub(super) fn entries(&self, first: Index, end: Index) -> Result<Vec<Entry>, StoreError> {
        let log = self.read()?.open_table(LOG)?;
        let mut entries = Vec::new();
        for row in log.range(first.0..end.0.max(first.0))? {
            let (index, row) = row?;
            let ((term, data), index) = (row.value(), Index(index.value()));
            entries.push(Entry { term: Term(term), index, data: data.to_vec().into() });
        }
        Ok(entries)
    }

    /// Returns the term of a stored entry.
    pub(super) fn term(&self, index: Index) -> Result<Option<Term>, StoreError> {
        let log = self.read()?.open_table(LOG)?;
        Ok(log.get(index.0)?.map(|row| Term(row.value().0)))
    }

    /// Returns a key's value.
    pub(super) fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let data = self.read()?.open_table(DATA)?;
        Ok(data.get(key)?.map(|row| row.value().to_owned()))
    }

    /// Returns the first keys of a range with their values, all as they are at one moment.
    pub(super) fn scan(&self, args: &ScanArgs) -> Result<Vec<(String, String)>, StoreError> {
        let (start, end) = match &args.keys {
            Keys::Range { start, end } => (start, end.as_deref()),
            Keys::Prefix(prefix) => (prefix, None),
        };
        let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(end.max(start)));
        let data = self.read()?.open_table(DATA)?;
        let mut found = Vec::new();
        for row in data.range::<&str>((Bound::Included(&start[..]), end))? {
            let (key, value) = row?;
            let ends = matches!(&args.keys, Keys::Prefix(p) if !key.value().starts_with(p));
            if ends || found.len() as u64 >= args.limit {
                break;
            }
            found.push((key.value().to_owned(), value.value().to_owned()));
        }
        Ok(found)
    }
}

/// Empties a disk whose first start crashed before its database was finished.
///
/// A new database gets its mark only when it is on disk, and nothing is put into it before. So if
/// there is no mark at the start and nothing after the header, no data are lost. Anything that is
/// there is damage, which the database finds by itself.
fn clear_unfinished(backend: &impl StorageBackend) -> io::Result<()> {
    let mut page = [0; 4096];
    let (mut at, length) = (0, backend.len()?);
    while at < length {
        let count = page.len().min(usize::try_from(length - at).unwrap_or(usize::MAX));
        backend.read(at, &mut page[..count])?;
        let marked = if at == 0 { MARK.min(count) } else { count };
        if page[..marked].iter().any(|byte| *byte != 0) {
            return Ok(());
        }
        at += count as u64;
    }
    if length > 0 { backend.set_len(0) } else { Ok(()) }
}

/// Returns the last entry that is in the data of `read`.
pub(super) fn applied_in(read: &ReadTransaction) -> Result<Position, StoreError> {
    let row = read.open_table(APPLIED)?.get(())?;
    Ok(row.map_or_else(Position::default, |row| position(row.value())))
}

impl Found {
    /// Checks that the positions are in order.
    ///
    /// One transaction writes them, so they cannot disagree; if they do, this service did not write
    /// them.
    fn check(&self) -> Result<(), StoreError> {
        let Found { hard_state, truncated, last, applied, .. } = self;
        let in_order = truncated.index <= applied.index
            && applied.index <= hard_state.commit
            && hard_state.commit <= last.index;
        if in_order {
            return Ok(());
        }
        Err(StoreError::Damaged(format!(
            "the log is compacted up to {truncated}, applied up to {applied}, committed up to {} and \
             ends at {last}, but each of these must be at or after the one before",
            hard_state.commit,
        )))
    }
}
