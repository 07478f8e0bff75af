//! An operation as all formats have it, before a model is chosen.

use super::place::Place;

/// What was called.
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
    pub const ALL: [Function; 6] = [
        Function::Get,
        Function::Put,
        Function::Append,
        Function::Read,
        Function::Write,
        Function::Cas,
    ];

    /// Its name in every format.
    pub const fn name(self) -> &'static str {
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
    pub fn named(name: &str) -> Option<Function> {
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
    /// The key as EDN has it, which no other key shares.
    pub fn written(&self) -> String {
        match self {
            Key::Text(text) => format!("{text:?}"),
            Key::Int(int) => int.to_string(),
            Key::Keyword(word) => format!(":{word}"),
        }
    }

    /// The key without marks. Among keys of one kind no other has it.
    pub fn plain(self) -> String {
        match self {
            Key::Text(text) | Key::Keyword(text) => text,
            Key::Int(int) => int.to_string(),
        }
    }
}

/// What a call asked for, beside its key.
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
    pub const fn function(&self) -> Function {
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

/// Why a versioned put did not happen, or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Version,
    NoKey,
    Maybe,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It happened.
    Done,
    /// What was read.
    Value(Value),
    /// What was read, with its version.
    Versioned { value: String, version: u64 },
    /// Whether a compare-and-set found what it compared with.
    Swapped(bool),
    /// What became of a versioned put that was not done for certain.
    Refused(Refusal),
}

/// One operation of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it was called.
    pub place: Place,
    pub client: u64,
    pub call: u64,
    pub key: Option<Key>,
    pub input: Input,
    /// When it returned, and with what; `None`: it may have happened, or may yet happen.
    pub returned: Option<(u64, Answer)>,
}
