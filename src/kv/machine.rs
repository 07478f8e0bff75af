//! The state machine of the key/value service: the effect of each operation.
//!
//! A key has a value and a version, which counts its changes. The classic operations (get, put,
//! append) do not use versions; put and append need a session to happen only once. A put that names
//! the version it expects needs no session: once it has happened, the key has another version, so a
//! second copy has no effect.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::session::Sessions;
use crate::api::kv_rpc::{PutOutcome, RequestId, Version, Versioned};
use crate::api::{RestoreError, StateMachine};

/// An operation of the service, as it is written to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvOp {
    /// Reads a key's value and version.
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
    /// Appends to a key's value, once per request. A missing key has an empty value.
    Append {
        /// The key.
        key: String,
        /// The text to append.
        value: String,
        /// Which operation of which clerk this is.
        request: RequestId,
    },
    /// Gives a key a value if it has the version `expected`; 0 creates the key.
    PutVersioned {
        /// The key.
        key: String,
        /// Its new value.
        value: String,
        /// The version that the key must have.
        expected: Version,
    },
}

/// The output of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvOutput {
    /// The output of a get: the key's value and version; `None` if the key is missing.
    Value(Option<Versioned>),
    /// The output of a put or an append: it has happened, now or before.
    Done,
    /// The output of a versioned put.
    Put(PutOutcome),
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
        // Handout 3A: carry out one operation, and each request at most once.
        match op {
            KvOp::Get { key } => KvOutput::Value(self.values.get(&key).cloned()),
            KvOp::Put { key, value, request } => {
                if self.sessions.record_if_new(request) {
                    self.put(key, value);
                }
                KvOutput::Done
            }
            KvOp::Append { key, value, request } => {
                if self.sessions.record_if_new(request) {
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
        // Handout 3B: encode the whole state, and what makes an operation happen only once.
        let encoded = postcard::to_allocvec(self);
        Bytes::from(encoded.expect("strings and numbers can always be encoded"))
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        // Handout 3B: decode the state that `snapshot` encoded.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv_rpc::ClientId;

    fn get(key: &str) -> KvOp {
        KvOp::Get { key: key.into() }
    }

    fn append(value: &str, number: u64) -> KvOp {
        let request = RequestId { client: ClientId(1), number };
        KvOp::Append { key: "a".into(), value: value.into(), request }
    }

    fn put(value: &str, number: u64) -> KvOp {
        let request = RequestId { client: ClientId(1), number };
        KvOp::Put { key: "a".into(), value: value.into(), request }
    }

    fn put_versioned(value: &str, expected: u64) -> KvOp {
        let (value, expected) = (value.into(), Version(expected));
        KvOp::PutVersioned { key: "a".into(), value, expected }
    }

    /// Makes a machine that has carried out `ops`; returns it with the output of the last.
    fn after(ops: impl IntoIterator<Item = KvOp>) -> (KvMachine, KvOutput) {
        let mut machine = KvMachine::default();
        let last = ops.into_iter().map(|op| machine.apply(op)).last();
        (machine, last.unwrap())
    }

    fn held(value: &str, version: u64) -> KvOutput {
        KvOutput::Value(Some(Versioned { value: value.into(), version: Version(version) }))
    }

    #[test]
    fn a_missing_key_has_no_value_and_takes_an_append() {
        assert_eq!(after([get("a")]).1, KvOutput::Value(None));
        assert_eq!(after([append("x", 1), get("a")]).1, held("x", 1));
    }

    #[test]
    fn a_put_replaces_and_an_append_adds_and_each_is_a_version() {
        let ops = [put("x", 1), append("y", 2), get("a")];
        assert_eq!(after(ops).1, held("xy", 2));
    }

    #[test]
    fn a_repeated_request_is_done_and_does_nothing() {
        let (mut machine, _) = after([append("x", 1), append("y", 2)]);
        assert_eq!(machine.apply(append("y", 2)), KvOutput::Done);
        assert_eq!(machine.apply(put("x", 1)), KvOutput::Done);
        assert_eq!(machine.apply(get("a")), held("xy", 2));
    }

    #[test]
    fn a_versioned_put_needs_the_version_that_is_there() {
        let (mut machine, created) = after([put_versioned("x", 0)]);
        assert_eq!(created, KvOutput::Put(PutOutcome::Done));
        for wrong in [0, 2] {
            let refused = machine.apply(put_versioned("y", wrong));
            assert_eq!(refused, KvOutput::Put(PutOutcome::WrongVersion), "at {wrong}");
        }
        assert_eq!(machine.apply(get("a")), held("x", 1));
        assert_eq!(machine.apply(put_versioned("y", 1)), KvOutput::Put(PutOutcome::Done));
        assert_eq!(machine.apply(get("a")), held("y", 2));
    }

    #[test]
    fn a_versioned_put_creates_a_key_at_version_0_only() {
        let (mut machine, refused) = after([put_versioned("x", 1)]);
        assert_eq!(refused, KvOutput::Put(PutOutcome::NoKey));
        assert_eq!(machine.apply(get("a")), KvOutput::Value(None));
    }

    #[test]
    fn a_read_answers_a_get_and_nothing_else() {
        let (machine, _) = after([put("x", 1)]);
        assert_eq!(machine.read(&get("a")), Some(held("x", 1)));
        for op in [put("y", 2), append("y", 2), put_versioned("y", 1)] {
            assert_eq!(machine.read(&op), None, "{op:?} changes the state");
        }
    }

    #[test]
    fn a_restored_machine_knows_values_versions_and_sessions() {
        let (machine, _) = after([put("x", 1), append("y", 2)]);
        let mut restored = KvMachine::default();
        restored.restore(&machine.snapshot()).unwrap();
        assert_eq!(restored, machine);
        restored.apply(append("y", 2));
        assert_eq!(restored.apply(get("a")), held("xy", 2), "the request was applied before");
    }

    #[test]
    fn a_snapshot_of_one_key_and_one_clerk_is_small() {
        let (machine, _) = after([put("x", 1)]);
        let size = machine.snapshot().len();
        assert!(size <= 16, "{size} bytes");
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let mut long = after([put("x", 1)]).0.snapshot().to_vec();
        long.push(0);
        let cut = &long[..long.len() - 2];
        for bytes in [&long[..], cut, &[]] {
            let refused = KvMachine::default().restore(bytes).unwrap_err();
            assert_eq!(refused.bytes, bytes.len());
        }
    }
}
