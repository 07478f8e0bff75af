//! All durations and limits, each with its reason, and the election timer.
//!
//! ```text
//! ms   0        100       200       300       400                 800
//!      │ append  ♥         ♥         ♥         ├─ election timeout ─┤
//!      requests take 0 to 26 ms, one message in ten is lost
//! ```

use std::time::Duration;

use super::log::Batch;
use crate::api::{ServerId, Term};
use crate::runtime::rand::{Chance, stream};
use crate::runtime::time::Instant;

/// Longest time between two messages of a leader to a follower.
///
/// The lab allows no more than ten heartbeats a second.
pub(super) const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);

/// Shortest election timeout: a follower starts an election only after it misses three heartbeats.
///
/// Three, because the unreliable network loses one message in ten and delays requests by up to
/// 26 ms: a live leader is deposed in at most one of a thousand timeouts. With the paper's 150 ms,
/// a single lost heartbeat would depose it.
pub(super) const ELECTION_TIMEOUT_MIN: Duration = Duration::from_millis(400);

/// Longest election timeout: the wide range makes it rare that two candidates start together.
///
/// Unless the network reorders replies, a vote takes 26 ms at most, a fifteenth of the range, so a
/// split vote is rare. Even after three of them in a row there is a leader well within the lab's
/// five seconds.
pub(super) const ELECTION_TIMEOUT_MAX: Duration = Duration::from_millis(800);

/// How long a leader holds back a new commit index, so that it can go with the next entries.
///
/// The leader's own service applies the entry at once. The followers may hear of it a little later,
/// so that one message is enough for a burst of commands. The time is short compared with the 20 ms
/// between two checks of the lab for progress.
pub(super) const COMMIT_NEWS_DELAY: Duration = Duration::from_millis(10);

/// Limits of one AppendEntries.
///
/// Large enough that a burst fits into one call, small enough that a repeated call is cheap.
pub(super) const BATCH: Batch = Batch { entries_max: 512, bytes_max: 128 * 1024 };

/// How many times a leader sends entries or a snapshot to a follower that does not reply.
///
/// After that it sends empty heartbeats until any reply comes: a call to a server that is cut off
/// takes seconds to fail, and copies of the same entries must not pile up meanwhile.
pub(super) const UNANSWERED_MAX: u32 = 4;

/// Limits of the messages that the applier takes at a time.
pub(super) const APPLY_BATCH: Batch = Batch { entries_max: 256, bytes_max: 1024 * 1024 };

/// How long a read waits for a majority to confirm that the leader still leads.
///
/// As long as the longest election timeout: a leader that no majority has answered for that long
/// has probably been replaced, and the client should try another server.
pub(super) const READ_PATIENCE: Duration = ELECTION_TIMEOUT_MAX;

/// The moment to start an election, unless a reset moves it (Raft §5.2).
pub(super) struct ElectionTimer {
    chance: Chance,
    deadline: Instant,
}

impl ElectionTimer {
    /// Makes the timer of server `me`, which starts in `term`.
    ///
    /// Each server draws from its own random stream; otherwise all would time out together. A
    /// stream of the same name begins again from its start, so the name has the term, too: a server
    /// that restarts again and again in newer terms does not draw the same first timeout each time.
    pub(super) fn new(me: ServerId, term: Term) -> ElectionTimer {
        let chance = stream(&format!("election-timeout-{me}-{term}"));
        let mut timer = ElectionTimer { chance, deadline: Instant::now() };
        timer.reset();
        timer
    }

    /// Starts a whole timeout again, of a newly drawn length.
    pub(super) fn reset(&mut self) {
        self.deadline = Instant::now() + self.draw();
    }

    /// Returns the moment to start an election.
    pub(super) const fn election_deadline(&self) -> Instant {
        self.deadline
    }

    fn draw(&mut self) -> Duration {
        let range = ELECTION_TIMEOUT_MAX - ELECTION_TIMEOUT_MIN;
        let range_ns = u64::try_from(range.as_nanos()).expect("the range is well below a second");
        ELECTION_TIMEOUT_MIN + Duration::from_nanos(self.chance.below(range_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(me: u32, term: u64) -> Vec<Duration> {
        let mut timer = ElectionTimer::new(ServerId(me), Term(term));
        (0..1000).map(|_| timer.draw()).collect()
    }

    #[test]
    fn election_timeouts_fill_their_range() {
        let draws = draws(0, 0);
        let (min, max) = (draws.iter().min().unwrap(), draws.iter().max().unwrap());
        let slack = Duration::from_millis(20);
        assert!(*min >= ELECTION_TIMEOUT_MIN && *min < ELECTION_TIMEOUT_MIN + slack, "{min:?}");
        assert!(*max < ELECTION_TIMEOUT_MAX && *max > ELECTION_TIMEOUT_MAX - slack, "{max:?}");
    }

    #[test]
    fn neither_servers_nor_lives_of_one_server_draw_alike() {
        assert_ne!(draws(0, 3), draws(1, 3), "two servers would start elections together");
        assert_ne!(draws(0, 3), draws(0, 4), "a restarted server would repeat itself");
    }

    #[test]
    fn three_lost_heartbeats_do_not_depose_a_leader() {
        let network_delay_max = Duration::from_millis(26);
        assert!(ELECTION_TIMEOUT_MIN > 3 * HEARTBEAT_INTERVAL + network_delay_max);
    }
}
