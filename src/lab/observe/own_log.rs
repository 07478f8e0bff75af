//! What a leader may say of its log.

use std::collections::BTreeMap;

use super::event::{Event, Kind, Observer};
use super::shadow::TermLog;
use super::world::World;
use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::lab::Facts;
use crate::lab::digest::{Digest, hash, weigh};

/// A leader sends what stands in its log: the entries from `nextIndex` on, and the index and term
/// of the one before them (Figure 2, `AppendEntries`; Raft §5.3).
///
/// Without it the mistake shows in another server, and late: a follower that stored a wrong entry,
/// or none, seconds after the first wrong call.
///
/// Only what contradicts is blamed, never what is missing. A leader may send an entry before it has
/// stored it (thesis §10.2.1), and a server that stores nothing says nothing here. What was stored
/// counts where it cannot be about to change any more:
///
/// ```text
/// stored     1 1 2 2 4 4     of the leader of term 4: it has stored what it has, up to there
/// stored     1 1 2 2 3       of the leader of term 4: up to what was committed before, here 1 1 2
/// ```
#[derive(Default)]
pub(super) struct SendsOwnLog {
    /// A hash of the command of each entry that was first stored at its index.
    first: Vec<Option<(Term, u64)>>,
    /// The others, and those beyond [`DENSE_MAX`].
    more: BTreeMap<Position, u64>,
}

/// Indices up to here have a slot in a list; a server gone mad must not make it a long one.
const DENSE_MAX: u64 = 1 << 22;

/// What a leader's message says of its log.
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
    fn name(&self) -> &'static str {
        "SendsOwnLog"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Sent, Kind::Appended]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        match *event {
            Event::Appended { entries, .. } => entries.iter().for_each(|entry| self.note(entry)),
            Event::Sent { from, to, facts: &Facts::Acts { term, prev, last, entries, .. } } => {
                let said = Said { from, to, term, prev, last, entries };
                said.is_a_log()?;
                let server = world.server(from);
                // In a later term it follows another leader, and this message was on its way.
                if world.written(from).ballot.term == term && !server.hears_of_newer_term() {
                    let log = &world.written(from).log;
                    self.compare(said, log, settled(log, term, world))?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Said {
    /// Whether what is sent can stand in any log of that term.
    fn is_a_log(&self) -> Result<(), String> {
        let Said { from, to, term, last, .. } = *self;
        if let Some((one, next)) = self.entries.astray {
            return Err(format!(
                "{from}, leader of term {term}, sends {to} the entry {next} right behind {one}; \
                 in a log indices rise by one and terms never fall"
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

/// Up to where the leader of `term` has stored what is in its log for good: its last entry where
/// that is of its own term, since entries are stored in order; else what was committed before.
fn settled(log: &TermLog, term: Term, world: &World) -> Index {
    if log.last().term == term {
        return log.last().index;
    }
    let committed = world.committed.before(term).map(|(_, position)| position);
    let has = committed.filter(|at| log.term_at(at.index) == Some(at.term));
    has.map_or(Index(0), |at| at.index)
}

impl SendsOwnLog {
    fn compare(&self, said: Said, log: &TermLog, settled: Index) -> Result<(), String> {
        let Said { from, to, term, prev, last, entries } = said;
        let contradicts = |at: &Position| {
            at.index <= settled && log.term_at(at.index).is_some_and(|stored| stored != at.term)
        };
        if let Some(at) = [prev, last].into_iter().find(contradicts) {
            let stored = log.term_at(at.index).unwrap_or_default();
            return Err(format!(
                "{from}, leader of term {term}, tells {to} that its log has the entry {at}; it \
                 stored one of term {stored} there"
            ));
        }
        if last.index > settled || prev.index < log.base().index {
            return Ok(());
        }
        match (self.sum_of(log, prev.index, last.index), entries.sum) {
            (Some(stored), Some(sent)) if stored != sent => Err(format!(
                "{from}, leader of term {term}, sends {to} other entries behind {prev}, up to \
                 {last}, than it stored there"
            )),
            _ => Ok(()),
        }
    }

    /// The sum of the entries of `log` after `prev` up to `last`; `None` where one is unknown.
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
