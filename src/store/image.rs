//! The data as a sequence of bytes: the content of a snapshot, cut into chunks anywhere.
//!
//! ```text
//! sessions C1 → 7, C2 → 3   data "a" → "x", "b" → "" …
//! ├──── chunk 0 ────┼──── chunk 1 ────┼── chunk 2 ──┤
//! ```
//!
//! All chunks are read in one read transaction, one chunk at a time, while the server continues to
//! work: the transaction sees the state at the moment when it began. So a snapshot costs nothing
//! before its first chunk is asked for, and never more memory than a few chunks.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use redb::ReadTransaction;
use serde::{Deserialize, Serialize};

use super::engine::{Engine, applied_in};
use super::error::StoreError;
use super::tables::{DATA, SESSIONS, Tables};
use crate::api::Position;

/// One row of the data.
#[derive(Serialize, Deserialize)]
enum Row<'a> {
    Session { client: u64, number: u64 },
    Pair { key: &'a str, value: &'a str },
}

/// The data as they were after one entry.
pub(super) struct View {
    read: ReadTransaction,
    position: Position,
}

impl View {
    /// Opens a view of the data as they are now.
    pub(super) fn now(engine: &Engine) -> Result<View, StoreError> {
        let read = engine.read()?;
        let position = applied_in(&read)?;
        Ok(View { read, position })
    }

    /// The last entry that is in the view.
    pub(super) const fn position(&self) -> Position {
        self.position
    }
}

/// Cuts a view into chunks, one after the other.
pub(super) struct Cutter {
    view: Arc<View>,
    next: Next,
    /// Bytes that were read and are in no chunk yet.
    rest: Vec<u8>,
}

/// Where to continue reading.
enum Next {
    /// In the sessions, after this client's.
    Sessions(Option<u64>),
    /// In the pairs, after this key's.
    Pairs(Option<String>),
    End,
}

impl Cutter {
    pub(super) fn new(view: Arc<View>) -> Cutter {
        Cutter { view, next: Next::Sessions(None), rest: Vec::new() }
    }

    /// Returns the next chunk, and whether it is the last one.
    ///
    /// A chunk has exactly `max` bytes; the last one may have fewer.
    pub(super) fn cut(&mut self, max: usize) -> Result<(Bytes, bool), StoreError> {
        while self.rest.len() <= max && !matches!(self.next, Next::End) {
            self.next = match &self.next {
                Next::Sessions(after) => fill_sessions(&self.view, *after, &mut self.rest, max)?,
                Next::Pairs(after) => {
                    fill_pairs(&self.view, after.as_deref(), &mut self.rest, max)?
                }
                Next::End => Next::End,
            };
        }
        let is_last = self.rest.len() <= max;
        let after = self.rest.split_off(self.rest.len().min(max));
        Ok((std::mem::replace(&mut self.rest, after).into(), is_last))
    }
}

/// Reads sessions until `rest` is longer than `max`. Returns where to continue.
fn fill_sessions(
    view: &View,
    after: Option<u64>,
    rest: &mut Vec<u8>,
    max: usize,
) -> Result<Next, StoreError> {
    let sessions = view.read.open_table(SESSIONS)?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    for row in sessions.range::<u64>((from, Bound::Unbounded))? {
        let (client, number) = row?;
        let (client, number) = (client.value(), number.value());
        encode(&Row::Session { client, number }, rest)?;
        if rest.len() > max {
            return Ok(Next::Sessions(Some(client)));
        }
    }
    Ok(Next::Pairs(None))
}

/// Reads keys and values until `rest` is longer than `max`. Returns where to continue.
fn fill_pairs(
    view: &View,
    after: Option<&str>,
    rest: &mut Vec<u8>,
    max: usize,
) -> Result<Next, StoreError> {
    let data = view.read.open_table(DATA)?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    for row in data.range::<&str>((from, Bound::Unbounded))? {
        let (key, value) = row?;
        encode(&Row::Pair { key: key.value(), value: value.value() }, rest)?;
        if rest.len() > max {
            return Ok(Next::Pairs(Some(key.value().to_owned())));
        }
    }
    Ok(Next::End)
}

fn encode(row: &Row<'_>, rest: &mut Vec<u8>) -> Result<(), StoreError> {
    *rest = postcard::to_extend(row, std::mem::take(rest))?;
    Ok(())
}

impl Tables<'_> {
    /// Replaces all data by `image`, which is all chunks of a view joined.
    pub(super) fn replace_data(&mut self, image: &[u8]) -> Result<(), StoreError> {
        self.data.retain(|_, _| false)?;
        self.sessions.retain(|_, _| false)?;
        let mut rest = image;
        while !rest.is_empty() {
            let (row, after) = postcard::take_from_bytes(rest)?;
            match row {
                Row::Session { client, number } => drop(self.sessions.insert(client, number)?),
                Row::Pair { key, value } => drop(self.data.insert(key, value)?),
            }
            rest = after;
        }
        Ok(())
    }
}
