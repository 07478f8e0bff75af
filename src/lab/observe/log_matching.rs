//! The rule that logs which agree at an entry agree at all entries before it.

use std::collections::BTreeMap;

use super::observer::{Judged, Observer};
use super::world::World;
use crate::api::hash;
use crate::api::{Entry, Index, ServerId, Term};

/// "If two logs contain an entry with the same index and term, then the logs are identical in all
/// entries up through the given index" (Figure 3; Raft §5.3).
///
/// The rule records each entry that any server ever stored, by term and index: a hash of its
/// command, and the term of the entry before it. If all entries of one term and index agree in
/// both, whole logs agree.
#[derive(Default)]
pub(super) struct LogMatching {
    /// The entry that was stored first at each index; most indices have no other entry.
    first: Vec<Option<Known>>,
    /// All other entries, and all entries beyond [`DENSE_MAX`].
    more: BTreeMap<(Index, Term), Known>,
}

/// The highest index with a slot in the list, so that a broken server cannot make the list huge.
const DENSE_MAX: u64 = 1 << 22;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    term: Term,
    prev: Option<Term>,
    hash: u64,
    by: ServerId,
}

impl Observer for LogMatching {
    fn appended(
        &mut self,
        server: ServerId,
        mut prev: Option<Term>,
        entries: &[Entry],
        _: &World,
    ) -> Judged {
        for entry in entries {
            let known = Known { term: entry.term, prev, hash: hash(&entry.data), by: server };
            self.compare(entry, known)?;
            prev = Some(entry.term);
        }
        Ok(())
    }
}

impl LogMatching {
    fn compare(&mut self, entry: &Entry, ours: Known) -> Judged {
        let theirs = self.known(entry, ours);
        let (us, them) = (ours.by, theirs.by);
        if theirs.hash != ours.hash {
            return Err(format!(
                "{us} and {them} stored different commands at {}",
                entry.position()
            ));
        }
        if theirs.prev != ours.prev {
            return Err(format!(
                "{us} and {them} both stored the entry {}, but before it {us} has an entry of {} \
                 and {them} one of {}",
                entry.position(),
                in_words(ours.prev),
                in_words(theirs.prev)
            ));
        }
        Ok(())
    }

    /// The recorded version of the entry; if there is none, records `ours`.
    fn known(&mut self, entry: &Entry, ours: Known) -> Known {
        if let Some(slot) = slot(entry.index) {
            if slot >= self.first.len() {
                self.first.resize(slot + 1, None);
            }
            let first = self.first[slot].get_or_insert(ours);
            if first.term == ours.term {
                return *first;
            }
        }
        *self.more.entry((entry.index, entry.term)).or_insert(ours)
    }
}

fn slot(index: Index) -> Option<usize> {
    usize::try_from(index.0).ok().filter(|_| index.0 <= DENSE_MAX)
}

fn in_words(term: Option<Term>) -> String {
    term.map_or("unknown term".to_string(), |term| format!("term {term}"))
}
