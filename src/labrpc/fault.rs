//! The faults of the original lab's network, as rules, number for number.

use std::time::Duration;

use super::{Call, Leg, Rule, Verdict};
use crate::runtime::rand::Chance;

/// Longest delay of a request on an unreliable network, in milliseconds, not included.
const SHORT_DELAY_MS: u64 = 27;

/// Messages lost on an unreliable network, per thousand and leg.
const LOST_PER_MILLE: u64 = 100;

/// Longest wait for a host that cannot be reached, in milliseconds, not included.
const UNREACHABLE_MS: u64 = 100;

/// The same with long delays on.
const UNREACHABLE_LONG_MS: u64 = 7000;

/// Requests are 0..=26 ms late, in whole milliseconds. One half of an unreliable network.
pub(super) struct ShortDelay;

impl Rule for ShortDelay {
    fn judge(&self, _: &Call<'_>, leg: Leg, _: usize, chance: &mut Chance) -> Verdict {
        match leg {
            Leg::Request => Verdict::Delay(millis(chance.below(SHORT_DELAY_MS))),
            Leg::Reply => Verdict::Pass,
        }
    }
}

/// A tenth of the requests and a tenth of the replies are lost. The other half.
///
/// Of a hundred calls 81 are answered, 9 are executed in vain and 10 never arrive. It comes after
/// [`ShortDelay`]: the caller of a lost request learns of it after the delay and no later.
pub(super) struct Loss;

impl Rule for Loss {
    fn judge(&self, _: &Call<'_>, _: Leg, _: usize, chance: &mut Chance) -> Verdict {
        if chance.below(1000) < LOST_PER_MILLE { Verdict::Drop } else { Verdict::Pass }
    }
}

/// Two replies of three are held back for 200..=2199 ms, about 700 on average.
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

/// How long a caller waits in vain for a host that cannot be reached.
///
/// No rule: there is no message on its way that one could judge.
pub(super) fn wait_for_the_unreachable(long_delays: bool, chance: &mut Chance) -> Duration {
    millis(chance.below(if long_delays { UNREACHABLE_LONG_MS } else { UNREACHABLE_MS }))
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
