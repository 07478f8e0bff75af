//! The log: the entries after the snapshot, and the position where they start (Raft §5.3, §7).
//!
//! ```text
//!                last_included                        last
//!                      │                                │
//! index    1 … 6       7       8      9      10     11  12
//! term     (gone)      4       4      4      6      6   6
//!          └── snapshot ──┘    └──────── entries ────────┘
//! ```
//!
//! The entry at `last_included` is gone, but its term is kept: the consistency check for the first
//! remaining entry needs it. Without a snapshot `last_included` is 0/0, the position before the
//! first entry, on which all logs agree.
//!
//! The cost of each method depends on the entries that it touches, not on the log's length: reading
//! or appending a few entries is the same work in a log of a million as in a log of a thousand. The
//! bounds of a term are found by binary search, since terms never fall along a log.

use std::collections::VecDeque;

use crate::api::{Entry, Index, Position, Term};

/// A server's log (Figure 2, persistent state).
///
/// Invariant (log_is_consecutive): indices rise by one from `last_included`; terms never fall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// The last entry that the snapshot covers. Entries that are gone are in
    /// `1..=last_included.index`.
    last_included: Position,
    /// The entries in `last_included.index + 1..=last().index`, in order.
    entries: VecDeque<Entry>,
}

/// Limits of one message; the first entry always fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    /// Largest number of entries.
    pub entries_max: usize,
    /// Largest size of all commands in bytes, unless the first one alone is larger.
    pub bytes_max: usize,
}

impl Log {
    /// Makes a log whose `entries` follow `last_included`.
    pub(super) fn new(last_included: Position, entries: Vec<Entry>) -> Log {
        let mut log = Log { last_included, entries: VecDeque::new() };
        log.replace_from(&entries);
        log
    }

    /// Returns the last entry that the snapshot replaces; 0/0 without a snapshot. Only ever rises.
    pub(super) const fn last_included(&self) -> Position {
        self.last_included
    }

    /// Returns the position of the last entry, or `last_included` if the log has no entries.
    pub(super) fn last(&self) -> Position {
        self.entries.back().map_or(self.last_included, Entry::position)
    }

    /// Returns the term of the entry at `index`; `None` beyond the end and inside the snapshot.
    pub(super) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.last_included.index {
            return Some(self.last_included.term);
        }
        self.offset(index).and_then(|offset| self.entries.get(offset)).map(|entry| entry.term)
    }

    /// Whether the log has an entry with this term and index, as far as it can tell.
    pub(super) fn contains(&self, position: Position) -> bool {
        self.term_at(position.index) == Some(position.term)
    }

    /// Returns the first index of `term` in the entries; `None` if no entry has that term.
    pub(super) fn first_index_of(&self, term: Term) -> Option<Index> {
        let offset = self.entries.partition_point(|entry| entry.term < term);
        self.entries.get(offset).filter(|entry| entry.term == term).map(|entry| entry.index)
    }

    /// Returns the last index of `term`, in the entries or at the snapshot's end.
    pub(super) fn last_index_of(&self, term: Term) -> Option<Index> {
        let after = self.entries.partition_point(|entry| entry.term <= term);
        let last = match after.checked_sub(1) {
            Some(offset) => self.entries[offset].position(),
            None => self.last_included,
        };
        (last.term == term).then_some(last.index)
    }

    /// Iterates over the entries at `first` and after it, as many as `batch` allows.
    ///
    /// # Panics
    /// When `first` lies in the snapshot: the entries there are gone.
    pub(super) fn entries_from(&self, first: Index, batch: Batch) -> impl Iterator<Item = &Entry> {
        let offset = self.offset(first).unwrap_or_else(|| {
            panic!(
                "entries from {first} were asked for, but a snapshot covers {}",
                self.last_included
            )
        });
        let mut bytes = 0;
        let fits = move |entry: &&Entry| {
            let is_first = bytes == 0;
            // An empty command counts as one byte, or the next entry would be the first again.
            bytes += entry.data.len().max(1);
            is_first || bytes <= batch.bytes_max
        };
        let range = offset.min(self.entries.len())..;
        self.entries.range(range).take(batch.entries_max).take_while(fits)
    }

    /// Replaces everything from the first entry's index on by `entries`.
    ///
    /// # Panics
    /// When the entries leave a gap, reach into the snapshot, or are not consecutive.
    pub(super) fn replace_from(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let kept = self.offset(first.index).filter(|&offset| offset <= self.entries.len());
        let kept = kept.unwrap_or_else(|| {
            let (snapshot, last) = (self.last_included, self.last());
            panic!("{} cannot go into a log from {snapshot} to {last}", first.position())
        });
        self.entries.truncate(kept);
        for entry in entries {
            let last = self.last();
            assert!(
                entry.index == last.index.next() && entry.term >= last.term,
                "log_is_consecutive: {} cannot follow {last}",
                entry.position(),
            );
            self.entries.push_back(entry.clone());
        }
    }

    /// Drops the entries up to `last_included`: a new snapshot replaces them.
    ///
    /// The entries after it stay only if the log has the snapshot's last entry: "If existing log
    /// entry has same index and term as snapshot's last included entry, retain log entries
    /// following it"; else "discard the entire log" (Figure 13, steps 6 and 7).
    ///
    /// # Panics
    /// When the previous snapshot reaches further.
    pub(super) fn compact(&mut self, last_included: Position) {
        assert!(
            last_included.index >= self.last_included.index,
            "the log cannot go back from the snapshot at {} to one at {last_included}",
            self.last_included,
        );
        if self.contains(last_included) {
            let dropped = self.offset(last_included.index.next()).unwrap_or(0);
            self.entries.drain(..dropped);
        } else {
            self.entries.clear();
        }
        // keeps (log_is_consecutive): because the entries that are left come right after it.
        self.last_included = last_included;
        // A long log that was dropped must give its memory back.
        if self.entries.capacity() > 64 + 4 * self.entries.len() {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }

    /// Returns the offset in `entries` at which the entry at `index` is or would be; `None` inside
    /// the snapshot.
    fn offset(&self, index: Index) -> Option<usize> {
        let after = index.0.checked_sub(self.last_included.index.next().0)?;
        usize::try_from(after).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, entries, log};
    use super::*;

    const ALL: Batch = Batch { entries_max: 100, bytes_max: 1000 };

    #[test]
    fn an_empty_log_ends_at_zero_where_all_logs_agree() {
        let empty = log(&[]);
        assert_eq!(empty.last(), at(0, 0));
        assert!(empty.contains(at(0, 0)), "0/0 is part of every log");
    }

    #[test]
    fn terms_are_known_from_the_snapshots_end_to_the_last_entry() {
        let mut log = log(&[1, 1, 2, 3]);
        log.compact(at(1, 2));
        let terms: Vec<_> = (1..=5).map(|index| log.term_at(Index(index))).collect();
        assert_eq!(terms, [None, Some(Term(1)), Some(Term(2)), Some(Term(3)), None]);
    }

    #[test]
    fn bounds_of_a_term_are_found_by_bisection() {
        let log = log(&[1, 1, 4, 4, 4, 6]);
        assert_eq!(log.first_index_of(Term(4)), Some(Index(3)));
        assert_eq!(log.last_index_of(Term(4)), Some(Index(5)));
        assert_eq!((log.first_index_of(Term(5)), log.last_index_of(Term(5))), (None, None));
        assert_eq!((log.first_index_of(Term(7)), log.last_index_of(Term(7))), (None, None));
    }

    #[test]
    fn the_snapshots_last_term_has_a_last_index() {
        let mut log = log(&[1, 1, 2]);
        log.compact(at(1, 2));
        assert_eq!(log.last_index_of(Term(1)), Some(Index(2)));
        assert_eq!(log.first_index_of(Term(1)), None, "the start of term 1 is no longer known");
    }

    #[test]
    fn a_call_carries_no_more_than_its_batch_but_at_least_one_entry() {
        let log = log(&[1, 1, 1, 1]);
        let count = |entries_max, bytes_max| {
            log.entries_from(Index(2), Batch { entries_max, bytes_max }).count()
        };
        assert_eq!(count(100, 1000), 3);
        assert_eq!(count(2, 1000), 2);
        assert_eq!(count(100, 2), 2, "each command has one byte");
        assert_eq!(count(100, 0), 1);
    }

    #[test]
    fn replacing_drops_what_stood_there() {
        let mut log = log(&[1, 1, 1, 1]);
        log.replace_from(&entries(3, &[2]));
        assert_eq!(log, super::super::testing::log(&[1, 1, 2]));
    }

    #[test]
    #[should_panic(expected = "cannot go into a log")]
    fn an_entry_after_a_gap_is_refused() {
        log(&[1]).replace_from(&entries(3, &[1]));
    }

    #[test]
    fn a_snapshot_of_an_entry_of_ours_keeps_what_follows() {
        let mut log = log(&[1, 1, 2, 2]);
        log.compact(at(1, 2));
        assert!(log.entries_from(Index(3), ALL).eq(&entries(3, &[2, 2])), "{log:?}");
        assert_eq!((log.last_included(), log.last()), (at(1, 2), at(2, 4)));
    }

    #[test]
    fn a_snapshot_of_another_servers_entry_drops_the_whole_log() {
        let mut log = log(&[1, 1, 2, 2]);
        log.compact(at(3, 2));
        assert_eq!((log.last_included(), log.last()), (at(3, 2), at(3, 2)));
    }

    #[test]
    fn a_dropped_prefix_gives_its_memory_back() {
        let mut log = log(&[1; 1000]);
        log.compact(at(1, 999));
        assert!(log.entries.capacity() < 100, "capacity {} stays", log.entries.capacity());
    }
}
