//! How a record is stored: a checksum over the record's encoding, and the encoding.
//!
//! ```text
//! entry    tag  term  index  length  data …   checksum
//! bytes     1   1..   1..     1..    length      4       about 8 beside the data
//! ```
//!
//! Numbers are postcard's varints, so a record says by itself where it ends. The checksum comes
//! last and covers all before it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::{Entry, Index, Position, ServerId, Term};

/// Bytes of a record beside the data that it carries, at most: a tag and four varints.
const FIELDS_MAX: usize = 1 + 4 * 10;

/// Bytes of a checksum.
const CHECKSUM: usize = size_of::<u32>();

/// One thing that storage holds. The order of the variants is part of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record<'a> {
    /// Term and vote. Always there, always first.
    Vote { current_term: Term, voted_for: Option<ServerId> },
    /// The snapshot, if there is one; before the entries.
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
    /// The end, with the count of records before it: content cut short at a border would else
    /// look whole.
    End { record_count: u64 },
}

/// Bytes that are written and read as one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Data<'a>(pub(super) &'a [u8]);

impl Serialize for Data<'_> {
    /// As one block: serde writes a slice item by item unless told.
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

    /// The record as it is stored. `scratch` is room to work in, kept by the caller for speed.
    pub(super) fn encode(&self, scratch: &mut Vec<u8>) -> Box<[u8]> {
        let room = self.data_len() + FIELDS_MAX + CHECKSUM;
        if scratch.len() < room {
            scratch.resize(room, 0);
        }
        let body = postcard::to_slice(self, scratch).expect("the room is the most a record takes");
        let sum = checksum(body);
        let end = body.len() + CHECKSUM;
        scratch[end - CHECKSUM..end].copy_from_slice(&sum.to_le_bytes());
        Box::from(&scratch[..end])
    }

    /// The record at the beginning of `bytes`, and what follows it; or what is wrong with it.
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

/// A checksum of `bytes`: one multiplication per eight of them.
///
/// Every step is a bijection of the state, so two contents that differ within eight aligned bytes
/// never reach one state; of its 64 bits 32 are kept. Against accidents, not against an enemy.
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
