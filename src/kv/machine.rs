//! The state machine of the key/value service: what each operation does.
//!
//! A key has a value and a version, which counts its changes. The classic operations (get, put,
//! append) know nothing of versions, and need a session to happen once. A put that names the
//! version it expects needs none: when it has happened the version is another one, and a second
//! copy of it does nothing.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::rsm::{RestoreError, StateMachine};
use super::session::{RequestId, Sessions};

/// How often a key was changed: 0 while it is missing, 1 when it has been created.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Version(pub u64);

impl Version {
    /// The version after this one.
    pub const fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

/// A value, and which one of its key's it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Versioned {
    /// The value.
    pub value: String,
    /// How often the key was changed to get there.
    pub version: Version,
}

/// An operation of the service, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvOp {
    /// What a key has.
    Get {
        /// The key.
        key: String,
    },
    /// Gives a key a value, once per request.
    Put {
        /// The key.
        key: String,
        /// Its new value.
        value: String,
        /// Which operation of which clerk this is.
        request: RequestId,
    },
    /// Adds to the end of a key's value, once per request. A missing key has an empty value.
    Append {
        /// The key.
        key: String,
        /// What is added.
        value: String,
        /// Which operation of which clerk this is.
        request: RequestId,
    },
    /// Gives a key a value if it has the version `expected`; 0 creates it.
    PutVersioned {
        /// The key.
        key: String,
        /// Its new value.
        value: String,
        /// The version that it must have.
        expected: Version,
    },
}

/// What an operation yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvOutput {
    /// Of a get: what the key has, unless it is missing.
    Value(Option<Versioned>),
    /// Of a put or an append: it has happened, now or before.
    Done,
    /// Of a versioned put.
    Put(PutOutcome),
}

/// What became of a versioned put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PutOutcome {
    /// The key has the value, and the next version.
    Done,
    /// The key has another version than was expected, and is as it was.
    WrongVersion,
    /// The key is missing, though a version was expected.
    NoKey,
}

/// The state: all keys, and the sessions of all clerks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KvMachine {
    values: BTreeMap<String, Versioned>,
    sessions: Sessions,
}

impl KvMachine {
    fn put(&mut self, key: String, value: String) {
        let held = self.values.entry(key).or_default();
        held.value = value;
        held.version = held.version.next();
    }

    fn append(&mut self, key: String, value: &str) {
        let held = self.values.entry(key).or_default();
        held.value.push_str(value);
        held.version = held.version.next();
    }

    fn put_versioned(&mut self, key: String, value: String, expected: Version) -> PutOutcome {
        match self.values.get(&key) {
            None if expected > Version(0) => PutOutcome::NoKey,
            Some(held) if held.version != expected => PutOutcome::WrongVersion,
            _ => {
                self.put(key, value);
                PutOutcome::Done
            }
        }
    }
}

impl StateMachine for KvMachine {
    type Op = KvOp;
    type Output = KvOutput;

    fn apply(&mut self, op: KvOp) -> KvOutput {
        match op {
            KvOp::Get { key } => KvOutput::Value(self.values.get(&key).cloned()),
            KvOp::Put { key, value, request } => {
                if self.sessions.is_first(request) {
                    self.put(key, value);
                }
                KvOutput::Done
            }
            KvOp::Append { key, value, request } => {
                if self.sessions.is_first(request) {
                    self.append(key, &value);
                }
                KvOutput::Done
            }
            KvOp::PutVersioned { key, value, expected } => {
                KvOutput::Put(self.put_versioned(key, value, expected))
            }
        }
    }

    fn read(&self, op: &KvOp) -> Option<KvOutput> {
        match op {
            KvOp::Get { key } => Some(KvOutput::Value(self.values.get(key).cloned())),
            KvOp::Put { .. } | KvOp::Append { .. } | KvOp::PutVersioned { .. } => None,
        }
    }

    fn snapshot(&self) -> Bytes {
        let encoded = postcard::to_allocvec(self);
        Bytes::from(encoded.expect("strings and numbers can always be encoded"))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let (machine, rest) = postcard::take_from_bytes(snapshot)
            .map_err(|error| RestoreError { bytes: snapshot.len(), what: error.to_string() })?;
        if !rest.is_empty() {
            let what = format!("{} bytes are left over", rest.len());
            return Err(RestoreError { bytes: snapshot.len(), what });
        }
        *self = machine;
        Ok(())
    }
}
