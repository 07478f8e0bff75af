//! An operation in the form that all formats share, before a model is chosen.

use super::place::Place;

/// The function that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    Get,
    Put,
    Append,
    Read,
    Write,
    Cas,
}

impl Function {
    /// All of them.
    pub(super) const ALL: [Function; 6] = [
        Function::Get,
        Function::Put,
        Function::Append,
        Function::Read,
        Function::Write,
        Function::Cas,
    ];

    /// Its name in every format.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Function::Get => "get",
            Function::Put => "put",
            Function::Append => "append",
            Function::Read => "read",
            Function::Write => "write",
            Function::Cas => "cas",
        }
    }

    /// The function of this name.
    pub(super) fn named(name: &str) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// A value that was written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Nil,
    Int(i64),
    Text(String),
}

/// A key. EDN has several kinds: the number `1`, the text `"1"` and the keyword `:1` are three.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Text(String),
    Int(i64),
    Keyword(String),
}

impl Key {
    /// The key as EDN writes it; no other key is written like it.
    pub(super) fn written(&self) -> String {
        match self {
            Key::Text(text) => format!("{text:?}"),
            Key::Int(int) => int.to_string(),
            Key::Keyword(word) => format!(":{word}"),
        }
    }

    /// The key without marks; among keys of one kind, no other key is written like it.
    pub(super) fn plain(self) -> String {
        match self {
            Key::Text(text) | Key::Keyword(text) => text,
            Key::Int(int) => int.to_string(),
        }
    }
}

/// What a call asked for, besides its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Get,
    Put { value: String, version: Option<u64> },
    Append { value: String },
    Read,
    Write { value: Value },
    Cas { from: Value, to: Value },
}

impl Input {
    pub(super) const fn function(&self) -> Function {
        match self {
            Input::Get => Function::Get,
            Input::Put { .. } => Function::Put,
            Input::Append { .. } => Function::Append,
            Input::Read => Function::Read,
            Input::Write { .. } => Function::Write,
            Input::Cas { .. } => Function::Cas,
        }
    }
}

/// Why a versioned put was not done, or may not have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Version,
    NoKey,
    Maybe,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The operation was done.
    Done,
    /// The value that was read.
    Value(Value),
    /// The value that was read, with its version.
    Versioned { value: String, version: u64 },
    /// Whether a compare-and-set found the value that it expected.
    Swapped(bool),
    /// A versioned put was not done, or it is not certain that it was.
    Refused(Refusal),
}

/// One operation of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where the file has the call.
    pub place: Place,
    pub client: u64,
    pub call: u64,
    pub key: Option<Key>,
    pub input: Input,
    /// Time of the return, and the answer; `None`: it may have happened, or may yet happen.
    pub returned: Option<(u64, Answer)>,
}
