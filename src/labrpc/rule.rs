//! Rules: code that decides for each message whether it is lost, delayed or repeated.

use std::time::Duration;

use super::Host;
pub use crate::record::Leg;
use crate::runtime::rand::Chance;

/// One call, as rules and taps see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Number of the call within its network, from 1, in the order in which calls were made.
    pub id: u64,
    /// The host that makes the call.
    pub from: Host,
    /// The host that the call is for; it may have no server.
    pub to: Host,
    /// Service and method, e.g. `RaftRpc.request_vote`.
    pub method: &'a str,
}

/// A rule's decision on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message continues, as far as this rule is concerned.
    Pass,
    /// The message is delayed for this long. Delays of several rules add up.
    Delay(Duration),
    /// The message is lost. The call ends without a reply once the delays so far have passed.
    Drop,
    /// The message continues, and a copy arrives later. Replies are not copied, because a call gets
    /// only one reply.
    ///
    /// The copy arrives even if the message itself does not: if another rule says [`Drop`], only
    /// the copy arrives. If the server was restarted meanwhile, the copy reaches the new instance.
    /// The reply to the copy is discarded.
    ///
    /// [`Drop`]: Verdict::Drop
    Duplicate {
        /// How long after the message itself the copy arrives.
        after: Duration,
    },
}

/// Judges messages in flight between two hosts that can reach each other.
///
/// All rules are asked about each message, in the order in which they were added, the lab's own
/// faults first. Delays add up, and the first drop ends the call after the delays so far. The
/// rules in force when a call is made judge both of its legs.
///
/// A rule runs in the task that makes the call: it must not block, sleep or draw random numbers
/// from elsewhere. For a repeatable run its verdict must follow from its arguments and its own
/// state. It may call the network. A closure with the signature of `judge` is a rule, too.
pub trait Rule: Send + Sync {
    /// Judges one message of `bytes` bytes. `chance` is this rule's own random stream.
    fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize, chance: &mut Chance) -> Verdict;
}

impl<F> Rule for F
where
    F: Fn(&Call<'_>, Leg, usize, &mut Chance) -> Verdict + Send + Sync,
{
    fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize, chance: &mut Chance) -> Verdict {
        self(call, leg, bytes, chance)
    }
}

/// Identifies a rule of a network, to remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) u64);
