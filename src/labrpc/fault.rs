//! [`Fault`]: faults that the original lab does not have, for chosen messages.

use std::time::Duration;

use super::{Call, Host, Leg, Rule, Verdict};
use crate::runtime::rand::Chance;

/// A rule that is built step by step: what happens to which messages, and how often.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use raftlab::api::ServerId;
/// use raftlab::labrpc::{Fault, Host, Network};
///
/// let network = Network::new();
/// let leader = Host::Server(ServerId(0));
/// // Every tenth append of the leader arrives again up to a second later.
/// let repeated = Fault::repeat(Duration::ZERO, Duration::from_secs(1))
///     .from(leader)
///     .method("RaftRpc.append_entries")
///     .per_mille(100);
/// let id = network.add_rule("repeated appends", Arc::new(repeated));
/// network.remove_rule(id);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    effect: Effect,
    leg: Leg,
    from: Option<Host>,
    to: Option<Host>,
    method: Option<&'static str>,
    per_mille: u64,
}

#[derive(Debug, Clone, Copy)]
enum Effect {
    Lose,
    Delay(Span),
    Repeat(Span),
}

/// A range of durations, `least..=most`, drawn uniformly.
#[derive(Debug, Clone, Copy)]
struct Span {
    least: Duration,
    most: Duration,
}

impl Fault {
    /// Loses messages of `leg`.
    pub fn lose(leg: Leg) -> Fault {
        Fault::new(Effect::Lose, leg)
    }

    /// Holds messages of `leg` back for `span`, so that they keep their order.
    pub fn hold(leg: Leg, span: Duration) -> Fault {
        Fault::new(Effect::Delay(Span { least: span, most: span }), leg)
    }

    /// Delays messages of `leg` by `least..=most`, so that they overtake one another.
    pub fn reorder(leg: Leg, least: Duration, most: Duration) -> Fault {
        Fault::new(Effect::Delay(Span { least, most }), leg)
    }

    /// Makes requests arrive once more, `least..=most` after their first arrival.
    pub fn repeat(least: Duration, most: Duration) -> Fault {
        Fault::new(Effect::Repeat(Span { least, most }), Leg::Request)
    }

    /// Limits the fault to calls made by `host`.
    pub fn from(self, host: Host) -> Fault {
        Fault { from: Some(host), ..self }
    }

    /// Limits the fault to calls made to `host`. With [`Leg::Reply`] these are the replies that
    /// `host` sends.
    pub fn to(self, host: Host) -> Fault {
        Fault { to: Some(host), ..self }
    }

    /// Limits the fault to calls of `method`, e.g. `RaftRpc.append_entries`.
    pub fn method(self, method: &'static str) -> Fault {
        Fault { method: Some(method), ..self }
    }

    /// Limits the fault to `per_mille` of a thousand of these messages, by chance.
    pub fn per_mille(self, per_mille: u64) -> Fault {
        Fault { per_mille, ..self }
    }

    fn new(effect: Effect, leg: Leg) -> Fault {
        Fault { effect, leg, from: None, to: None, method: None, per_mille: 1000 }
    }

    fn concerns(&self, call: &Call<'_>, leg: Leg) -> bool {
        leg == self.leg
            && self.from.is_none_or(|host| host == call.from)
            && self.to.is_none_or(|host| host == call.to)
            && self.method.is_none_or(|method| method == call.method)
    }
}

impl Rule for Fault {
    fn judge(&self, call: &Call<'_>, leg: Leg, _: usize, chance: &mut Chance) -> Verdict {
        if !self.concerns(call, leg) || chance.below(1000) >= self.per_mille {
            return Verdict::Pass;
        }
        match self.effect {
            Effect::Lose => Verdict::Drop,
            Effect::Delay(span) => Verdict::Delay(span.draw(chance)),
            Effect::Repeat(span) => Verdict::Duplicate { after: span.draw(chance) },
        }
    }
}

impl Span {
    fn draw(self, chance: &mut Chance) -> Duration {
        let spread = self.most.saturating_sub(self.least);
        let spread_ns = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
        self.least + Duration::from_nanos(chance.below(spread_ns.saturating_add(1)))
    }
}
