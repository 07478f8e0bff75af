//! The state machine of the key/value service: the effect of each operation.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::kv_rpc::{PutOutcome, Versioned};
use crate::api::{RestoreError, StateMachine};

/// An operation of the service, as it is written to the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvOp {
    /// Reads a key's value and version.
    Get {
        /// The key.
        key: String,
    },
    // Your operations here: the other calls of `KvRpc`.
}

/// The output of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvOutput {
    /// The output of a get: the key's value and version; `None` if the key is missing.
    Value(Option<Versioned>),
    /// The output of a put or an append.
    Done,
    /// The output of a versioned put.
    Put(PutOutcome),
}

/// The state: all keys, and what is known of the clerks.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct KvMachine {
    // Your fields here.
}

impl StateMachine for KvMachine {
    type Op = KvOp;
    type Output = KvOutput;

    //= kv/machine.rs apply

    //= kv/machine.rs snapshot

    //= kv/machine.rs restore
}
