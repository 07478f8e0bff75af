//! Reads stored bytes: yields the state that a server starts with, or the place of the damage.

use crate::api::{Entry, Index};

use super::frame::Record;
use super::{PersistError, Persisted};

/// Reads `bytes`, the whole content of a storage.
///
/// # Errors
/// [`PersistError::Damaged`] with the first record that is not as it was written.
pub(super) fn read(bytes: &[u8]) -> Result<Persisted, PersistError> {
    let mut reader = Reader { bytes, record: 0, start: 0, end: 0 };
    let mut persisted = Persisted::default();
    match reader.next()? {
        Record::Vote { current_term, voted_for } => {
            persisted.current_term = current_term;
            persisted.voted_for = voted_for;
        }
        _ => return Err(reader.damage("term and vote do not come first")),
    }
    loop {
        match reader.next()? {
            Record::Vote { .. } => return Err(reader.damage("term and vote come twice")),
            Record::Snapshot { last_included, data } => {
                if reader.record != 1 {
                    return Err(reader.damage("a snapshot follows an entry or another snapshot"));
                }
                persisted.last_included = last_included;
                persisted.snapshot = Some(data.to_bytes());
            }
            Record::Entry { term, index, data } => {
                if index != next_index(&persisted) {
                    return Err(reader.damage("an entry does not follow the one before it"));
                }
                persisted.entries.push(Entry { term, index, data: data.to_bytes() });
            }
            Record::End { record_count } if record_count != reader.record => {
                return Err(reader.damage("the count of records does not match"));
            }
            Record::End { .. } if reader.end != bytes.len() => {
                return Err(reader.damage("bytes follow the end"));
            }
            Record::End { .. } => return Ok(persisted),
        }
    }
}

fn next_index(persisted: &Persisted) -> Index {
    persisted.entries.last().map_or(persisted.last_included, Entry::position).index.next()
}

/// Walks the records of stored bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Number of the record that was read last.
    record: u64,
    /// Offset at which that record begins.
    start: usize,
    /// Offset at which that record ends and the next one begins.
    end: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Record<'a>, PersistError> {
        self.record += u64::from(self.end > 0);
        self.start = self.end;
        let (record, rest) =
            Record::decode(&self.bytes[self.start..]).map_err(|what| self.damage(what))?;
        self.end = self.bytes.len() - rest.len();
        Ok(record)
    }

    fn damage(&self, what: &'static str) -> PersistError {
        PersistError::Damaged { record: self.record, offset: self.start as u64, what }
    }
}
