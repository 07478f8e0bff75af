//! Numbering: from indices of the log to numbers of commands, and back.
//!
//! A leader begins its term with a no-op entry, so the third command of a service may have index 5.
//! The service counts commands, and never learns of no-op entries:
//!
//! ```text
//! index      1    2    3    4    5    6
//! term       1    1    1    3    3    3
//! entry      ─    a    b    ─    c    d
//! command         1    2         3    4
//! ```
//!
//! Logs that agree up to an entry (Figure 3, Log Matching) have the same number of commands up to
//! it. So a command's number is as good a promise as its index: once the entry is committed, the
//! number is the same on every server.
//!
//! An entry with a command begins with a tag, which distinguishes an empty command from no command.
//! A snapshot begins with the number of commands up to its end, since those entries are gone.
//!
//! Differs: a service is told numbers of commands in place of indices of the log.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use crate::api::{Entry, Index, Position};
use crate::persister::{PersistError, Persisted};

/// The first byte of an entry that has a command.
const COMMAND: u8 = 1;

/// Bytes at the start of a snapshot, before the service's own data.
const HEADER: usize = size_of::<u64>();

/// Keeps track of which entries of a log are commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Numbering {
    /// The last entry that the snapshot covers.
    base: Index,
    /// Number of commands up to there, which is also the last one's number.
    base_command: Index,
    /// The last entry of the log.
    last: Index,
    /// The no-op entries after `base`, ascending: one per term.
    silent: VecDeque<Index>,
}

impl Numbering {
    /// Numbers the commands that a server had stored.
    ///
    /// # Errors
    /// No driver stored the snapshot: the server does not start.
    pub(super) fn of(persisted: &Persisted) -> Result<Numbering, PersistError> {
        let mut numbering = Numbering::default();
        if let Some(snapshot) = &persisted.snapshot {
            let (command, _) = unwrap_snapshot(snapshot)?;
            numbering.install(persisted.last_included.index, command);
        }
        numbering.learn(&persisted.entries);
        Ok(numbering)
    }

    /// Index of the last entry that it knows of.
    pub(super) const fn last(&self) -> Index {
        self.last
    }

    /// Adds `entries`, which replace everything from the first one's index on.
    pub(super) fn learn(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let kept = self.silent.partition_point(|index| *index < first.index);
        self.silent.truncate(kept);
        for entry in entries {
            if entry.data.is_empty() {
                self.silent.push_back(entry.index);
            }
            self.last = entry.index;
        }
    }

    /// Number of commands up to the entry at `index`: the entry's own number, if it is a command.
    pub(super) fn commands_up_to(&self, index: Index) -> Index {
        let silent = self.silent.partition_point(|other| *other <= index) as u64;
        Index(self.base_command.0 + index.0.saturating_sub(self.base.0) - silent)
    }

    /// Index of command number `command`; `None` if a snapshot covers it or it does not exist yet.
    pub(super) fn place_of(&self, command: Index) -> Option<Index> {
        let ahead = command.0.checked_sub(self.base_command.0).filter(|ahead| *ahead > 0)?;
        let mut index = Index(self.base.0 + ahead);
        for silent in &self.silent {
            if *silent > index {
                break;
            }
            index = index.next();
        }
        (index <= self.last).then_some(index)
    }

    /// Notes that the server's own snapshot covers the log up to `index`; later entries stay.
    pub(super) fn compact(&mut self, index: Index) {
        self.base_command = self.commands_up_to(index);
        self.base = index;
        let covered = self.silent.partition_point(|other| *other <= index);
        self.silent.drain(..covered);
    }

    /// Replaces the log by a snapshot up to `index` that ends with command number `command`.
    pub(super) fn install(&mut self, index: Index, command: Index) {
        let (base, last) = (index, index);
        *self = Numbering { base, base_command: command, last, silent: VecDeque::new() };
    }
}

/// The data of the entry that carries `command`.
pub(super) fn wrap_command(command: &[u8]) -> Bytes {
    let mut data = BytesMut::with_capacity(1 + command.len());
    data.put_u8(COMMAND);
    data.put_slice(command);
    data.freeze()
}

/// The command in an entry's `data`, if there is one.
pub(super) fn unwrap_command(data: &Bytes) -> Option<Bytes> {
    (data.first() == Some(&COMMAND)).then(|| data.slice(1..))
}

/// The data of a snapshot whose last command is number `command`.
pub(super) fn wrap_snapshot(command: Index, data: &[u8]) -> Bytes {
    let mut wrapped = BytesMut::with_capacity(HEADER + data.len());
    wrapped.put_u64(command.0);
    wrapped.put_slice(data);
    wrapped.freeze()
}

/// The number of the last command that a snapshot covers, and the service's own data.
///
/// # Errors
/// [`PersistError::Damaged`]: no driver made the snapshot.
pub(super) fn unwrap_snapshot(data: &Bytes) -> Result<(Index, Bytes), PersistError> {
    let what = "a snapshot that does not say how many commands it covers";
    let damaged = PersistError::Damaged { record: 0, offset: 0, what };
    let (header, _) = data.split_first_chunk::<HEADER>().ok_or(damaged)?;
    Ok((Index(u64::from_be_bytes(*header)), data.slice(HEADER..)))
}

/// The service's own snapshot in what a server had stored, with the position of its last command.
///
/// The index of that position is the command's number, as the service counts.
pub fn service_snapshot(persisted: &Persisted) -> Option<(Position, Bytes)> {
    let (index, data) = unwrap_snapshot(persisted.snapshot.as_ref()?).ok()?;
    Some((Position { index, ..persisted.last_included }, data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Term;

    /// Entries from `first` on: `-` carries no command.
    fn entries(first: u64, kinds: &str) -> Vec<Entry> {
        let data = |kind| if kind == '-' { Bytes::new() } else { wrap_command(b"") };
        let entry = |(index, kind)| Entry { term: Term(1), index: Index(index), data: data(kind) };
        (first..).zip(kinds.chars()).map(entry).collect()
    }

    fn numbers(numbering: &Numbering, first: u64) -> Vec<u64> {
        (first..=numbering.last.0).map(|index| numbering.commands_up_to(Index(index)).0).collect()
    }

    fn places(numbering: &Numbering, commands: u64) -> Vec<Option<u64>> {
        let place = |command| numbering.place_of(Index(command)).map(|index| index.0);
        (0..=commands).map(place).collect()
    }

    #[test]
    fn commands_are_counted_and_found_again() {
        let mut numbering = Numbering::default();
        numbering.learn(&entries(1, "-cc--cc"));
        assert_eq!(numbers(&numbering, 1), [0, 1, 2, 2, 2, 3, 4]);
        assert_eq!(places(&numbering, 5), [None, Some(2), Some(3), Some(6), Some(7), None]);
    }

    #[test]
    fn entries_replace_what_stood_there() {
        let mut numbering = Numbering::default();
        numbering.learn(&entries(1, "-c-cc"));
        numbering.learn(&entries(3, "cc"));
        assert_eq!(numbers(&numbering, 1), [0, 1, 2, 3]);
        assert_eq!(numbering.last(), Index(4));
    }

    #[test]
    fn a_snapshot_keeps_the_count() {
        let mut numbering = Numbering::default();
        numbering.learn(&entries(1, "-cc-c-c"));
        numbering.compact(Index(5));
        assert_eq!(numbers(&numbering, 5), [3, 3, 4]);
        assert_eq!(places(&numbering, 4), [None, None, None, None, Some(7)]);
        numbering.install(Index(20), Index(9));
        numbering.learn(&entries(21, "-c"));
        assert_eq!(numbers(&numbering, 20), [9, 9, 10]);
        assert_eq!(numbering.place_of(Index(10)), Some(Index(22)));
    }

    #[test]
    fn what_was_stored_is_numbered_again() {
        let persisted = Persisted {
            last_included: Position { term: Term(1), index: Index(5) },
            snapshot: Some(wrap_snapshot(Index(3), b"state")),
            entries: entries(6, "-c"),
            ..Persisted::default()
        };
        let numbering = Numbering::of(&persisted).unwrap();
        assert_eq!(numbers(&numbering, 5), [3, 3, 4]);
        let at = Position { term: Term(1), index: Index(3) };
        assert_eq!(service_snapshot(&persisted), Some((at, Bytes::from_static(b"state"))));
    }

    #[test]
    fn an_empty_command_is_a_command() {
        assert_eq!(unwrap_command(&wrap_command(b"")), Some(Bytes::new()));
        assert_eq!(unwrap_command(&Bytes::new()), None, "a no-op entry has no command");
    }

    #[test]
    fn a_snapshot_without_a_count_is_damage() {
        let snapshot = Some(Bytes::from_static(b"seven.."));
        let persisted = Persisted { snapshot, ..Persisted::default() };
        assert!(matches!(Numbering::of(&persisted), Err(PersistError::Damaged { .. })));
    }
}
