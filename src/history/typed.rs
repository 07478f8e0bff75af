//! A history, together with the model of its operations.

use std::fmt;

use crate::checker::Operation;
use crate::checker::describe::Describe;
use crate::checker::models::{
    Kv, KvInput, KvOutput, PerKey, Register, RegisterInput, RegisterOutput, VersionedInput,
    VersionedKv, VersionedOutput,
};

/// A value of a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(int) => int.fmt(f),
            Value::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// Registers with names. If a file has one register without a name, its name is empty.
pub type Registers = PerKey<String, Register<Value>>;
/// An operation on a register, with the register's name.
pub type RegisterOperation = Operation<(String, RegisterInput<Value>), RegisterOutput<Value>>;
/// An operation on a key/value store.
pub type KvOperation = Operation<KvInput, KvOutput>;
/// An operation on a key/value store with versions.
pub type VersionedOperation = Operation<VersionedInput, VersionedOutput>;

/// The operations of a file, with their model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// Judged by [`Registers`].
    Register(Vec<RegisterOperation>),
    /// Judged by [`Kv`].
    Kv(Vec<KvOperation>),
    /// Judged by [`VersionedKv`].
    KvVersioned(Vec<VersionedOperation>),
}

impl History {
    /// The model of the operations.
    pub const fn model(&self) -> ModelName {
        match self {
            History::Register(_) => ModelName::Register,
            History::Kv(_) => ModelName::Kv,
            History::KvVersioned(_) => ModelName::KvVersioned,
        }
    }

    /// How many operations it has.
    pub const fn len(&self) -> usize {
        match self {
            History::Register(operations) => operations.len(),
            History::Kv(operations) => operations.len(),
            History::KvVersioned(operations) => operations.len(),
        }
    }

    /// Whether it has no operations.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The models that a history can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelName {
    /// read, write, cas.
    Register,
    /// get, put, append.
    Kv,
    /// get and put, with versions.
    KvVersioned,
}

impl ModelName {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ModelName::Register => "register",
            ModelName::Kv => "kv",
            ModelName::KvVersioned => "kv-versioned",
        }
    }
}

/// Something to do with a history, whatever its model.
pub trait Judge {
    /// The result.
    type Output;

    /// Called with the model of the history and its operations.
    fn judge<M: Describe>(
        self,
        model: &M,
        operations: &[Operation<M::Input, M::Output>],
    ) -> Self::Output;
}

impl History {
    /// Passes the operations and their model to `judge`.
    pub fn judge<J: Judge>(&self, judge: J) -> J::Output {
        match self {
            History::Register(operations) => judge.judge(&Registers::default(), operations),
            History::Kv(operations) => judge.judge(&Kv, operations),
            History::KvVersioned(operations) => judge.judge(&VersionedKv, operations),
        }
    }
}
