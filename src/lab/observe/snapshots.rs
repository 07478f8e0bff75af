//! The rules for snapshots: their range, their order, their sender, and their last term.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, Kind, Observer};
use super::world::World;
use crate::api::{Position, ServerId};
use crate::lab::Facts;

/// "Each server takes snapshots independently, covering just the committed entries in its log"
/// (Raft §7): a majority's durable logs must have the last covered entry.
pub(super) struct SnapshotCoversCommitted;

impl Observer for SnapshotCoversCommitted {
    fn name(&self) -> &'static str {
        "SnapshotCoversCommitted"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Covered]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Event::Covered { server, at, .. } = event else { return Ok(()) };
        let holders = world.holders(*at).count();
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
    fn name(&self) -> &'static str {
        "SnapshotForward"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Covered]
    }

    fn see(&mut self, event: &Event<'_>, _: &World) -> Result<(), String> {
        match event {
            Event::Covered { server, before, at, .. } if at.index < before.index => Err(format!(
                "{server} replaced its snapshot up to {before} by an older one, up to {at}"
            )),
            _ => Ok(()),
        }
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
    fn name(&self) -> &'static str {
        "SnapshotOfCurrentLeader"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Booted, Kind::Delivered, Kind::Covered]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        match event {
            Event::Booted { server } => {
                self.offered.remove(server);
                Ok(())
            }
            Event::Delivered { to, facts: Facts::Snapshot { term, last_included, .. }, .. } => {
                if *term >= world.written(*to).ballot.term {
                    self.offered.entry(*to).or_default().insert(*last_included);
                }
                Ok(())
            }
            Event::Covered { server, at, .. } => self.judge(*server, *at, world),
            _ => Ok(()),
        }
    }
}

impl SnapshotOfCurrentLeader {
    fn judge(&self, server: ServerId, at: Position, world: &World) -> Result<(), String> {
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
    fn name(&self) -> &'static str {
        "SnapshotTermCorrect"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Sent]
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        let Event::Sent { from, facts: Facts::Snapshot { last_included, term, .. }, .. } = event
        else {
            return Ok(());
        };
        let base = world.written(*from).log.base();
        if base.index != last_included.index || base.term == last_included.term {
            return Ok(());
        }
        Err(format!(
            "{from}, leader of term {term}, sends a snapshot up to {last_included}, but its stored \
             snapshot ends at {base}"
        ))
    }
}
