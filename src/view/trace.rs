//! A record in Chrome's trace format, which Perfetto and `chrome://tracing` open.
//!
//! Each host has a track. A call is an asynchronous slice on the caller's track, because calls may
//! overlap. All other events are instants.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Filter;
use crate::api::Host;
use crate::record::{Record, Stamped, What};

/// The events of `record` that pass `filter`, as one JSON text.
pub fn trace(record: &Record, filter: &Filter) -> String {
    let ends = ends(record);
    let mut events: Vec<Value> = names(record);
    for stamped in filter.select(record) {
        match &stamped.event.what {
            What::Sent { call, .. } => events.extend(slice(stamped, ends.get(call))),
            // It is part of the slice.
            What::Ended { .. } => {}
            _ => events.push(event(stamped)),
        }
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events }).to_string()
}

/// When each call is over for its caller, and whether a reply came.
fn ends(record: &Record) -> BTreeMap<u64, (Duration, bool)> {
    let end = |stamped: &Stamped| match &stamped.event.what {
        What::Ended { call, replied, .. } => Some((*call, (stamped.at, *replied))),
        _ => None,
    };
    record.events.iter().filter_map(end).collect()
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

/// The beginning and the end of a call, whose request is `sent`. Viewers match the two by their
/// category, number and name.
fn slice(sent: &Stamped, end: Option<&(Duration, bool)>) -> Vec<Value> {
    let What::Sent { call, to, method, .. } = &sent.event.what else { return Vec::new() };
    let (tid, name) = (track(sent.event.who), format!("{method} to {to}"));
    let begin = json!({
        "ph": "b", "cat": "call", "id": call, "name": name, "pid": 1, "tid": tid,
        "ts": microseconds(sent.at), "args": { "says": sent.event.what.to_string() } });
    let end = end.map(|(at, replied)| {
        json!({
            "ph": "e", "cat": "call", "id": call, "name": name, "pid": 1, "tid": tid,
            "ts": microseconds(*at), "args": { "replied": replied } })
    });
    [begin].into_iter().chain(end).collect()
}

fn event(stamped: &Stamped) -> Value {
    let what = &stamped.event.what;
    let (tid, ts) = (track(stamped.event.who), microseconds(stamped.at));
    let (text, topic) = (what.to_string(), what.topic().letters());
    match what {
        What::Step { until: Some(until), .. } => json!({
            "ph": "X", "cat": topic, "name": text, "pid": 1, "tid": tid, "ts": ts,
            "dur": microseconds(until.saturating_sub(stamped.at)) }),
        _ => json!({
            "ph": "i", "s": "t", "cat": topic, "name": text, "pid": 1, "tid": tid, "ts": ts }),
    }
}

fn microseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing::record;

    #[test]
    fn a_call_is_a_slice_that_ends_with_its_reply() {
        let text = trace(&record(), &Filter::default());
        let file: Value = serde_json::from_str(&text).unwrap();
        let events = file["traceEvents"].as_array().unwrap();
        let phase = |phase: &str| events.iter().filter(|it| it["ph"] == phase).collect::<Vec<_>>();
        assert_eq!(phase("M").len(), 4, "the test, two servers, a client");
        let (begins, ends) = (phase("b"), phase("e"));
        assert_eq!((begins.len(), ends.len()), (1, 1));
        assert_eq!((&begins[0]["id"], &begins[0]["name"]), (&ends[0]["id"], &ends[0]["name"]));
        assert_eq!((&begins[0]["ts"], &ends[0]["ts"]), (&json!(110_000.0), &json!(113_000.0)));
        assert_eq!(phase("X")[0]["dur"], json!(250_000.0), "a step of the test has a duration");
    }

    #[test]
    fn a_call_without_an_end_has_only_a_beginning() {
        let mut record = record();
        record.events.truncate(7);
        let text = trace(&record, &Filter::default());
        assert!(text.contains(r#""ph":"b""#) && !text.contains(r#""ph":"e""#), "{text}");
    }
}
