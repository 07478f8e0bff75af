//! Who looks on at a server, from its disk's side of it.
//!
//! A server with a [`Persister`](crate::persister::Persister) below it and a service above it can
//! be looked at from both sides. Here one server has all of that in one database, so it shows
//! itself what a persister and an apply channel would have shown, in the same words.

use crate::api::ApplyMsg;
use crate::persister::{Persisted, Watch};

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
