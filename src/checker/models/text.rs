//! A text that is cheap to append to, to clone, to hash and to compare.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A text made of pieces, which it shares with its clones and with the texts made from it.
///
/// ```
/// use raftlab::checker::models::Text;
///
/// let ab = Text::new().append("a").append("b");
/// assert_eq!(ab, Text::new().append("ab"));
/// assert_eq!(ab.append("c").to_string(), "abc");
/// ```
#[derive(Clone, Default)]
pub struct Text(Option<Arc<Piece>>);

/// The last piece of a text, never empty, and the text before it.
struct Piece {
    before: Text,
    text: Box<str>,
    /// The length of the whole text in bytes.
    length: usize,
    /// A hash of the whole text. It does not depend on how the text is divided into pieces.
    hash: u64,
}

/// The multiplier of the hash: odd, and without a pattern.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Text {
    /// The empty text.
    pub const fn new() -> Text {
        Text(None)
    }

    /// This text with `text` after it.
    #[must_use]
    pub fn append(&self, text: &str) -> Text {
        if text.is_empty() {
            return self.clone();
        }
        let hash = text.bytes().fold(self.hash_value(), |hash, byte| {
            hash.wrapping_mul(MULTIPLIER).wrapping_add(u64::from(byte) + 1)
        });
        let length = self.len() + text.len();
        Text(Some(Arc::new(Piece { before: self.clone(), text: text.into(), length, hash })))
    }

    /// The text's length in bytes.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |piece| piece.length)
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether `text` begins with this text.
    pub fn is_prefix_of(&self, text: &str) -> bool {
        let Some(mut rest) = text.as_bytes().get(..self.len()) else { return false };
        // Compare from the back: two texts that differ usually differ there.
        for piece in self.pieces_from_the_back() {
            let Some(before) = rest.strip_suffix(piece) else { return false };
            rest = before;
        }
        true
    }

    /// Number of bytes that this text does not share with the text that it was made from.
    pub(super) fn own_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |piece| piece.text.len() + size_of::<Piece>())
    }

    fn hash_value(&self) -> u64 {
        self.0.as_ref().map_or(0, |piece| piece.hash)
    }

    fn pieces_from_the_back(&self) -> impl Iterator<Item = &[u8]> {
        let last = self.0.as_deref();
        std::iter::successors(last, |piece| piece.before.0.as_deref())
            .map(|piece| piece.text.as_bytes())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.len() == other.len() && self.is_prefix_of(other)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        if self.len() != other.len() || self.hash_value() != other.hash_value() {
            return false;
        }
        // The two texts may be divided differently, so compare as many bytes as both pieces have,
        // and stop at a piece that both texts share.
        let (mut left, mut right) = (self.0.as_deref(), other.0.as_deref());
        let (mut left_cut, mut right_cut) = (0, 0);
        while let (Some(a), Some(b)) = (left, right) {
            if std::ptr::eq(a, b) && left_cut == right_cut {
                return true;
            }
            let rest_a = &a.text.as_bytes()[..a.text.len() - left_cut];
            let rest_b = &b.text.as_bytes()[..b.text.len() - right_cut];
            let common = rest_a.len().min(rest_b.len());
            if rest_a[rest_a.len() - common..] != rest_b[rest_b.len() - common..] {
                return false;
            }
            (left, left_cut) = back(a, left_cut + common);
            (right, right_cut) = back(b, right_cut + common);
        }
        true
    }
}

/// The position in a text after going back over `cut` bytes of a piece.
fn back(piece: &Piece, cut: usize) -> (Option<&Piece>, usize) {
    if cut == piece.text.len() { (piece.before.0.as_deref(), 0) } else { (Some(piece), cut) }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash_value());
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    /// Compares lengths first: any order is good enough, and the lengths are known.
    fn cmp(&self, other: &Text) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        self.len().cmp(&other.len()).then_with(|| self.to_string().cmp(&other.to_string()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = Vec::new();
        let mut next = self.0.as_deref();
        while let Some(piece) = next {
            pieces.push(&*piece.text);
            next = piece.before.0.as_deref();
        }
        pieces.iter().rev().try_for_each(|text| f.write_str(text))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl Drop for Piece {
    /// Drops one piece after the other: a recursion over all pieces would run out of stack.
    fn drop(&mut self) {
        let mut before = self.before.0.take();
        while let Some(mut piece) = before.and_then(Arc::into_inner) {
            before = piece.before.0.take();
        }
    }
}
