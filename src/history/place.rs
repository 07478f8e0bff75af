//! A place in a file, and an error at a place.

use std::fmt;

/// A place in a file: line and column, both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct BadInput {
    /// The place.
    pub place: Place,
    /// What is wrong, and what is expected there.
    pub what: String,
}

/// One line of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// The line without its end.
    pub text: &'a str,
}

impl<'a> Line<'a> {
    /// The place `offset` bytes into the line.
    pub(super) fn at(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Place { line: self.number, column: before.chars().count() + 1 }
    }

    /// The place of `part`, which must be a piece of this line's text.
    pub(super) fn place_of(&self, part: &str) -> Place {
        let offset = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.at(offset)
    }

    /// The error `what`, `offset` bytes into the line.
    pub(super) fn wrong(&self, offset: usize, what: impl Into<String>) -> BadInput {
        BadInput { place: self.at(offset), what: what.into() }
    }
}

impl Place {
    /// The error `what` at this place.
    pub(super) fn wrong(self, what: impl Into<String>) -> BadInput {
        BadInput { place: self, what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let line = Line { number: 7, text: "äö x" };
        assert_eq!(line.at(0).to_string(), "7:1");
        assert_eq!(line.place_of(&line.text[5..]).to_string(), "7:4");
        assert_eq!(line.at(99).to_string(), "7:5");
    }
}
