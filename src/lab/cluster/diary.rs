//! The diary: the service of the only real server in a scenario with puppets.
//!
//! It records every message that it receives, and takes a snapshot when the scenario tells it to.

use bytes::Bytes;

use super::ledger::{Breach, Next};
use crate::api::{ApplyMsg, Index, ServerId};
use crate::runtime::sync::Quiet;

/// All messages of the real server to its service in its present life, in order.
#[derive(Default)]
pub(in crate::lab) struct Diary {
    state: Quiet<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<ApplyMsg>,
    /// The last index applied, by command or snapshot.
    applied: Index,
    /// The snapshot to take once its index is applied.
    snapshot_due: Option<(Index, Bytes)>,
}

impl Diary {
    /// Begins a life with only a stored snapshot up to `stored`, which is 0 if there is none.
    pub(super) fn begin_life(&self, stored: Index) {
        self.state.with(|state| *state = State { applied: stored, ..State::default() });
    }

    /// The messages of this life.
    pub(in crate::lab) fn messages(&self) -> Vec<ApplyMsg> {
        self.state.with(|state| state.messages.clone())
    }

    /// The last index applied; a stored snapshot counts.
    pub(in crate::lab) fn applied(&self) -> Index {
        self.state.with(|state| state.applied)
    }

    /// Makes the service take a snapshot up to `index` as soon as it receives the command at
    /// `index` or a later message.
    pub(in crate::lab) fn snapshot_at(&self, index: Index, data: Bytes) {
        self.state.with(|state| state.snapshot_due = Some((index, data)));
    }

    /// Checks and records one message of the apply channel.
    pub(super) fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach> {
        self.state.with(|state| {
            state.messages.push(message.clone());
            state.applied = state.next_applied(server, message)?;
            let applied = state.applied;
            match state.snapshot_due.take_if(|(index, _)| *index <= applied) {
                Some((index, data)) => Ok(Next::Snapshot(index, data)),
                None => Ok(Next::Wait),
            }
        })
    }
}

impl State {
    fn next_applied(&self, server: ServerId, message: &ApplyMsg) -> Result<Index, Breach> {
        let applied = self.applied;
        let breach = |name, message| Err(Breach { name, message });
        match message {
            ApplyMsg::Command { index, .. } if *index == applied.next() => Ok(*index),
            ApplyMsg::Command { index, .. } => breach(
                "apply_order",
                format!("{server} applied out of order: expected {}, got {index}", applied.next()),
            ),
            ApplyMsg::Snapshot { last_included, .. } if last_included.index >= applied => {
                Ok(last_included.index)
            }
            ApplyMsg::Snapshot { last_included, .. } => breach(
                "snapshot_moves_backwards",
                format!("{server} delivered a snapshot up to {last_included} after {applied}"),
            ),
        }
    }
}
