//! The rules for snapshots: their range, their order, their sender, and their last term.

use std::collections::{BTreeMap, BTreeSet};

use super::observer::{Covered, Judged, Observer, Sent};
use super::world::World;
use crate::api::{Position, ServerId};
use crate::lab::Facts;

/// "Each server takes snapshots independently, covering just the committed entries in its log"
/// (Raft §7): a majority's durable logs must have the last covered entry.
pub(super) struct SnapshotCoversCommitted;

impl Observer for SnapshotCoversCommitted {
    fn covered(&mut self, Covered { server, at, .. }: Covered, world: &World) -> Judged {
        let holders = world.holders(at).count();
        if holders >= world.quorum() {
            return Ok(());
        }
        Err(format!(
            "{server} wrote a snapshot up to {at}, but only {holders} servers have this entry in \
             their durable logs; a majority is {}",
            world.quorum()
        ))
    }
}

/// A server never replaces its snapshot by an older one: the entries after the older one were
/// discarded (Raft §7).
pub(super) struct SnapshotForward;

impl Observer for SnapshotForward {
    fn covered(&mut self, Covered { server, before, at, .. }: Covered, _: &World) -> Judged {
        if at.index >= before.index {
            return Ok(());
        }
        Err(format!("{server} replaced its snapshot up to {before} by an older one, up to {at}"))
    }
}

/// "Reply immediately if term < currentTerm" (Figure 13, step 1): a snapshot of a deposed leader
/// is not installed.
///
/// A snapshot beyond the entries that a server has applied comes from a leader. The rule fails if
/// the server installs such a snapshot and every request in this life that offered it came from a
/// term that the server had already left.
#[derive(Default)]
pub(super) struct SnapshotOfCurrentLeader {
    offered: BTreeMap<ServerId, BTreeSet<Position>>,
}

impl Observer for SnapshotOfCurrentLeader {
    fn booted(&mut self, server: ServerId, _: &World) -> Judged {
        self.offered.remove(&server);
        Ok(())
    }

    fn delivered(&mut self, to: ServerId, request: &Facts, world: &World) -> Judged {
        if let Facts::Snapshot { term, last_included, .. } = request
            && *term >= world.written(to).ballot.term
        {
            self.offered.entry(to).or_default().insert(*last_included);
        }
        Ok(())
    }

    fn covered(&mut self, Covered { server, at, .. }: Covered, world: &World) -> Judged {
        let delivered = world.server(server).delivered;
        let offered = self.offered.get(&server).is_some_and(|offered| offered.contains(&at));
        if at.index <= delivered || offered {
            return Ok(());
        }
        Err(format!(
            "{server} installed a snapshot up to {at}, but it had applied only up to {delivered} \
             and was offered this snapshot by no leader, or only by leaders of terms it had left"
        ))
    }
}

/// A snapshot comes with "the index and term of the last entry replaced" (Figure 13): the entry's
/// term, not the leader's.
pub(super) struct SnapshotTermCorrect;

impl Observer for SnapshotTermCorrect {
    fn sent(&mut self, Sent { from, facts, .. }: Sent<'_>, world: &World) -> Judged {
        let Facts::Snapshot { last_included, term, .. } = facts else { return Ok(()) };
        let base = world.written(from).log.base();
        if base.index != last_included.index || base.term == last_included.term {
            return Ok(());
        }
        Err(format!(
            "{from}, leader of term {term}, sends a snapshot up to {last_included}, but its stored \
             snapshot ends at {base}"
        ))
    }
}
