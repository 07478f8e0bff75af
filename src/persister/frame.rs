//! The format of a stored record: its encoding, followed by a checksum of that encoding.
//!
//! ```text
//! entry    tag  term  index  length  data …   checksum
//! bytes     1   1..   1..     1..    length      4       about 8 besides the data
//! ```
//!
//! Numbers are postcard's varints, so a record itself tells where it ends. The checksum comes last
//! and covers everything before it.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::{Entry, Index, Position, ServerId, Term};

/// Largest size of a record without its data and checksum: a tag and four varints.
const FIELDS_MAX: usize = 1 + 4 * 10;

/// Size of a checksum in bytes.
const CHECKSUM: usize = size_of::<u32>();

/// One record of the storage. The order of the variants is part of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record<'a> {
    /// Term and vote. Always present, always first.
    Vote { current_term: Term, voted_for: Option<ServerId> },
    /// The snapshot, if there is one. It comes before the entries.
    Snapshot {
        last_included: Position,
        #[serde(borrow)]
        data: Data<'a>,
    },
    /// One entry of the log.
    Entry {
        term: Term,
        index: Index,
        #[serde(borrow)]
        data: Data<'a>,
    },
    /// The end, with the count of records before it. Without this record, content that is cut short
    /// between two records would look complete.
    End { record_count: u64 },
}

/// Bytes that are written and read as one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Data<'a>(pub(super) &'a [u8]);

impl Serialize for Data<'_> {
    /// Writes one block; serde's default for a slice is to write item by item.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Data<'_> {
    /// A copy that outlives the content it was read from.
    pub(super) fn to_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self.0)
    }
}

impl<'a> Record<'a> {
    /// The record that stores `entry`.
    pub(super) fn entry(entry: &'a Entry) -> Record<'a> {
        Record::Entry { term: entry.term, index: entry.index, data: Data(&entry.data) }
    }

    const fn data_len(&self) -> usize {
        match self {
            Record::Snapshot { data, .. } | Record::Entry { data, .. } => data.0.len(),
            Record::Vote { .. } | Record::End { .. } => 0,
        }
    }

    /// Encodes the record as it is stored. The caller keeps `scratch`, a buffer, for speed.
    pub(super) fn encode(&self, scratch: &mut Vec<u8>) -> Arc<[u8]> {
        let room = self.data_len() + FIELDS_MAX + CHECKSUM;
        if scratch.len() < room {
            scratch.resize(room, 0);
        }
        let body = postcard::to_slice(self, scratch).expect("the buffer holds the largest record");
        let sum = checksum(body);
        let end = body.len() + CHECKSUM;
        scratch[end - CHECKSUM..end].copy_from_slice(&sum.to_le_bytes());
        Arc::from(&scratch[..end])
    }

    /// Decodes the record at the start of `bytes`; returns it and the rest, or what is wrong.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<(Record<'a>, &'a [u8]), &'static str> {
        let (record, rest) =
            postcard::take_from_bytes::<Record<'_>>(bytes).map_err(|error| match error {
                postcard::Error::DeserializeUnexpectedEnd => "it is cut short",
                _ => "its encoding is wrong",
            })?;
        let body = &bytes[..bytes.len() - rest.len()];
        let (sum, rest) = rest.split_first_chunk().ok_or("it is cut short")?;
        if u32::from_le_bytes(*sum) != checksum(body) {
            return Err("its checksum does not match");
        }
        Ok((record, rest))
    }
}

/// Computes a checksum of `bytes`, with one multiplication per eight bytes.
///
/// Every step is a bijection of the state, so two contents that differ only within eight aligned
/// bytes never reach the same state; 32 of the state's 64 bits are kept. This detects accidents,
/// not attacks.
fn checksum(bytes: &[u8]) -> u32 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |state: u64, word: u64| {
        let mixed = (state ^ word).wrapping_mul(ODD);
        mixed ^ (mixed >> 32)
    };
    let (words, tail) = bytes.as_chunks::<8>();
    let length = bytes.len() as u64;
    let state = words.iter().fold(!length, |state, word| step(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    let state = step(step(state, u64::from_le_bytes(last)), length);
    u32::try_from(state >> 32).expect("half of 64 bits fit 32")
}
