//! One key of the classic service: what a get may answer.
//!
//! A put replaces the value, so while one is under way a get may answer much. Between puts the
//! value only grows, and much follows from little: a get answers no less than an earlier one,
//! and nothing is missing that an append had added before it was called.

use super::pieces::{Piece, Sent, Value};
use super::{Broken, shown};

/// What is known of one key's value.
#[derive(Default)]
pub(super) struct Values {
    sent: Sent,
    /// Puts that have been called, and those of them that have not returned.
    puts: u64,
    puts_open: u64,
    /// Whether the put that returned last had no other beside it.
    put_alone: bool,
    /// While no put is open, the longest value known: others begin with it, or it with them.
    known: Value,
    /// Since then, what appends have added, in the order in which they returned.
    added: Vec<Piece>,
    /// How long a value is at least that has the first of `added`, and so on, as far as `known`.
    reach: Vec<usize>,
}

/// The moment at which an operation was called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    puts: u64,
    puts_open: u64,
    known: usize,
    added: usize,
}

impl Values {
    /// `client` calls an operation that writes `text`.
    pub(super) fn sends(&mut self, client: u64, call: u64, text: &str) {
        self.sent.note(client, call, text);
    }

    /// A put is called: from now on the value may be another.
    pub(super) fn put_begins(&mut self) {
        self.put_alone = self.puts_open == 0;
        self.puts += 1;
        self.puts_open += 1;
        self.known = Value::default();
        self.added.clear();
        self.reach.clear();
    }

    /// A put of `text` has returned. One that was alone says what the value begins with.
    pub(super) fn put_ends(&mut self, text: &str) -> Result<(), Broken> {
        self.puts_open -= 1;
        if self.puts_open == 0 && self.put_alone {
            self.known = Value::of(text, &self.sent)?;
        }
        Ok(())
    }

    /// This moment.
    pub(super) fn now(&self) -> Since {
        Since {
            puts: self.puts,
            puts_open: self.puts_open,
            known: self.known.text().len(),
            added: self.added.len(),
        }
    }

    /// Whether no put was under way at any time since then.
    fn settled(&self, since: Since) -> bool {
        since.puts_open == 0 && since.puts == self.puts
    }

    /// An append of `text`, called at `since`, has returned.
    pub(super) fn append_ends(&mut self, text: &str, since: Since) {
        if self.settled(since) {
            self.added.extend(self.sent.only_in(text));
        }
    }

    /// A get, called at `since`, answers `text`.
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
            return past(format!("{read} was read, and no put is between it and {known}"));
        } else if text.len() < since.known {
            let (read, known) = (shown(text), shown(&known[..since.known]));
            return past(format!("{read} was read, although {known} was before the call"));
        }
        match self.missing(text.len(), since.added) {
            Some(piece) => {
                past(format!("{piece}, added before the call, is missing in {}", shown(text)))
            }
            None => Ok(()),
        }
    }

    /// Which of the first `count` added pieces is not in the first `size` bytes of the value.
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
