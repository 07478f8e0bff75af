//! Pieces: the texts that clients of the classic tests write, and the rules for reading them.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Broken, shown};

/// One piece: `x 3 17 y` is the 18th piece of the client that calls itself 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    client: u64,
    number: u64,
}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"x {} {} y\"", self.client, self.number)
    }
}

/// The pieces in `text`, each with the position of its end. Any other text is skipped.
fn pieces(text: &str) -> impl Iterator<Item = (Piece, usize)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(found) = text[from..].find("x ") {
            let begin = from + found;
            from = begin + 1;
            if let Some((piece, size)) = piece_at(&text[begin..]) {
                from = begin + size;
                return Some((piece, from));
            }
        }
        None
    })
}

/// The piece that `text` begins with, and its length.
fn piece_at(text: &str) -> Option<(Piece, usize)> {
    let rest = text.strip_prefix("x ")?;
    let (client, rest) = rest.split_once(' ')?;
    let (number, rest) = rest.split_once(' ')?;
    let rest = rest.strip_prefix('y')?;
    let piece = Piece { client: client.parse().ok()?, number: number.parse().ok()? };
    Some((piece, text.len() - rest.len()))
}

/// All pieces that were sent for one key, and their order.
#[derive(Default)]
pub(super) struct Sent {
    pieces: FxHashMap<Piece, Sending>,
}

#[derive(Clone, Copy)]
struct Sending {
    client: u64,
    /// The number of the first operation that sent the piece.
    call: u64,
    times: u32,
}

impl Sent {
    /// Records that `client` sends `text` with the operation `call`.
    pub(super) fn note(&mut self, client: u64, call: u64, text: &str) {
        for (piece, _) in pieces(text) {
            self.pieces.entry(piece).or_insert(Sending { client, call, times: 0 }).times += 1;
        }
    }

    /// The pieces in `text` that no other operation has sent: a value with one of them proves that
    /// this operation was applied.
    pub(super) fn only_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Piece> + 'a {
        let once = |piece: &Piece| self.pieces.get(piece).is_some_and(|sent| sent.times == 1);
        pieces(text).map(|(piece, _)| piece).filter(once)
    }
}

/// A value, with the positions of its pieces. It grows at its end, so only the new part is read.
#[derive(Default)]
pub(super) struct Value {
    text: String,
    /// The end of the last piece.
    read: usize,
    /// How often each piece is in the value, and where it first ends.
    ends: FxHashMap<Piece, (u32, usize)>,
    /// For each client: its last piece in the value, and the operation that sent it.
    latest: BTreeMap<u64, (u64, Piece)>,
}

impl Value {
    /// A value that was read or put; an error if no order of the sent pieces produces it.
    pub(super) fn of(text: &str, sent: &Sent) -> Result<Value, Broken> {
        let mut value = Value::default();
        value.grow(text, sent)?;
        Ok(value)
    }

    /// Extends the value to `text`, which begins with the old value.
    pub(super) fn grow(&mut self, text: &str, sent: &Sent) -> Result<(), Broken> {
        let from = self.read;
        for (piece, end) in pieces(&text[from..]) {
            self.read = from + end;
            self.take(piece, text, sent)?;
        }
        self.text.push_str(&text[self.text.len()..]);
        Ok(())
    }

    fn take(&mut self, piece: Piece, text: &str, sent: &Sent) -> Result<(), Broken> {
        let value = shown(text);
        let Some(sending) = sent.pieces.get(&piece).copied() else {
            return Err(("ExactlyOnce", format!("{piece}, which no client sent, is in {value}")));
        };
        let (times, _) = self.ends.entry(piece).or_insert((0, self.read));
        *times += 1;
        if *times > sending.times {
            let message = format!("{piece}, sent {} times, is {times} times in", sending.times);
            return Err(("ExactlyOnce", format!("{message} {value}")));
        }
        if sending.times > 1 {
            return Ok(());
        }
        let earlier = self.latest.insert(sending.client, (sending.call, piece));
        match earlier.filter(|(call, _)| *call > sending.call) {
            Some((_, before)) => {
                let client = sending.client;
                let message = format!("client {client} sent {piece} before {before}, not as in");
                Err(("ClientOrder", format!("{message} {value}")))
            }
            None => Ok(()),
        }
    }

    /// The value's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The position at which `piece` first ends.
    pub(super) fn end_of(&self, piece: Piece) -> Option<usize> {
        self.ends.get(&piece).map(|(_, end)| *end)
    }
}
