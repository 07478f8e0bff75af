//! The rule that a leader sends only entries of its own log.

use std::collections::BTreeMap;

use super::observer::{Judged, Observer, Sent};
use super::shadow::TermLog;
use super::world::World;
use crate::api::{Digest, hash, weigh};
use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::lab::Facts;

/// A leader sends the entries of its own log: those from `nextIndex` on, with the index and term
/// of the entry before them (Figure 2, `AppendEntries`; Raft §5.3).
///
/// Without this rule, the mistake shows only seconds after the first wrong call and in another
/// server: in a follower that stored a wrong entry or no entry.
///
/// The rule blames contradictions, never missing entries. A leader may send an entry before it has
/// stored it (thesis §10.2.1), and a server that stores nothing gives the rule nothing to compare.
/// The rule compares a stored log only up to the point where the log can no longer change:
///
/// ```text
/// stored     1 1 2 2 4 4     of the leader of term 4: settled up to its own last entry
/// stored     1 1 2 2 3       of the leader of term 4: settled up to the commit, here 1 1 2
/// ```
#[derive(Default)]
pub(super) struct SendsOwnLog {
    /// The term and the command's hash of the entry that was stored first at each index.
    first: Vec<Option<(Term, u64)>>,
    /// The hashes of all other entries, and of all entries beyond [`DENSE_MAX`].
    more: BTreeMap<Position, u64>,
}

/// The highest index with a slot in the list, so that a broken server cannot make the list huge.
const DENSE_MAX: u64 = 1 << 22;

/// The part of a leader's message that describes its log.
#[derive(Clone, Copy)]
struct Said {
    from: ServerId,
    to: ServerId,
    term: Term,
    prev: Position,
    last: Position,
    entries: Digest,
}

impl Observer for SendsOwnLog {
    fn appended(&mut self, _: ServerId, _: Option<Term>, entries: &[Entry], _: &World) -> Judged {
        entries.iter().for_each(|entry| self.note(entry));
        Ok(())
    }

    fn sent(&mut self, Sent { from, to, facts }: Sent<'_>, world: &World) -> Judged {
        let Facts::Append { term, prev, last, entries, .. } = *facts else { return Ok(()) };
        let said = Said { from, to, term, prev, last, entries };
        said.is_a_log()?;
        let server = world.server(from);
        // In a later term the server no longer leads, and this message was delayed.
        if world.written(from).ballot.term != term || server.hears_of_newer_term() {
            return Ok(());
        }
        let log = &world.written(from).log;
        self.compare(said, log, settled(log, term, world))
    }
}

impl Said {
    /// Fails if no log of that term can contain the entries that are sent.
    fn is_a_log(&self) -> Judged {
        let Said { from, to, term, last, .. } = *self;
        if let Some((one, next)) = self.entries.astray {
            return Err(format!(
                "{from}, leader of term {term}, sends {to} the entry {next} right after {one}; \
                 in a log indices rise by one and terms never decrease"
            ));
        }
        if last.term > term {
            return Err(format!(
                "{from}, leader of term {term}, sends {to} the entry {last}, of a later term"
            ));
        }
        Ok(())
    }
}

/// The index up to which the stored log of the leader of `term` can no longer change.
///
/// If the log's last entry is of the leader's own term, it is the last index, since entries are
/// stored in order. Otherwise it is the last index that was committed before the leader's term.
fn settled(log: &TermLog, term: Term, world: &World) -> Index {
    if log.last().term == term {
        return log.last().index;
    }
    let committed = world.committed.before(term).map(|(_, position)| position);
    let has = committed.filter(|at| log.term_at(at.index) == Some(at.term));
    has.map_or(Index(0), |at| at.index)
}

impl SendsOwnLog {
    fn compare(&self, said: Said, log: &TermLog, settled: Index) -> Judged {
        let Said { from, to, term, prev, last, entries } = said;
        let contradicts = |at: &Position| {
            at.index <= settled && log.term_at(at.index).is_some_and(|stored| stored != at.term)
        };
        if let Some(at) = [prev, last].into_iter().find(contradicts) {
            let stored = log.term_at(at.index).unwrap_or_default();
            return Err(format!(
                "{from}, leader of term {term}, tells {to} that its log has the entry {at}, but \
                 it stored an entry of term {stored} there"
            ));
        }
        if last.index > settled || prev.index < log.base().index {
            return Ok(());
        }
        match (self.sum_of(log, prev.index, last.index), entries.sum) {
            (Some(stored), Some(sent)) if stored != sent => Err(format!(
                "{from}, leader of term {term}, sends {to} other entries after {prev}, up to \
                 {last}, than it stored there"
            )),
            _ => Ok(()),
        }
    }

    /// The sum of the entries of `log` after `prev` up to `last`; `None` if an entry is unknown.
    fn sum_of(&self, log: &TermLog, prev: Index, last: Index) -> Option<u64> {
        let mut sum = 0_u64;
        let mut index = prev.next();
        while index <= last {
            let at = Position { term: log.term_at(index)?, index };
            sum = sum.wrapping_add(weigh(at, self.hash_at(at)?));
            index = index.next();
        }
        Some(sum)
    }

    fn note(&mut self, entry: &Entry) {
        let hash = hash(&entry.data);
        if let Some(slot) = slot(entry.index) {
            if slot >= self.first.len() {
                self.first.resize(slot + 1, None);
            }
            let (term, _) = *self.first[slot].get_or_insert((entry.term, hash));
            if term == entry.term {
                return;
            }
        }
        self.more.entry(entry.position()).or_insert(hash);
    }

    fn hash_at(&self, at: Position) -> Option<u64> {
        let first = slot(at.index).and_then(|slot| *self.first.get(slot)?);
        match first {
            Some((term, hash)) if term == at.term => Some(hash),
            _ => self.more.get(&at).copied(),
        }
    }
}

fn slot(index: Index) -> Option<usize> {
    usize::try_from(index.0).ok().filter(|_| index.0 <= DENSE_MAX)
}
