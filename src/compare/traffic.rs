//! Counts the messages on the network of a measurement by their kind, and delays them.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Sub;
use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::{Design, Facts};
use crate::labrpc::{Call, Host, Leg, Rule, Tap, Verdict};
use crate::runtime::rand::Chance;
use crate::runtime::sync::Quiet;

/// What a request is for, whatever the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It asks for a vote.
    Vote,
    /// It carries entries.
    Entries,
    /// It is an append without entries: a heartbeat of the RPC style, or a report of a commit.
    Empty,
    /// It is a heartbeat that is not an append.
    Heartbeat,
    /// It carries a snapshot.
    Snapshot,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(facts: &Facts) -> Kind {
        match facts {
            Facts::VoteRequest { .. } => Kind::Vote,
            Facts::Append { prev, last, .. } if prev == last => Kind::Empty,
            Facts::Append { .. } => Kind::Entries,
            Facts::Heartbeat { .. } => Kind::Heartbeat,
            Facts::Snapshot { .. } => Kind::Snapshot,
            _ => Kind::Other,
        }
    }
}

/// The counts up to a moment. The difference of two is the count between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Requests made, including those that were lost.
    pub(super) requests: u64,
    /// Requests that asked for a vote.
    pub(super) votes: u64,
    /// Responses that reached the caller.
    pub(super) responses: u64,
    /// Bytes of requests and of the responses that were counted.
    pub(super) bytes: u64,
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, earlier: Counts) -> Counts {
        Counts {
            requests: self.requests - earlier.requests,
            votes: self.votes - earlier.votes,
            responses: self.responses - earlier.responses,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// One message that is to be lost: the next one of its kind, to `to` or back from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) kind: Kind,
    pub(super) to: ServerId,
    pub(super) leg: Leg,
    /// How long its caller does not notice.
    ///
    /// The lab's network ends a call when the message would have arrived; a real network cannot.
    pub(super) unnoticed: Duration,
}

/// Counts messages, delays each by the same span, and loses the one that it is told to lose.
///
/// As a [`Tap`] it sees what a call is for; as a [`Rule`] it sees how many bytes each message has.
pub(super) struct Traffic {
    facts: fn(&dyn Any) -> Facts,
    /// How long a message takes, in either direction.
    leg: Duration,
    state: Quiet<State>,
}

#[derive(Default)]
struct State {
    counts: Counts,
    /// The calls in flight.
    kinds: BTreeMap<u64, Kind>,
    loss: Option<Loss>,
    /// Whether the message being judged was chosen to be lost: [`Losing`] loses it.
    chosen: bool,
}

impl Traffic {
    pub(super) fn new(design: &Design, leg: Duration) -> Traffic {
        Traffic { facts: design.facts, leg, state: Quiet::default() }
    }

    /// The time of a message and its answer.
    pub(super) fn round_trip(&self) -> Duration {
        2 * self.leg
    }

    pub(super) fn counts(&self) -> Counts {
        self.state.with(|state| state.counts)
    }

    /// Loses the next message that `loss` describes.
    pub(super) fn lose_next(&self, loss: Loss) {
        self.state.with(|state| state.loss = Some(loss));
    }

    /// Whether no message remains to be lost.
    pub(super) fn has_lost(&self) -> bool {
        self.state.with(|state| state.loss.is_none())
    }
}

impl Tap for Traffic {
    fn sent(&self, call: &Call<'_>, request: &dyn Any) {
        let kind = Kind::of(&(self.facts)(request));
        self.state.with(|state| {
            state.counts.requests += 1;
            state.counts.votes += u64::from(kind == Kind::Vote);
            state.kinds.insert(call.id, kind);
        });
    }

    fn ended(&self, call: &Call<'_>, _got_reply: bool) {
        self.state.with(|state| state.kinds.remove(&call.id));
    }
}

impl Rule for Traffic {
    fn judge(&self, call: &Call<'_>, leg: Leg, bytes: usize, _: &mut Chance) -> Verdict {
        self.state.with(|state| {
            let is_meant = |loss: &mut Loss| {
                loss.leg == leg
                    && Host::Server(loss.to) == call.to
                    && state.kinds.get(&call.id) == Some(&loss.kind)
            };
            if leg == Leg::Request {
                state.counts.bytes += bytes as u64;
            }
            if let Some(Loss { unnoticed, .. }) = state.loss.take_if(is_meant) {
                state.chosen = true;
                return Verdict::Delay(self.leg + unnoticed);
            }
            if leg == Leg::Reply {
                state.counts.responses += 1;
                state.counts.bytes += bytes as u64;
            }
            Verdict::Delay(self.leg)
        })
    }
}

/// Loses the messages that [`Traffic`] chose: a rule can only delay or lose.
pub(super) struct Losing(pub(super) Arc<Traffic>);

impl Rule for Losing {
    fn judge(&self, _: &Call<'_>, _: Leg, _: usize, _: &mut Chance) -> Verdict {
        // The network asks both rules about one message before it judges another.
        let chosen = self.0.state.with(|state| std::mem::take(&mut state.chosen));
        if chosen { Verdict::Drop } else { Verdict::Pass }
    }
}
