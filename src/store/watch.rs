//! Watches a server, from its disk's side.
//!
//! A server with a [`Persister`](crate::persister::Persister) below it and a service above it can
//! be watched from both sides. Here one server has all of that in one database, so it shows by
//! itself what a persister and an apply channel would have shown, with the same types.

use bytes::Bytes;
use redb::Durability;

use super::disk::Disk;
use super::engine::{Engine, Found};
use super::error::StoreError;
use crate::api::{ApplyMsg, Entry, Position};
use crate::persister::{Persisted, Watch, Write};
use crate::tick::{HardState, Ready};

/// Watches what a server stores and applies, without the server knowing.
///
/// `Watch::wrote` is called for what a transaction wrote, when it is committed: term and vote,
/// entries, and the position up to which the log was compacted or an installed snapshot ends. It
/// gets `Write::Synced` after a commit for which the disk was really synced, and not otherwise.
///
/// As with every [`Watch`], a call comes in place and without a lock held; it must not block or
/// draw chance.
pub trait StoreWatch: Watch {
    /// A life begins with `persisted` in its database; its data are the effect of the entries up to
    /// `applied`.
    ///
    /// `persisted` has no snapshot: the data are in the database instead.
    fn found(&self, persisted: &Persisted, applied: Position);

    /// An entry was applied, or a snapshot was installed in place of the data, and is committed.
    ///
    /// Every entry is shown, also one that changes nothing.
    fn applied(&self, message: &ApplyMsg);
}

/// Shows the watcher what a life begins with.
pub(super) fn show_found(disk: &Disk, engine: &Engine, found: &Found) -> Result<(), StoreError> {
    let Some(watch) = disk.watching() else { return Ok(()) };
    let HardState { term, vote, .. } = found.hard_state;
    let persisted = Persisted {
        current_term: term,
        voted_for: vote,
        last_included: found.truncated,
        snapshot: None,
        entries: engine.entries(found.truncated.index.next(), found.last.index.next())?,
    };
    watch.found(&persisted, found.applied);
    Ok(())
}

/// A transaction that is not yet committed, to be shown when it is.
pub(super) struct Commit {
    syncs_before: u64,
    durability: Durability,
}

impl Commit {
    pub(super) fn begin(disk: &Disk, durability: Durability) -> Commit {
        Commit { syncs_before: disk.usage().syncs, durability }
    }

    /// Shows that `ready` is stored and applied; the database went from `before` to `now`.
    pub(super) fn show(self, disk: &Disk, ready: &Ready, before: &Found, now: &Found) {
        let Some(watch) = disk.watching() else { return };
        let HardState { term, vote: voted_for, .. } = now.hard_state;
        if (term, voted_for) != (before.hard_state.term, before.hard_state.vote) {
            watch.wrote(&Write::Vote { term, voted_for });
        }
        let snapshot = ready.snapshot.as_ref().map(|snapshot| snapshot.position);
        if let Some(position) = snapshot {
            watch.wrote(&Write::Snapshot(position));
        }
        if !ready.entries.is_empty() {
            watch.wrote(&Write::Append(&ready.entries));
        }
        let synced = matches!(self.durability, Durability::Immediate)
            && disk.usage().syncs > self.syncs_before;
        if synced {
            watch.wrote(&Write::Synced);
        }
        if let Some(last_included) = snapshot {
            watch.applied(&ApplyMsg::Snapshot { last_included, data: Bytes::new() });
        }
        for Entry { term, index, data } in &ready.committed_entries {
            let (index, term, command) = (*index, *term, data.clone());
            watch.applied(&ApplyMsg::Command { index, term, command });
        }
        // An applied entry compacts the log, so this is shown after the entries up to that one.
        if now.truncated != snapshot.unwrap_or(before.truncated) {
            watch.wrote(&Write::Snapshot(now.truncated));
            if synced {
                watch.wrote(&Write::Synced);
            }
        }
    }
}
