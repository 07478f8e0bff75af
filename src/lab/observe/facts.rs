//! Questions that several rules ask about a message or its reply.

use crate::api::{Index, Position, Term};
use crate::lab::Facts;

/// The leader's term in `facts`, if a leader sent them.
pub(super) fn leads_in(facts: &Facts) -> Option<Term> {
    match facts {
        Facts::Append { term, .. }
        | Facts::Heartbeat { term, .. }
        | Facts::Snapshot { term, .. } => Some(*term),
        _ => None,
    }
}

/// The last entry of the leader's log that a follower has once it accepts `facts`.
pub(super) fn promised(facts: &Facts) -> Option<Position> {
    match facts {
        Facts::Append { last, .. } => Some(*last),
        Facts::Snapshot { last_included, .. } => Some(*last_included),
        _ => None,
    }
}

/// The last index that a follower knows to be committed once it accepts `facts`.
pub(super) fn committed_by(facts: &Facts) -> Option<Index> {
    match facts {
        Facts::Append { commit, last, .. } => Some((*commit).min(last.index)),
        Facts::Heartbeat { commit, .. } => Some(*commit),
        Facts::Snapshot { last_included, .. } => Some(last_included.index),
        _ => None,
    }
}
