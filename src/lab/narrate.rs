//! Records the messages on the wire, in the same terms for every design.

use std::any::Any;

use crate::api::{Facts, Host};
use crate::labrpc::{Call, Tap};
use crate::record::{self, Event, What};

/// A tap that records every message. Only a run with a record has one.
pub(super) struct Narrator {
    facts: fn(&dyn Any) -> Facts,
    /// Number of real servers; the scenario plays the others.
    real: usize,
}

impl Narrator {
    /// A narrator that reads a design's messages through its `facts`; the first `real` servers
    /// are not played.
    pub(super) fn new(facts: fn(&dyn Any) -> Facts, real: usize) -> Narrator {
        Narrator { facts, real }
    }

    fn is_played(&self, host: Host) -> bool {
        host.server().is_some_and(|server| server.slot() >= self.real)
    }
}

impl Tap for Narrator {
    fn sent(&self, call: &Call<'_>, request: &dyn Any) {
        let method = call.method.rsplit('.').next().unwrap_or(call.method).to_string();
        let (facts, played) = ((self.facts)(request), self.is_played(call.from));
        tell(call.from, What::Sent { call: call.id, to: call.to, method, facts, played });
    }

    fn dispatched(&self, call: &Call<'_>, _request: &dyn Any) {
        tell(call.to, What::Delivered { call: call.id, from: call.from });
    }

    fn answered(&self, call: &Call<'_>, reply: &dyn Any) {
        let (facts, played) = ((self.facts)(reply), self.is_played(call.to));
        tell(call.to, What::Answered { call: call.id, to: call.from, facts, played });
    }

    fn ended(&self, call: &Call<'_>, got_reply: bool) {
        tell(call.from, What::Ended { call: call.id, to: call.to, replied: got_reply });
    }
}

fn tell(who: Host, what: What) {
    record::emit(|| Event { who: Some(who), what });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ServerId;

    #[test]
    fn what_a_scenario_plays_is_marked() {
        let narrator = Narrator::new(|_| Facts::None, 1);
        let played = |server| narrator.is_played(Host::Server(ServerId(server)));
        assert_eq!((played(0), played(1)), (false, true), "only S0 is real");
        assert!(!narrator.is_played(Host::Client(0)), "a client only calls");
    }
}
