//! A shadow of a server's storage, built from its writes: term, vote, and the log's terms.

use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::persister::Persisted;

/// Consecutive entries of one term, from `first` up to the next run or the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: Index,
    term: Term,
}

/// The terms of a log, without its commands.
///
/// ```text
/// index   3     4  5  6  7  8
/// term    2  |  2  2  5  5  7       base 2/3, runs 4:2 6:5 8:7, last 8
/// ```
///
/// Logs have few runs of terms, so a copy of a log of 100,000 entries takes only a few words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TermLog {
    base: Position,
    last: Index,
    runs: Vec<Run>,
}

impl TermLog {
    pub(super) fn of(persisted: &Persisted) -> TermLog {
        let base = persisted.last_included;
        let mut log = TermLog { base, last: base.index, runs: Vec::new() };
        log.append(&persisted.entries);
        log
    }

    /// The last entry that the snapshot covers; 0/0 without one.
    pub(super) fn base(&self) -> Position {
        self.base
    }

    /// The last entry.
    pub(super) fn last(&self) -> Position {
        let term = self.runs.last().map_or(self.base.term, |run| run.term);
        Position { term, index: self.last }
    }

    /// The term at `index`; `None` beyond the end and before the snapshot's last entry.
    pub(super) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index || index > self.last {
            return None;
        }
        self.run_of(index).map(|slot| self.runs[slot].term)
    }

    /// Whether the entry at `index` is the first of its term.
    pub(super) fn opens_a_term(&self, index: Index) -> bool {
        let (before, own) = (self.term_at(index.prev()), self.term_at(index));
        before.is_some() && own.is_some() && before != own
    }

    /// Whether the entry at `position` is in the log, or covered by the snapshot.
    pub(super) fn holds(&self, position: Position) -> bool {
        position.index < self.base.index || self.term_at(position.index) == Some(position.term)
    }

    /// The last index with an entry of `term`; without one, the last that the snapshot covers.
    pub(super) fn last_of(&self, term: Term) -> Index {
        let slot = self.runs.iter().rposition(|run| run.term == term);
        slot.map_or(self.base.index, |slot| self.run_end(self.runs[slot].first))
    }

    /// The first index at which `newer` no longer has this log's entry. Entries that `newer` covers
    /// with a matching snapshot are not lost.
    pub(super) fn first_lost(&self, newer: &TermLog) -> Option<Index> {
        let covered = newer.base.index;
        if self.term_at(covered).is_some_and(|term| term != newer.base.term) {
            return Some(covered);
        }
        let mut index = covered.max(self.base.index).next();
        while index <= self.last {
            if newer.term_at(index) != self.term_at(index) {
                return Some(index);
            }
            index = self.run_end(index).min(newer.run_end(index)).next();
        }
        None
    }

    fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        self.truncate_from(first.index);
        for entry in entries {
            if self.runs.last().is_none_or(|run| run.term != entry.term) {
                self.runs.push(Run { first: entry.index, term: entry.term });
            }
            self.last = entry.index;
        }
    }

    fn truncate_from(&mut self, index: Index) {
        while self.runs.last().is_some_and(|run| run.first >= index) {
            self.runs.pop();
        }
        self.last = self.last.min(index.prev()).max(self.base.index);
    }

    /// Makes `at` the new base. The entries after it stay only if the log has the entry `at`.
    fn cover(&mut self, at: Position) {
        if self.term_at(at.index) == Some(at.term) {
            let kept = self.runs.partition_point(|run| run.first <= at.index.next());
            self.runs.drain(..kept.saturating_sub(1));
            match self.runs.first_mut() {
                Some(_) if at.index == self.last => self.runs.clear(),
                Some(run) => run.first = run.first.max(at.index.next()),
                None => {}
            }
        } else {
            self.runs.clear();
            self.last = at.index;
        }
        self.base = at;
    }

    fn run_of(&self, index: Index) -> Option<usize> {
        self.runs.partition_point(|run| run.first <= index).checked_sub(1)
    }

    /// The last index of the run that contains `index`.
    fn run_end(&self, index: Index) -> Index {
        let next = self.runs.partition_point(|run| run.first <= index);
        self.runs.get(next).map_or(self.last, |run| run.first.prev())
    }
}

/// Term and vote, which are written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ballot {
    pub(super) term: Term,
    pub(super) voted_for: Option<ServerId>,
}

/// The content of one server's storage, either as written or as of the last sync.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stored {
    pub(super) ballot: Ballot,
    pub(super) log: TermLog,
}

impl Stored {
    pub(super) fn of(persisted: &Persisted) -> Stored {
        let ballot = Ballot { term: persisted.current_term, voted_for: persisted.voted_for };
        Stored { ballot, log: TermLog::of(persisted) }
    }
}

/// Durable entries that a sync or a write deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// The first deleted entry.
    pub(super) first: Position,
    /// The last deleted entry.
    pub(super) last: Position,
}

/// One server's storage: the written content, and the durable content that survives any crash.
#[derive(Debug, Clone, Default)]
pub(super) struct Shadow {
    pub(super) written: Stored,
    pub(super) durable: Stored,
    /// Whether a write since the last sync may have deleted entries.
    cut: bool,
    /// Whether anything was written since the last sync.
    pub(super) unsynced: bool,
}

impl Shadow {
    pub(super) fn of(persisted: &Persisted) -> Shadow {
        let stored = Stored::of(persisted);
        Shadow { written: stored.clone(), durable: stored, cut: false, unsynced: false }
    }

    pub(super) fn vote(&mut self, ballot: Ballot) {
        self.unsynced = true;
        self.written.ballot = ballot;
    }

    /// Records that entries are written. Returns the durable entries that a crash would lose if it
    /// kept all writes so far.
    pub(super) fn append(&mut self, entries: &[Entry]) -> Option<Lost> {
        self.unsynced = true;
        let first = entries.first().map(|entry| entry.index);
        self.cut |= first.is_some_and(|first| first <= self.written.log.last);
        self.written.log.append(entries);
        if self.cut { self.lost() } else { None }
    }

    pub(super) fn cover(&mut self, at: Position) {
        self.unsynced = true;
        self.cut = true;
        self.written.log.cover(at);
    }

    /// Makes all writes durable. Returns the entries that were durable and are gone, if any.
    pub(super) fn sync(&mut self) -> Option<Lost> {
        let lost = if self.cut { self.lost() } else { None };
        if self.unsynced {
            self.durable.ballot = self.written.ballot;
            self.durable.log.base = self.written.log.base;
            self.durable.log.last = self.written.log.last;
            self.durable.log.runs.clone_from(&self.written.log.runs);
        }
        self.cut = false;
        self.unsynced = false;
        lost
    }

    fn lost(&self) -> Option<Lost> {
        let log = &self.durable.log;
        let index = log.first_lost(&self.written.log)?;
        let term = log.term_at(index).unwrap_or(log.base.term);
        Some(Lost { first: Position { term, index }, last: log.last() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
        (first..)
            .zip(terms)
            .map(|(index, term)| Entry {
                term: Term(*term),
                index: Index(index),
                data: Bytes::new(),
            })
            .collect()
    }

    fn log(base: (u64, u64), terms: &[u64]) -> TermLog {
        let last_included = Position { term: Term(base.0), index: Index(base.1) };
        let entries = entries(base.1 + 1, terms);
        TermLog::of(&Persisted { last_included, entries, ..Persisted::default() })
    }

    fn terms(log: &TermLog) -> Vec<u64> {
        (log.base.index.0 + 1..=log.last.0)
            .map(|index| log.term_at(Index(index)).unwrap().0)
            .collect()
    }

    fn at(term: u64, index: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    #[test]
    fn append_drops_what_it_replaces() {
        let mut log = log((0, 0), &[1, 1, 2, 2, 3]);
        log.append(&entries(4, &[4]));
        assert_eq!(terms(&log), [1, 1, 2, 4]);
        assert_eq!(log.last(), at(4, 4));
        log.append(&entries(1, &[5, 5]));
        assert_eq!(terms(&log), [5, 5]);
    }

    #[test]
    fn a_matching_snapshot_keeps_the_suffix() {
        for (covered, rest) in [(1, &[1, 2, 2, 3][..]), (3, &[2, 3]), (4, &[3]), (5, &[])] {
            let mut log = log((0, 0), &[1, 1, 2, 2, 3]);
            let term = log.term_at(Index(covered)).unwrap();
            log.cover(Position { term, index: Index(covered) });
            assert_eq!(terms(&log), rest, "suffix after a snapshot up to {covered}");
            assert_eq!(log.last(), at(3, 5));
            log.append(&entries(6, &[3, 4]));
            assert_eq!(log.last(), at(4, 7));
        }
    }

    #[test]
    fn a_log_holds_what_its_snapshot_covers_and_the_true_end_of_it() {
        let log = log((2, 5), &[3]);
        let held = [at(1, 4), at(2, 5), at(3, 6)].map(|position| log.holds(position));
        assert_eq!(held, [true; 3]);
        let not_held = [at(1, 5), at(2, 6), at(3, 7)].map(|position| log.holds(position));
        assert_eq!(not_held, [false; 3]);
    }

    #[test]
    fn a_conflicting_snapshot_drops_the_suffix() {
        let mut log = log((0, 0), &[1, 1, 2]);
        log.cover(at(3, 2));
        assert_eq!((terms(&log), log.last()), (vec![], at(3, 2)));
    }

    #[test]
    fn lost_is_the_first_difference() {
        let old = log((0, 0), &[1, 1, 2, 2, 3]);
        for (newer, lost) in [
            (log((0, 0), &[1, 1, 2, 2, 3, 3]), None),
            (log((0, 0), &[1, 1, 2, 2]), Some(5)),
            (log((0, 0), &[1, 1, 2, 4, 4]), Some(4)),
            (log((0, 0), &[1, 3]), Some(2)),
            (log((2, 3), &[2, 3]), None),
            (log((2, 3), &[2]), Some(5)),
            (log((3, 3), &[]), Some(3)),
            (log((4, 9), &[]), None),
        ] {
            assert_eq!(old.first_lost(&newer), lost.map(Index), "{newer:?}");
        }
    }
}
