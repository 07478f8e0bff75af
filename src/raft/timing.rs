//! Every number of time and quantity, with its reason, and the election timer.
//!
//! ```text
//! ms   0        100       200       300       400                 800
//!      │ append  ♥         ♥         ♥         ├─ election timeout ─┤
//!      answered in 0 to 26 ms, one in ten lost
//! ```

use std::time::Duration;

use super::log::Batch;
use crate::api::{ServerId, Term};
use crate::runtime::rand::{Chance, stream};
use crate::runtime::time::Instant;

/// A leader's longest silence towards a follower.
///
/// The lab asks for no more than ten heartbeats a second.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);

/// Shortest election timeout: a follower stands only after three heartbeats in a row are lost.
///
/// Three, because the unreliable network loses one in ten and delays the rest by up to 26 ms: so a
/// live leader is deposed once in a thousand timeouts at most. The paper's 150 ms would do so for
/// a single lost heartbeat.
pub const ELECTION_TIMEOUT_MIN: Duration = Duration::from_millis(400);

/// Longest election timeout: the range is wide so that few candidates stand at the same time.
///
/// A vote takes 52 ms at most, an eighth of the range, so a split vote is rare and three in a row
/// still leave a leader well within the lab's five seconds.
pub const ELECTION_TIMEOUT_MAX: Duration = Duration::from_millis(800);

/// How long a leader waits for entries to go with the news that the commit index rose.
///
/// A leader's own service learns at once; followers may learn a little later, so the news of a
/// burst of commands goes out once. Short against the 20 ms at which the lab looks for progress.
pub const COMMIT_NEWS_DELAY: Duration = Duration::from_millis(10);

/// Most entries, and most bytes of commands, of one AppendEntries.
///
/// Large enough that a burst goes in one call, small enough that a repeated call is cheap.
pub const BATCH: Batch = Batch { entries_max: 512, bytes_max: 128 * 1024 };

/// How often a leader repeats entries to a follower that does not answer.
///
/// After that it sends empty heartbeats until any answer comes: a call to a server that is cut off
/// takes seconds to fail, and must not pile the same entries up behind it.
pub const UNANSWERED_MAX: u32 = 4;

/// Most messages, and most bytes of commands, that are taken for the service at a time.
pub const APPLY_BATCH: Batch = Batch { entries_max: 256, bytes_max: 1024 * 1024 };

/// How long a read waits to hear that its leader still leads.
///
/// As long as the longest election timeout: who heard from no majority for so long has probably
/// been replaced, and the client had better ask the others.
pub const READ_PATIENCE: Duration = ELECTION_TIMEOUT_MAX;

/// How soon an applier that waits for its service notices that the instance was killed.
pub const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// When to stand for election, if nothing holds us back until then (Raft §5.2).
pub struct ElectionTimer {
    chance: Chance,
    deadline: Instant,
}

impl ElectionTimer {
    /// A timer of server `me`, which starts in `term`.
    ///
    /// Every server draws from a stream of its own, or all would time out together; and since a
    /// stream begins anew when it is asked for, the term keeps a server that is restarted again
    /// and again from drawing the same first timeout each time.
    pub fn new(me: ServerId, term: Term) -> ElectionTimer {
        let chance = stream(&format!("election-timeout-{me}-{term}"));
        let mut timer = ElectionTimer { chance, deadline: Instant::now() };
        timer.reset();
        timer
    }

    /// Waits a whole timeout again, of a newly drawn length.
    pub fn reset(&mut self) {
        self.deadline = Instant::now() + self.draw();
    }

    /// The moment to stand for election.
    pub const fn election_deadline(&self) -> Instant {
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
        assert_ne!(draws(0, 3), draws(1, 3), "two servers would stand together");
        assert_ne!(draws(0, 3), draws(0, 4), "a restarted server would repeat itself");
    }

    #[test]
    fn three_lost_heartbeats_do_not_depose_a_leader() {
        let network_delay_max = Duration::from_millis(26);
        assert!(ELECTION_TIMEOUT_MIN > 3 * HEARTBEAT_INTERVAL + network_delay_max);
    }
}
