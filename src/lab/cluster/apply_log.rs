//! The apply log: the service of the only real server in a scenario with puppets.
//!
//! It records every message that it receives, and takes a snapshot when the scenario tells it to.

use bytes::Bytes;

use super::applier::{ApplyCheck, Next};
use crate::api::{ApplyMsg, Index, Position, ServerId};
use crate::lab::apply_order::{Breach, next_applied};
use crate::runtime::sync::Quiet;

/// All messages of the real server to its service in its present life, in order.
#[derive(Default)]
pub(in crate::lab) struct ApplyLog {
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

impl ApplyLog {
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
}

impl ApplyCheck for ApplyLog {
    fn begin_life(&self, _: ServerId, stored: Option<(Position, Bytes)>) -> Result<(), Breach> {
        let applied = stored.map_or(Index(0), |(at, _)| at.index);
        self.state.with(|state| *state = State { applied, ..State::default() });
        Ok(())
    }

    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach> {
        self.state.with(|state| {
            state.messages.push(message.clone());
            state.applied = next_applied(server, state.applied, message)?;
            let applied = state.applied;
            match state.snapshot_due.take_if(|(index, _)| *index <= applied) {
                Some((index, data)) => Ok(Next::Snapshot(index, data)),
                None => Ok(Next::Wait),
            }
        })
    }
}
