//! A record in Chrome's trace format, which Perfetto and `chrome://tracing` open.
//!
//! A track per host. A call is an asynchronous slice of its caller, since calls overlap; all other
//! events are instants.

use serde_json::{Value, json};

use super::Filter;
use crate::api::Host;
use crate::record::{Record, Stamped, What};

/// The events of `record` that pass `filter`, as one JSON text.
pub fn trace(record: &Record, filter: &Filter) -> String {
    let mut events: Vec<Value> = names(record);
    events.extend(filter.select(record).into_iter().map(event));
    json!({ "displayTimeUnit": "ms", "traceEvents": events }).to_string()
}

/// The names of the tracks.
fn names(record: &Record) -> Vec<Value> {
    let mut hosts: Vec<Option<Host>> = record.events.iter().map(|it| it.event.who).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let name = |host: &Option<Host>| {
        let name = host.map_or_else(|| "test".to_string(), |host| host.to_string());
        json!({ "ph": "M", "name": "thread_name", "pid": 1, "tid": track(*host),
                "args": { "name": name } })
    };
    hosts.iter().map(name).collect()
}

/// The number of a host's track: the scenario's is 1, then the servers, then the clients.
fn track(host: Option<Host>) -> u64 {
    match host {
        None => 1,
        Some(Host::Server(server)) => 2 + u64::from(server.0),
        Some(Host::Client(client)) => 1_000_000 + u64::from(client),
    }
}

fn event(stamped: &Stamped) -> Value {
    let what = &stamped.event.what;
    let (tid, ts) = (track(stamped.event.who), stamped.at.as_secs_f64() * 1e6);
    let (text, topic) = (what.to_string(), what.topic().letters());
    match what {
        What::Sent { call, to, method, .. } => json!({
            "ph": "b", "cat": "call", "id": call, "name": format!("{method} to {to}"), "pid": 1,
            "tid": tid, "ts": ts, "args": { "says": text } }),
        What::Ended { call, replied, .. } => json!({
            "ph": "e", "cat": "call", "id": call, "name": "call", "pid": 1, "tid": tid, "ts": ts,
            "args": { "replied": replied } }),
        What::Step { until: Some(until), .. } => json!({
            "ph": "X", "cat": topic, "name": text, "pid": 1, "tid": tid, "ts": ts,
            "dur": until.saturating_sub(stamped.at).as_secs_f64() * 1e6 }),
        _ => json!({
            "ph": "i", "s": "t", "cat": topic, "name": text, "pid": 1, "tid": tid, "ts": ts }),
    }
}
