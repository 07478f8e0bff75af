//! The reader of the apply channel: the only task that changes the state machine.

use std::sync::Arc;

use crate::api::{ApplyMsg, StateMachine};
use crate::runtime::channel::Receiver;
use crate::runtime::sync::Mutex;

/// The state of the task that reads the apply channel.
pub(super) struct Reader<S: StateMachine> {
    machine: Arc<Mutex<S>>,
}

impl<S: StateMachine> Reader<S> {
    //= kv/reader.rs run
}
