//! The faults of the original lab's network as rules, with its exact numbers.

use std::time::Duration;

use super::{Call, Leg, Rule, Verdict};
use crate::runtime::rand::Chance;

/// Delays of requests on an unreliable network are below this, in milliseconds.
const SHORT_DELAY_MS: u64 = 27;

/// Messages lost on an unreliable network, per thousand on each leg.
const LOST_PER_MILLE: u64 = 100;

/// Waits for a host that cannot be reached are below this, in milliseconds.
const UNREACHABLE_MS: u64 = 100;

/// Waits for a host that cannot be reached are below this with long delays on, in milliseconds.
const UNREACHABLE_LONG_MS: u64 = 7000;

/// Delays requests by 0..=26 whole milliseconds: one of the two faults of an unreliable network.
pub(super) struct ShortDelay;

impl Rule for ShortDelay {
    fn judge(&self, _: &Call<'_>, leg: Leg, _: usize, chance: &mut Chance) -> Verdict {
        match leg {
            Leg::Request => Verdict::Delay(millis(chance.below(SHORT_DELAY_MS))),
            Leg::Reply => Verdict::Pass,
        }
    }
}

/// Loses a tenth of the requests and a tenth of the replies: the other fault of such a network.
///
/// Of a hundred calls 81 get a reply, 9 are executed without a reply and 10 never arrive. This rule
/// judges after [`ShortDelay`]. So the caller of a lost request waits only for that delay.
pub(super) struct Loss;

impl Rule for Loss {
    fn judge(&self, _: &Call<'_>, _: Leg, _: usize, chance: &mut Chance) -> Verdict {
        if chance.below(1000) < LOST_PER_MILLE { Verdict::Drop } else { Verdict::Pass }
    }
}

/// Holds two of three replies back for 200..=2199 ms, about 700 on average.
pub(super) struct LongReordering;

impl Rule for LongReordering {
    fn judge(&self, _: &Call<'_>, leg: Leg, _: usize, chance: &mut Chance) -> Verdict {
        if leg == Leg::Request || chance.below(900) >= 600 {
            return Verdict::Pass;
        }
        let spread_ms = 1 + chance.below(2000);
        Verdict::Delay(millis(200 + chance.below(spread_ms)))
    }
}

/// Draws how long a caller waits for a host that cannot be reached.
///
/// This is not a rule, because there is no message in flight to judge.
pub(super) fn wait_for_the_unreachable(long_delays: bool, chance: &mut Chance) -> Duration {
    millis(chance.below(if long_delays { UNREACHABLE_LONG_MS } else { UNREACHABLE_MS }))
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
