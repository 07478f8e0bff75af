//! Records the messages on the wire, in the same words for every design.
//!
//! ```text
//! 0.490025  S2  → S0 #12 append_entries term=1 prev=1/2 last=1/3 commit=2    a request leaves
//! 0.490028  S0  ↩ S2 #12 term=1 success=true                                 S0 has answered
//! 0.490029  S2  ← S0 #12                                                     that has arrived
//! ```
//!
//! `✗` in place of `←`: no reply will come. `(played)`: the scenario sends this message. An entry
//! is written `term/index`. The network itself records the fate of a call, in a line with a `·`.

use std::any::Any;

use super::Facts;
use crate::labrpc::{Call, Host, Tap};
use crate::record::{self, Event};

/// A tap that records every message. Only a run with a record has one.
pub struct Narrator {
    facts: fn(&dyn Any) -> Facts,
    /// Number of real servers; the scenario plays the others.
    real: usize,
}

impl Narrator {
    /// A narrator that reads a design's messages through its `facts`; the first `real` servers
    /// are not played.
    pub fn new(facts: fn(&dyn Any) -> Facts, real: usize) -> Narrator {
        Narrator { facts, real }
    }

    fn mark(&self, host: Host) -> &'static str {
        match host {
            Host::Server(server) if server.slot() >= self.real => " (played)",
            _ => "",
        }
    }
}

impl Tap for Narrator {
    fn sent(&self, call: &Call<'_>, request: &dyn Any) {
        tell(call.from, || {
            let method = call.method.rsplit('.').next().unwrap_or(call.method);
            let says = words((self.facts)(request));
            format!("→ {} #{} {method}{says}{}", call.to, call.id, self.mark(call.from))
        });
    }

    fn answered(&self, call: &Call<'_>, reply: &dyn Any) {
        let says = || words((self.facts)(reply));
        tell(call.to, || format!("↩ {} #{}{}{}", call.from, call.id, says(), self.mark(call.to)));
    }

    fn ended(&self, call: &Call<'_>, got_reply: bool) {
        let arrow = if got_reply { '←' } else { '✗' };
        tell(call.from, || format!("{arrow} {} #{}", call.to, call.id));
    }
}

/// A message in words, without its leader or candidate, which is always the sender.
fn words(facts: Facts) -> String {
    match facts {
        Facts::None => String::new(),
        Facts::Append { leader: _, term, commit, prev, last, .. } if prev == last => {
            format!(" term={term} prev={prev} commit={commit}")
        }
        Facts::Append { leader: _, term, commit, prev, last, .. } => {
            format!(" term={term} prev={prev} last={last} commit={commit}")
        }
        Facts::Heartbeat { leader: _, term, commit } => {
            format!(" term={term} beat commit={commit}")
        }
        Facts::VoteRequest { candidate: _, term, last } => format!(" term={term} last={last}"),
        Facts::VoteReply { term, granted } => format!(" term={term} granted={granted}"),
        Facts::AppendReply { term, success } => format!(" term={term} success={success}"),
        Facts::MatchReply { term, index } => format!(" term={term} agrees={index}"),
        Facts::Snapshot { leader: _, term, last_included } => {
            format!(" term={term} last_included={last_included}")
        }
    }
}

fn tell(host: Host, what: impl FnOnce() -> String) {
    let server = match host {
        Host::Server(id) => Some(id),
        Host::Client(_) => None,
    };
    record::emit(|| Event { server, what: what() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ServerId;

    #[test]
    fn what_a_scenario_plays_is_marked() {
        let narrator = Narrator::new(|_| Facts::None, 1);
        let mark = |server| narrator.mark(Host::Server(ServerId(server)));
        assert_eq!((mark(0), mark(1)), ("", " (played)"), "only S0 is real");
        assert_eq!(narrator.mark(Host::Client(0)), "", "a client only calls");
    }
}
