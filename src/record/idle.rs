//! Finds the heartbeats that change nothing, so that a reader can leave them out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fate, Stamped, State, What};
use crate::api::Facts;

/// The calls of a record that are heartbeats and changed nothing: no server's state changed with
/// them, and each was answered with success without a fault on the way, or could reach no host.
pub fn idle_calls(servers: usize, events: &[Stamped]) -> BTreeSet<u64> {
    let mut state = State::new(servers);
    let mut calls: BTreeMap<u64, bool> = BTreeMap::new();
    let mut unreachable = BTreeSet::new();
    for stamped in events {
        let changed = !state.see(&stamped.event).is_none();
        let Some((call, _)) = stamped.event.what.call() else { continue };
        let idle = calls.entry(call).or_insert(false);
        match &stamped.event.what {
            What::Sent { facts, .. } => *idle = is_heartbeat(facts) && !changed,
            What::Answered { facts: Facts::AppendReply { success: false, .. }, .. }
            | What::Ended { replied: false, .. } => {
                *idle &= unreachable.contains(&call);
            }
            // A call of a server that is cut off says nothing: the cut was told.
            What::Fate { fate: Fate::Unreachable, .. } => drop(unreachable.insert(call)),
            What::Fate { .. } => *idle = false,
            _ => *idle &= !changed,
        }
    }
    calls.into_iter().filter(|(_, idle)| *idle).map(|(call, _)| call).collect()
}

/// Whether a request claims leadership and brings no entries.
pub fn is_heartbeat(facts: &Facts) -> bool {
    match facts {
        Facts::Append { prev, last, .. } => prev == last,
        Facts::Heartbeat { .. } => true,
        _ => false,
    }
}
