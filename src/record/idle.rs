//! Finds the heartbeats that change nothing, so that a reader can leave them out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Fate, Stamped, State, What};
use crate::api::{Facts, Host, Term};

/// Finds the calls of a record that are heartbeats and changed nothing.
///
/// None of the call's events changes the state of a server. And the call either got a reply with
/// success and met no fault but a delay, or could not reach any host.
pub fn idle_calls(servers: usize, events: &[Stamped]) -> BTreeSet<u64> {
    let mut state = State::new(servers);
    let mut calls: BTreeMap<u64, Call> = BTreeMap::new();
    // The calls whose handlers run, by the called host.
    let mut handled: BTreeMap<Option<Host>, Vec<u64>> = BTreeMap::new();
    for stamped in events {
        let Event { who, what } = &stamped.event;
        let change = state.see(&stamped.event);
        let Some((number, _)) = what.call() else {
            // A handler writes what it changes before it answers.
            if change.term || change.vote || change.role || change.log.is_some() {
                for number in handled.remove(who).unwrap_or_default() {
                    calls.entry(number).or_default().idle = false;
                }
            }
            continue;
        };
        let handlers = handled.entry(*who).or_default();
        match what {
            What::Delivered { .. } => handlers.push(number),
            What::Answered { .. } => handlers.retain(|other| *other != number),
            _ => {}
        }
        let changed = !change.is_none();
        let call = calls.entry(number).or_default();
        match what {
            What::Sent { facts, .. } => {
                call.idle = is_heartbeat(facts) && !changed;
                call.term = facts.term();
            }
            What::Answered { facts, .. } => {
                let agrees = facts.term().is_none_or(|term| call.term == Some(term));
                call.idle &= !changed && agrees && !refuses(facts);
            }
            What::Ended { replied, .. } => call.answered = *replied,
            // A call over a cut link says nothing new: the record has the cut.
            What::Fate { fate: Fate::Unreachable, .. } => call.unreachable = true,
            // Nor does a delay of a heartbeat that arrives.
            What::Fate { fate: Fate::Delayed { .. }, .. } => {}
            What::Fate { .. } => call.idle = false,
            _ => call.idle &= !changed,
        }
    }
    let idle = |call: &Call| call.idle && (call.answered || call.unreachable);
    calls.into_iter().filter(|(_, call)| idle(call)).map(|(number, _)| number).collect()
}

/// What is known of a call so far.
#[derive(Default)]
struct Call {
    /// Whether it is a heartbeat that has changed nothing.
    idle: bool,
    /// The caller's term.
    term: Option<Term>,
    /// Whether its reply has arrived.
    answered: bool,
    /// Whether it could reach no host.
    unreachable: bool,
}

/// Whether a reply says no although it may have the same term.
const fn refuses(reply: &Facts) -> bool {
    matches!(reply, Facts::AppendReply { success: false, .. })
}

/// Whether a request claims leadership and brings no entries.
pub fn is_heartbeat(facts: &Facts) -> bool {
    match facts {
        Facts::Append { prev, last, .. } => prev == last,
        Facts::Heartbeat { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{Index, ServerId};

    const S0: Host = Host::Server(ServerId(0));
    const S1: Host = Host::Server(ServerId(1));

    fn idle(who_and_what: Vec<(Host, What)>) -> bool {
        let at = Duration::ZERO;
        let stamp = |(who, what)| Stamped { at, event: Event { who: Some(who), what } };
        // An earlier heartbeat of the same term tells all that is new.
        let before = [(S0, beat(1)), (S1, reply(1, 3)), (S0, ended(1))];
        let events: Vec<_> = before.into_iter().chain(who_and_what).map(stamp).collect();
        idle_calls(2, &events).contains(&2)
    }

    fn beat(call: u64) -> What {
        let facts = Facts::Heartbeat { leader: ServerId(0), term: Term(3), commit: Index(0) };
        What::Sent { call, to: S1, method: "heartbeat".into(), facts, played: false }
    }

    fn reply(call: u64, term: u64) -> What {
        let facts = Facts::AppendReply { term: Term(term), success: true };
        What::Answered { call, to: S0, facts, played: false }
    }

    fn ended(call: u64) -> What {
        What::Ended { call, to: S1, replied: true }
    }

    fn fate(fate: Fate) -> What {
        What::Fate { call: 2, to: S1, leg: crate::record::Leg::Request, fate }
    }

    #[test]
    fn only_a_heartbeat_that_was_answered_and_changed_nothing_is_idle() {
        assert!(idle(vec![(S0, beat(2)), (S1, reply(2, 3)), (S0, ended(2))]), "answered");
        assert!(!idle(vec![(S0, beat(2))]), "its handler may never return");
        assert!(!idle(vec![(S0, beat(2)), (S1, reply(2, 3))]), "no reply has arrived");
        let newer = What::Voted { term: Term(4), vote: None };
        let refused = vec![(S1, newer), (S0, beat(2)), (S1, reply(2, 4)), (S0, ended(2))];
        assert!(!idle(refused), "the receiver is in a newer term");
        assert!(idle(vec![(S0, beat(2)), (S0, fate(Fate::Unreachable))]), "the cut was told");
        let delivered = What::Delivered { call: 2, from: S0 };
        let voted = What::Voted { term: Term(3), vote: Some(ServerId(0)) };
        let answered = [(S1, reply(2, 3)), (S0, ended(2))];
        let handled = [(S0, beat(2)), (S1, delivered), (S1, voted)].into_iter().chain(answered);
        assert!(!idle(handled.collect()), "its handler changed the vote");
        let lost = fate(Fate::Lost("loss".into()));
        assert!(!idle(vec![(S0, beat(2)), (S0, lost)]), "lost");
    }
}
