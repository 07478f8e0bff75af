//! What a fault is to the network: a rule that judges messages.

use std::time::Duration;

use super::Host;
use crate::runtime::rand::Chance;

/// One call, as rules and taps see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Number of the call within its network, from 1, in the order in which calls were made.
    pub id: u64,
    /// Who calls.
    pub from: Host,
    /// Who is called.
    pub to: Host,
    /// Service and method, e.g. `RaftRpc.request_vote`.
    pub method: &'a str,
}

/// Which of a call's two messages is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// From the caller to the handler.
    Request,
    /// From the handler back to the caller.
    Reply,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It is held up for so long. Delays of several rules add up.
    Delay(Duration),
    /// It is lost, and the call ends without an answer once the delays so far have passed.
    Drop,
    /// It goes on, and arrives once more that much later. Replies have no copies: a call takes
    /// one answer.
    ///
    /// The copy is in the air whatever becomes of the message itself: a second rule's [`Drop`]
    /// makes it the only one to arrive. It goes to whatever server is there when it arrives, also
    /// one that was restarted meanwhile; its answer is thrown away.
    ///
    /// [`Drop`]: Verdict::Drop
    Duplicate {
        /// How long after the message itself.
        after: Duration,
    },
}

/// Judges messages that are on their way between two hosts that can reach each other.
///
/// All rules are asked about each message, in the order in which they were added, the lab's own
/// faults first; delays add up, and the first drop ends the call after the delays so far. The
/// rules in force when a call is made judge both of its legs.
///
/// A rule is called in place: it must not block, sleep or draw chance from elsewhere, and for a
/// repeatable run its verdict must follow from its arguments and its own state. It may call the
/// network. A closure of the same shape is a rule, too.
pub trait Rule: Send + Sync {
    /// The verdict on one message of `bytes` bytes. `chance` is this rule's own stream.
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

/// Names a rule of a network, to remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) u64);
