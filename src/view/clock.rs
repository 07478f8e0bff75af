//! Vector clocks: what each event of a record knows of the others.

use std::collections::BTreeMap;

use crate::api::Host;
use crate::record::{Record, What};

/// For each host, how many of its events an event knows, itself included.
pub(super) type Clock = BTreeMap<Host, u64>;

/// The vector clock of each event of `record`; empty for events of the whole run.
///
/// A message carries the clock of its sender: a request from `Sent` to `Delivered`, a reply from
/// `Answered` to `Ended`.
pub(super) fn clocks(record: &Record) -> Vec<Clock> {
    let mut hosts: BTreeMap<Host, Clock> = BTreeMap::new();
    let mut requests: BTreeMap<u64, Clock> = BTreeMap::new();
    let mut replies: BTreeMap<u64, Clock> = BTreeMap::new();
    let mut clocks = Vec::with_capacity(record.events.len());
    for stamped in &record.events {
        let Some(me) = stamped.event.who else {
            clocks.push(Clock::new());
            continue;
        };
        let mut clock = hosts.remove(&me).unwrap_or_default();
        match &stamped.event.what {
            What::Delivered { call, .. } => merge(&mut clock, requests.get(call)),
            What::Ended { call, replied: true, .. } => merge(&mut clock, replies.get(call)),
            _ => {}
        }
        *clock.entry(me).or_default() += 1;
        match &stamped.event.what {
            What::Sent { call, .. } => drop(requests.insert(*call, clock.clone())),
            What::Answered { call, .. } => drop(replies.insert(*call, clock.clone())),
            _ => {}
        }
        hosts.insert(me, clock.clone());
        clocks.push(clock);
    }
    clocks
}

fn merge(clock: &mut Clock, other: Option<&Clock>) {
    for (host, count) in other.into_iter().flatten() {
        let known = clock.entry(*host).or_default();
        *known = (*known).max(*count);
    }
}
