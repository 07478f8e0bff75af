//! Who looks on at a server, from its disk's side of it.
//!
//! A server with a [`Persister`](crate::persister::Persister) below it and a service above it can
//! be looked at from both sides. Here one server has all of that in one database, so it shows
//! itself what a persister and an apply channel would have shown, in the same words.

use bytes::Bytes;

use super::engine::Found;
use crate::api::ApplyMsg;
use crate::persister::{Persisted, Watch, Write};
use crate::tick::Ready;

/// Looks on as a server stores and applies, without the server knowing.
///
/// `Watch::wrote` is called for what goes into a transaction, before the commit: term and vote,
/// entries, and the position that the log was cut at or that an installed snapshot ends with. It
/// is told `Write::Synced` after a commit in which the disk was synced, and not otherwise.
///
/// As with every [`Watch`]: in place, never blocking, without a lock held or chance drawn.
pub trait StoreWatch: Watch {
    /// A life begins with this in its database. The snapshot is none of the log's: it stays out.
    fn found(&self, persisted: &Persisted);

    /// An entry was applied, or a snapshot was installed in the data's place; it is committed to
    /// the database. Every entry counts, also one that changes nothing.
    fn applied(&self, message: &ApplyMsg);
}

/// Shows what a transaction wrote, which made `next` of `found`.
pub(super) fn show_written(watch: &dyn StoreWatch, found: &Found, next: &Found, ready: &Ready) {
    let ballot = |found: &Found| (found.hard_state.term, found.hard_state.vote);
    if ballot(found) != ballot(next) {
        let (term, voted_for) = ballot(next);
        watch.wrote(&Write::Vote { term, voted_for });
    }
    if let Some(snapshot) = &ready.snapshot {
        watch.wrote(&Write::Snapshot(snapshot.position));
    }
    if !ready.entries.is_empty() {
        watch.wrote(&Write::Append(&ready.entries));
    }
    let cut_before =
        ready.snapshot.as_ref().map_or(found.truncated, |installed| installed.position);
    if next.truncated != cut_before {
        watch.wrote(&Write::Snapshot(next.truncated));
    }
}

/// Shows what is committed to the database, and whether the disk was synced.
pub(super) fn show_done(watch: &dyn StoreWatch, ready: &Ready, image: &[u8]) {
    if ready.must_sync {
        watch.wrote(&Write::Synced);
    }
    if let Some(snapshot) = &ready.snapshot {
        let last_included = snapshot.position;
        let data = Bytes::copy_from_slice(image);
        watch.applied(&ApplyMsg::Snapshot { last_included, data });
    }
    for entry in &ready.committed_entries {
        let command = entry.data.clone();
        let (index, term) = (entry.index, entry.term);
        watch.applied(&ApplyMsg::Command { index, term, command });
    }
}
