//! Vector clocks: which events of a record each event can know of.

use std::collections::BTreeMap;

use crate::api::Host;
use crate::record::{Stamped, What};

/// For each host, how many of its events an event can know of, including itself.
pub(super) type Clock = BTreeMap<Host, u64>;

/// The vector clock of each event of `shown`, which are some of `events` in the same order; empty
/// for events of the whole run.
///
/// A clock counts only events that are shown. A message carries the clock of its sender, a request
/// from `Sent` to `Delivered` and a reply from `Answered` to `Ended`, whether or not these events
/// are shown.
pub(super) fn clocks(events: &[Stamped], shown: &[&Stamped]) -> Vec<Clock> {
    let mut hosts: BTreeMap<Host, Clock> = BTreeMap::new();
    let mut requests: BTreeMap<u64, Clock> = BTreeMap::new();
    let mut replies: BTreeMap<u64, Clock> = BTreeMap::new();
    let mut clocks = Vec::with_capacity(shown.len());
    let mut to_show = shown.iter().peekable();
    for stamped in events {
        let is_shown = to_show.next_if(|next| std::ptr::eq(**next, stamped)).is_some();
        let Some(me) = stamped.event.who else {
            if is_shown {
                clocks.push(Clock::new());
            }
            continue;
        };
        let mut clock = hosts.remove(&me).unwrap_or_default();
        match &stamped.event.what {
            What::Delivered { call, .. } => merge(&mut clock, requests.get(call)),
            What::Ended { call, replied: true, .. } => merge(&mut clock, replies.get(call)),
            _ => {}
        }
        if is_shown {
            *clock.entry(me).or_default() += 1;
            clocks.push(clock.clone());
        }
        match &stamped.event.what {
            What::Sent { call, .. } => drop(requests.insert(*call, clock.clone())),
            What::Answered { call, .. } => drop(replies.insert(*call, clock.clone())),
            _ => {}
        }
        hosts.insert(me, clock);
    }
    clocks
}

fn merge(clock: &mut Clock, other: Option<&Clock>) {
    for (host, count) in other.into_iter().flatten() {
        let known = clock.entry(*host).or_default();
        *known = (*known).max(*count);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{Facts, ServerId};
    use crate::record::Event;

    #[test]
    fn a_message_carries_its_senders_clock_even_if_its_arrival_is_not_shown() {
        let (s0, s1) = (Host::Server(ServerId(0)), Host::Server(ServerId(1)));
        let stamp =
            |who, what| Stamped { at: Duration::ZERO, event: Event { who: Some(who), what } };
        let facts = Facts::None;
        let events = [
            stamp(s0, What::Sent { call: 1, to: s1, method: "m".into(), facts, played: false }),
            stamp(s1, What::Delivered { call: 1, from: s0 }),
            stamp(s1, What::Answered { call: 1, to: s0, facts, played: false }),
            stamp(s0, What::Ended { call: 1, to: s1, replied: true }),
            stamp(s0, What::Synced),
        ];
        let clocks = clocks(&events, &[&events[0], &events[2], &events[4]]);
        let expected = [
            Clock::from([(s0, 1)]),
            Clock::from([(s0, 1), (s1, 1)]),
            Clock::from([(s0, 2), (s1, 1)]),
        ];
        assert_eq!(clocks, expected);
    }
}
