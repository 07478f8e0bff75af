//! The receiver's side of a snapshot: it collects chunks until it has all of them.
//!
//! Chunks are kept in memory. On disk they would survive a crash of the receiver, at the price of a
//! sync for every chunk and of room for two copies of the data. A receiver that crashed is sent
//! them again, which costs as much as the first time and is rare.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::rpc::{ChunkArgs, ChunkReply};
use crate::api::{Index, Position, Term};

/// The snapshot that is being received, if any.
#[derive(Default)]
pub(super) struct Staging {
    /// The sender's term and the snapshot's last entry, which identify the snapshot.
    name: (Term, Position),
    /// The chunks from the first one on, joined without a gap.
    joined: Vec<u8>,
    /// How many chunks are in `joined`.
    next: u64,
    /// Chunks that arrived before one with a lower number.
    ahead: BTreeMap<u64, Bytes>,
    /// How many chunks the snapshot has, once the last one has arrived.
    count: Option<u64>,
}

impl Staging {
    /// Keeps a chunk. A chunk of an older snapshot than the current one is refused.
    ///
    /// A chunk of a newer snapshot discards the current one.
    pub(super) fn take(&mut self, chunk: ChunkArgs) -> ChunkReply {
        let name = (chunk.term, chunk.position);
        if name < self.name {
            return ChunkReply::Stale;
        }
        if name > self.name {
            *self = Staging { name, ..Staging::default() };
        }
        if chunk.is_last {
            self.count = Some(chunk.number + 1);
        }
        if chunk.number >= self.next {
            self.ahead.insert(chunk.number, chunk.data);
        }
        while let Some(data) = self.ahead.remove(&self.next) {
            self.joined.extend_from_slice(&data);
            self.next += 1;
        }
        ChunkReply::Wants(self.next)
    }

    /// Forgets the chunks of a snapshot that is no longer needed.
    pub(super) fn forget_up_to(&mut self, applied: Index) {
        if self.next + self.ahead.len() as u64 > 0 && self.name.1.index <= applied {
            *self = Staging::default();
        }
    }

    /// Returns all of the snapshot's data, and forgets them, if all its chunks are there.
    ///
    /// In another term than the sender's there are none: only the sender of the chunks may say that
    /// the snapshot is complete.
    pub(super) fn complete(&mut self, term: Term, position: Position) -> Option<Vec<u8>> {
        if self.name != (term, position) || self.count != Some(self.next) {
            return None;
        }
        Some(std::mem::take(self).joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ServerId;

    const END: Position = Position { term: Term(3), index: Index(9) };

    /// Chunk `number` of three, of the snapshot that the leader of `term` sends.
    fn chunk(term: u64, number: u64) -> ChunkArgs {
        let data = Bytes::from(vec![b'a' + u8::try_from(number).unwrap(); 2]);
        let (from, term, position) = (ServerId(1), Term(term), END);
        ChunkArgs { from, term, position, number, is_last: number == 2, data }
    }

    #[test]
    fn chunks_are_joined_in_their_order_whatever_the_order_they_come_in() {
        let mut staging = Staging::default();
        assert_eq!(staging.take(chunk(4, 1)), ChunkReply::Wants(0));
        assert_eq!(staging.take(chunk(4, 2)), ChunkReply::Wants(0));
        assert_eq!(staging.complete(Term(4), END), None, "the first is missing");
        assert_eq!(staging.take(chunk(4, 0)), ChunkReply::Wants(3));
        assert_eq!(staging.complete(Term(4), END), Some(b"aabbcc".to_vec()));
    }

    #[test]
    fn a_chunk_that_comes_twice_is_kept_once() {
        let mut staging = Staging::default();
        for number in [0, 0, 2, 2, 1, 1, 0] {
            staging.take(chunk(4, number));
        }
        assert_eq!(staging.complete(Term(4), END), Some(b"aabbcc".to_vec()));
    }

    #[test]
    fn a_newer_snapshot_replaces_an_older_one_and_not_the_other_way() {
        let mut staging = Staging::default();
        staging.take(chunk(4, 0));
        assert_eq!(staging.take(chunk(5, 1)), ChunkReply::Wants(0), "what was there is gone");
        assert_eq!(staging.take(chunk(4, 1)), ChunkReply::Stale);
        staging.take(chunk(5, 0));
        staging.take(chunk(5, 2));
        assert_eq!(staging.complete(Term(4), END), None, "the older one is gone");
        assert!(staging.complete(Term(5), END).is_some(), "the newer one is there");
    }

    #[test]
    fn a_snapshot_is_given_away_once() {
        let mut staging = Staging::default();
        for number in 0..3 {
            staging.take(chunk(4, number));
        }
        assert!(staging.complete(Term(4), END).is_some(), "all chunks are there");
        assert_eq!(staging.complete(Term(4), END), None);
    }
}
