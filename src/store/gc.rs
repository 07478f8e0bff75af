//! Decides when a leader has the log compacted, and up to which entry.
//!
//! ```text
//! truncated                                        applied
//!    │◄──────────────── limit ───────────────────────►│   time to compact
//!    ────────────────────────┬────────────────────────
//!                            │◄──── half of it ──────►│   what a slow follower may still need
//! ```
//!
//! The leader alone decides what is dropped, by an entry in the log. So all servers have the same
//! entries, and a server that lags applies the entries before it drops them.

use super::config::GC_TICKS;
use super::sending::Sending;
use super::storage::PeerStorage;
use crate::api::{Index, ServerId, Term};
use crate::tick::{Progress, RawNode, Role};

/// A leader's view of the length of its log.
pub(super) struct Gc {
    limit: Option<u64>,
    /// Ticks since the last check.
    ticks: u32,
    /// The term and the highest index of earlier proposals: no index is proposed twice in a term.
    proposed: (Term, Index),
}

impl Gc {
    pub(super) const fn new(limit: Option<u64>) -> Gc {
        Gc { limit, ticks: 0, proposed: (Term(0), Index(0)) }
    }

    /// Counts a tick. Returns the last entry to drop, if it is time to drop some.
    pub(super) fn tick(&mut self, node: &RawNode<PeerStorage>, sending: &Sending) -> Option<Index> {
        self.ticks += 1;
        let limit = self.limit.filter(|_| self.ticks >= GC_TICKS)?;
        self.ticks = 0;
        let (raft, storage) = (node.raft(), node.storage());
        if raft.role() != Role::Leader {
            return None;
        }
        let (truncated, applied) = (storage.truncated().index, storage.applied().index);
        let needed = raft
            .progress()
            .filter(|peer| peer.id() != raft.id())
            .map(|peer| needs_after(peer, |id| sending.position(id).map(|end| end.index)))
            .min();
        let is_sending = raft.progress().any(|peer| sending.position(peer.id()).is_some());
        let index =
            compact_up_to(limit, truncated, applied, needed.unwrap_or(applied), is_sending)?;
        let is_news = self.proposed.0 != raft.term() || self.proposed.1 < index;
        self.proposed = (raft.term(), index.max(self.proposed.1));
        is_news.then_some(index)
    }
}

/// The entry after which a follower needs the log: the last one that it has, or the last one of the
/// snapshot that is being sent to it.
fn needs_after(peer: &Progress, sent: impl Fn(ServerId) -> Option<Index>) -> Index {
    sent(peer.id()).map_or(peer.matched(), |end| end.max(peer.matched()))
}

/// The last entry to drop from a log that is dropped up to `truncated` and applied up to `applied`.
///
/// The last applied entry stays. The entries that a follower still needs stay too, but at most half
/// of the limit. While a snapshot is being sent, this bound is the whole limit: the snapshot would
/// be useless if the log did not continue after it.
fn compact_up_to(
    limit: u64,
    truncated: Index,
    applied: Index,
    needed: Index,
    is_sending: bool,
) -> Option<Index> {
    if applied.0.saturating_sub(truncated.0) < limit.max(1) {
        return None;
    }
    let spared = if is_sending { limit } else { limit / 2 };
    let index = needed.max(Index(applied.0.saturating_sub(spared))).min(applied.prev());
    (index > truncated).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to which entry a log with a limit of 10 is compacted.
    fn compacted(truncated: u64, applied: u64, needed: u64, is_sending: bool) -> Option<u64> {
        let (truncated, applied) = (Index(truncated), Index(applied));
        compact_up_to(10, truncated, applied, Index(needed), is_sending).map(|index| index.0)
    }

    #[test]
    fn a_log_is_compacted_when_it_has_reached_the_limit() {
        assert_eq!(compacted(5, 14, 14, false), None);
        assert_eq!(compacted(5, 15, 15, false), Some(14), "all but the last applied entry");
    }

    #[test]
    fn what_a_follower_needs_stays_up_to_half_of_the_limit() {
        assert_eq!(compacted(0, 10, 8, false), Some(8));
        assert_eq!(compacted(0, 10, 2, false), Some(5));
    }

    #[test]
    fn what_follows_a_snapshot_in_flight_stays_up_to_the_limit() {
        assert_eq!(compacted(0, 10, 2, true), Some(2));
        assert_eq!(compacted(0, 15, 2, true), Some(5));
    }

    #[test]
    fn nothing_is_compacted_twice() {
        assert_eq!(compacted(5, 15, 5, true), None);
    }
}
