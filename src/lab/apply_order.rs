//! The order in which a server applies: the rule of every apply channel.

use crate::api::{ApplyMsg, Index, ServerId};
use crate::runtime::{self, FailureKind, thread};

/// A broken rule of the apply channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The rule's name.
    pub(super) name: &'static str,
    /// The mistake, with its values.
    pub(super) message: String,
}

impl Breach {
    /// Ends the run because of `server`'s mistake.
    pub(super) fn fail(self, server: ServerId) -> ! {
        // With the server's label, so that a report names the server.
        thread::with_label(Some(server.0), || {
            runtime::fail(FailureKind::Assertion, self.name, self.message)
        })
    }
}

/// Returns the last index that `server` has applied once it has applied `message`. Before that, it
/// is `applied`.
///
/// Commands have consecutive indices. A snapshot ends at `applied` or later.
pub(super) fn next_applied(
    server: ServerId,
    applied: Index,
    message: &ApplyMsg,
) -> Result<Index, Breach> {
    match message {
        ApplyMsg::Command { index, .. } if *index == applied.next() => Ok(*index),
        ApplyMsg::Command { index, .. } => {
            let expected = applied.next();
            let message =
                format!("{server} applied out of order: expected index {expected}, got {index}");
            Err(Breach { name: "apply_order", message })
        }
        ApplyMsg::Snapshot { last_included, .. } if last_included.index >= applied => {
            Ok(last_included.index)
        }
        ApplyMsg::Snapshot { last_included, .. } => {
            let index = last_included.index;
            let message =
                format!("{server} delivered a snapshot up to {index} after applying {applied}");
            Err(Breach { name: "snapshot_moves_backwards", message })
        }
    }
}
