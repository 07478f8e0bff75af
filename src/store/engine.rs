//! The database: opened, read, and changed in one transaction at a time.

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

/// Bytes at the begin of a database that say that it is one.
const MARK: usize = 9;

/// A server's database. A clone is another handle to the same database.
///
/// Nothing in it waits for another task: there is one writer, and readers see the state of the
/// moment at which they begin.
#[derive(Clone)]
pub(super) struct Engine {
    database: Arc<Database>,
}

/// What a server finds when it starts, the entries aside.
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
    /// Opens the database on `disk`; an empty disk is given a new one.
    pub(super) fn open(disk: &Disk) -> Result<Engine, StoreError> {
        Engine::on(disk.claim()?)
    }

    /// Opens the database on something like a disk.
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

    /// The state as it is now, whatever becomes of it meanwhile.
    pub(super) fn read(&self) -> Result<ReadTransaction, StoreError> {
        Ok(self.database.begin_read()?)
    }

    /// Carries `work` out in one transaction: all of it, or nothing. Without
    /// [`Durability::Immediate`] a crash may undo it, along with all that follows, until the next
    /// one that has it.
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

    /// What earlier lives left.
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

    /// The entries of `first..end`, end excluded, as far as they are there.
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

    /// The term of a stored entry.
    pub(super) fn term(&self, index: Index) -> Result<Option<Term>, StoreError> {
        let log = self.read()?.open_table(LOG)?;
        Ok(log.get(index.0)?.map(|row| Term(row.value().0)))
    }

    /// A key's value.
    pub(super) fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        let data = self.read()?.open_table(DATA)?;
        Ok(data.get(key)?.map(|row| row.value().to_owned()))
    }

    /// The first keys of a range with their values, all as they are at one moment.
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

/// Empties a disk on which a database was begun and not finished: a crash came in the first start.
///
/// A new database is marked as one only when it is on disk, and nothing is put into it before. So
/// without a mark at the begin and with nothing behind the header, nothing is lost. Where there is
/// something, it is damage, which the database finds by itself.
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

/// Up to which entry the data of `read` are.
pub(super) fn applied_in(read: &ReadTransaction) -> Result<Position, StoreError> {
    let row = read.open_table(APPLIED)?.get(())?;
    Ok(row.map_or_else(Position::default, |row| position(row.value())))
}

impl Found {
    /// What one transaction wrote cannot disagree. What does was not written by this service.
    fn check(&self) -> Result<(), StoreError> {
        let Found { hard_state, truncated, last, applied, .. } = self;
        let in_order = truncated.index <= applied.index
            && applied.index <= hard_state.commit
            && hard_state.commit <= last.index;
        if in_order {
            return Ok(());
        }
        Err(StoreError::Damaged(format!(
            "the log is cut at {truncated}, applied up to {applied}, committed up to {} and ends at \
             {last}, which are not in this order",
            hard_state.commit,
        )))
    }
}
