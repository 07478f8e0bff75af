//! Who looks on at a server, from its disk's side of it.
//!
//! A server with a [`Persister`](crate::persister::Persister) below it and a service above it can
//! be looked at from both sides. Here one server has all of that in one database, so it shows
//! itself what a persister and an apply channel would have shown, in the same words.

use bytes::Bytes;
use redb::Durability;

use super::disk::Disk;
use super::engine::{Engine, Found};
use super::error::StoreError;
use crate::api::{ApplyMsg, Entry, Position};
use crate::persister::{Persisted, Watch, Write};
use crate::tick::{HardState, Ready};

/// Looks on as a server stores and applies, without the server knowing.
///
/// `Watch::wrote` is called for what a transaction wrote, when it is committed: term and vote,
/// entries, and the position that the log was cut at or that an installed snapshot ends with. It
/// is told `Write::Synced` after a commit for which the disk was really synced, and not otherwise.
///
/// As with every [`Watch`]: in place, never blocking, without a lock held or chance drawn.
pub trait StoreWatch: Watch {
    /// A life begins with this in its database, where the data are those of the entries up to
    /// `applied`. The snapshot is none of the log's and stays out.
    fn found(&self, persisted: &Persisted, applied: Position);

    /// An entry was applied, or a snapshot was installed in the data's place; it is committed to
    /// the database. Every entry counts, also one that changes nothing.
    fn applied(&self, message: &ApplyMsg);
}

/// Shows what a life begins with.
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

/// A transaction on its way, to be shown when it is committed.
pub(super) struct Commit {
    syncs_before: u64,
    durability: Durability,
}

impl Commit {
    pub(super) fn begins(disk: &Disk, durability: Durability) -> Commit {
        Commit { syncs_before: disk.usage().syncs, durability }
    }

    /// Shows that `ready` is stored and applied, where there was `before` and is `now`.
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
        // The log is cut by an entry that is applied, so it comes after those before that.
        if now.truncated != snapshot.unwrap_or(before.truncated) {
            watch.wrote(&Write::Snapshot(now.truncated));
            if synced {
                watch.wrote(&Write::Synced);
            }
        }
    }
}
