//! One key of the classic service: the legal answers to a get.
//!
//! A put replaces the value, so while a put is in progress a get may return many values. Between
//! puts the value only grows, so two simple checks suffice: a get returns no less than an earlier
//! get, and it misses no piece that an append had added before the get was called.

use super::pieces::{Piece, Sent, Value};
use super::{Broken, shown};

/// The known state of one key's value.
#[derive(Default)]
pub(super) struct Values {
    sent: Sent,
    /// Number of puts that have been called.
    puts: u64,
    /// Number of those puts that have not returned.
    puts_open: u64,
    /// Whether the last put was called while no other put was open.
    put_alone: bool,
    /// While no put is open, the longest value known. Every value read begins with it, or is a
    /// prefix of it.
    known: Value,
    /// The pieces that appends have added since the last put, in the order in which the appends
    /// returned.
    added: Vec<Piece>,
    /// `reach[i]`: the least length of a value that has the pieces of `added` up to number `i`.
    /// Filled only as far as `known` has the pieces.
    reach: Vec<usize>,
}

/// The state at the moment at which an operation was called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    puts: u64,
    puts_open: u64,
    known: usize,
    added: usize,
}

impl Values {
    /// Records that `client` calls an operation that writes `text`.
    pub(super) fn sends(&mut self, client: u64, call: u64, text: &str) {
        self.sent.note(client, call, text);
    }

    /// Records that a put is called: from now on the value may be a different one.
    pub(super) fn put_begins(&mut self) {
        self.put_alone = self.puts_open == 0;
        self.puts += 1;
        self.puts_open += 1;
        self.known = Value::default();
        self.added.clear();
        self.reach.clear();
    }

    /// Records that a put of `text` has returned. If no other put was open meanwhile, the value now
    /// begins with `text`.
    pub(super) fn put_ends(&mut self, text: &str) -> Result<(), Broken> {
        self.puts_open -= 1;
        if self.puts_open == 0 && self.put_alone {
            self.known = Value::of(text, &self.sent)?;
        }
        Ok(())
    }

    /// The state at this moment.
    pub(super) fn now(&self) -> Since {
        Since {
            puts: self.puts,
            puts_open: self.puts_open,
            known: self.known.text().len(),
            added: self.added.len(),
        }
    }

    /// Whether no put was open at any time since `since`.
    fn settled(&self, since: Since) -> bool {
        since.puts_open == 0 && since.puts == self.puts
    }

    /// Records that an append of `text`, called at `since`, has returned.
    pub(super) fn append_ends(&mut self, text: &str, since: Since) {
        if self.settled(since) {
            self.added.extend(self.sent.only_in(text));
        }
    }

    /// Judges a get, called at `since`, that returned `text`.
    pub(super) fn get_ends(&mut self, text: &str, since: Since) -> Result<(), Broken> {
        if !self.settled(since) {
            return Value::of(text, &self.sent).map(|_| ());
        }
        let past = |what: String| Err(("NoReadFromThePast", what));
        let known = self.known.text();
        if text.starts_with(known) {
            self.known.grow(text, &self.sent)?;
        } else if !known.starts_with(text) {
            let (read, known) = (shown(text), shown(known));
            return past(format!("{read} was read, but no put came between it and {known}"));
        } else if text.len() < since.known {
            let (read, known) = (shown(text), shown(&known[..since.known]));
            return past(format!("{read} was read, although {known} was known before the call"));
        }
        match self.missing(text.len(), since.added) {
            Some(piece) => {
                past(format!("{piece}, added before the call, is missing in {}", shown(text)))
            }
            None => Ok(()),
        }
    }

    /// Finds one of the first `count` added pieces that is not in the first `size` bytes of the
    /// value.
    fn missing(&mut self, size: usize, count: usize) -> Option<Piece> {
        for piece in &self.added[self.reach.len().min(count)..count] {
            let Some(end) = self.known.end_of(*piece) else { return Some(*piece) };
            let before = self.reach.last().copied().unwrap_or_default();
            self.reach.push(end.max(before));
        }
        let place = self.reach[..count].partition_point(|reach| *reach <= size);
        self.added[..count].get(place).copied()
    }
}
