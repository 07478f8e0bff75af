//! A short digest of a message's entries: observers compare digests and keep no entries.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::{Entry, Position};

/// Digest of the entries in a leader's message: whether they can follow each other, and a sum
/// that depends on every entry's index, term and command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// The first two neighbours that cannot follow each other in any log.
    pub(crate) astray: Option<(Position, Position)>,
    /// The sum over all entries; `None` if the design does not show its entries.
    pub(crate) sum: Option<u64>,
}

impl Digest {
    /// Digests `entries`, which follow `prev`.
    pub fn of(prev: Position, entries: &[Entry]) -> Digest {
        let before = std::iter::once(prev).chain(entries.iter().map(Entry::position));
        let neighbours = before.zip(entries.iter().map(Entry::position));
        let astray = neighbours
            .into_iter()
            .find(|(one, next)| next.index != one.index.next() || next.term < one.term);
        let hashes = entries.iter().map(|entry| hash(&entry.data));
        let weights = entries.iter().zip(hashes).map(|(entry, hash)| weigh(entry.position(), hash));
        Digest { astray, sum: Some(weights.fold(0, u64::wrapping_add)) }
    }
}

/// The summand of the entry at `position`, given the hash of its command.
pub(crate) fn weigh(position: Position, hash: u64) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(position.index.0);
    hasher.write_u64(position.term.0);
    hasher.write_u64(hash);
    hasher.finish()
}

/// Hashes a command; equal commands have equal hashes on every machine.
pub(crate) fn hash(command: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(command);
    hasher.write_usize(command.len());
    hasher.finish()
}
