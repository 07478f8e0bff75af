//! The layer between a log and a service: a replicated state machine.

use std::sync::Arc;

use crate::api::{ApplyMsg, Consensus, RestoreError, RsmConfig, StateMachine, SubmitError};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;
use crate::runtime::sync::Mutex;

/// One server's replica of a state machine.
pub struct Rsm<S: StateMachine> {
    consensus: Arc<dyn Consensus>,
    machine: Arc<Mutex<S>>,
}

impl<S: StateMachine> Rsm<S> {
    //= kv/rsm.rs start

    //= kv/rsm.rs submit

    //= kv/rsm.rs inspect

    //= kv/rsm.rs kill
}
