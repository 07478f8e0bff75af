//! The data of the page: the run, its lanes and its events, as JSON.
//!
//! All times are nanoseconds. A lane is an index into the list of lanes, which has the servers
//! first and then the clients. If an event changed its server's state, it has the changed fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Beside;
use super::marks::{self, Mark};
use crate::api::{Facts, Host, Index, ServerId};
use crate::record::{Change, Fate, Leg, Record, ServerState, Stamped, State, What, is_heartbeat};
use crate::view::{Filter, table};

/// The data for the events of `record` that pass `filter`, at most `max` of them.
pub(super) fn data(record: &Record, filter: &Filter, beside: &Beside<'_>, max: usize) -> Value {
    let selected = Filter { all: true, ..filter.clone() }.select(record);
    let window = window(&selected, max);
    let lanes = Lanes::of(record, window);
    let events = events(record, window, &lanes, beside.marks);
    let header = &record.header;
    let elapsed = filter.to.map_or(header.elapsed, |to| header.elapsed.min(nanoseconds(to)));
    let broken = window.iter().position(|it| matches!(it.event.what, What::Broken { .. }));
    json!({
        "format": 1,
        "run": {
            "test": header.test, "part": header.part, "title": beside.title, "design": header.design,
            "schedule": header.schedule, "seed": header.seed.to_string(), "strict": header.strict,
            "elapsed": elapsed, "hash": header.hash, "replay": beside.replay, "verdict": beside.verdict,
        },
        "lanes": lanes.json(),
        "failure": header.failure.as_ref().map(|failed| json!({
            "rule": failed.rule, "message": failed.message, "where": failed.place,
            "at": failed.at, "event": broken, "hint": beside.hint,
        })),
        "total": record.events.len(),
        "events": events,
    })
}

/// The last `max` events. If the run failed, they include the failure, which is the last event.
fn window<'a, 'b>(selected: &'b [&'a Stamped], max: usize) -> &'b [&'a Stamped] {
    &selected[selected.len().saturating_sub(max)..]
}

/// The lanes of a page.
struct Lanes {
    hosts: Vec<Host>,
    numbers: BTreeMap<Host, usize>,
    played: BTreeSet<Host>,
}

impl Lanes {
    /// All servers, and the clients that do something in `window`.
    fn of(record: &Record, window: &[&Stamped]) -> Lanes {
        let hosts = table::hosts(record.header.servers, window.iter().copied());
        let numbers = hosts.iter().enumerate().map(|(number, host)| (*host, number)).collect();
        let is_played = |what: &What| {
            matches!(what, What::Sent { played: true, .. } | What::Answered { played: true, .. })
        };
        let played = record.events.iter().filter(|it| is_played(&it.event.what));
        Lanes { hosts, numbers, played: played.filter_map(|it| it.event.who).collect() }
    }

    fn json(&self) -> Vec<Value> {
        let lane = |host: &Host| {
            let kind = if host.server().is_some() { "server" } else { "client" };
            json!({ "name": host.to_string(), "kind": kind, "played": self.played.contains(host) })
        };
        self.hosts.iter().map(lane).collect()
    }

    fn of_host(&self, host: Option<Host>) -> Value {
        host.and_then(|host| self.numbers.get(&host)).map_or(Value::Null, |lane| json!(lane))
    }
}

/// The events of `window`, with their servers' states. The events of the record that are not in
/// `window` change the states, too.
fn events(record: &Record, window: &[&Stamped], lanes: &Lanes, marks: &[Mark]) -> Vec<Value> {
    let marks = marks::by_call(record, marks);
    let mut state = State::new(record.header.servers);
    let mut all = record.events.iter().enumerate();
    let mut operations = Operations::default();
    let mut events = Vec::with_capacity(window.len());
    // If the page lacks some events, each server's first event on it has the whole state.
    let mut unknown: BTreeSet<ServerId> = match window.len() < record.events.len() {
        true => (0..record.header.servers).map(ServerId::from_slot).collect(),
        false => BTreeSet::new(),
    };
    // What changed at each server since its last event on the page.
    let mut pending: BTreeMap<ServerId, Change> = BTreeMap::new();
    for stamped in window {
        let mut mark = None;
        for (place, other) in all.by_ref() {
            let change = state.see(&other.event);
            if let Some(Host::Server(server)) = other.event.who {
                join(pending.entry(server).or_default(), change);
            }
            if std::ptr::eq(other, *stamped) {
                mark = marks.get(&place);
                break;
            }
        }
        let mut json = event(stamped, lanes, &mut operations);
        if let Some(mark) = mark {
            json.insert("point".to_string(), json!(mark.point.map(nanoseconds)));
            json.insert("conflict".to_string(), json!(mark.conflict));
        }
        if let Some(Host::Server(server)) = stamped.event.who
            && let Some(known) = state.servers().get(server.slot())
        {
            let mut change = pending.remove(&server).unwrap_or_default();
            if unknown.remove(&server) {
                change = Change { up: true, log: Some(known.base.index.next()), ..change };
            }
            if !change.is_none() {
                json.insert("state".to_string(), changed(known, change, lanes));
            }
        }
        events.push(Value::Object(json));
    }
    events
}

/// Adds the fields that `later` changed.
fn join(change: &mut Change, later: Change) {
    let log = match (change.log, later.log) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    *change = Change {
        up: change.up | later.up,
        role: change.role | later.role,
        term: change.term | later.term,
        vote: change.vote | later.vote,
        base: change.base | later.base,
        log,
        durable: change.durable | later.durable,
        commit: change.commit | later.commit,
        applied: change.applied | later.applied,
    };
}

/// The changed fields of `server`.
fn changed(server: &ServerState, change: Change, lanes: &Lanes) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, changed: bool, value: Value| {
        if changed {
            fields.insert(name.to_string(), value);
        }
    };
    put("up", change.up, json!(server.up));
    put("role", change.role || change.up, json!(server.role));
    put("term", change.term || change.up, json!(server.term));
    put("vote", change.vote || change.up, lanes.of_host(server.vote.map(Host::Server)));
    put("base", change.base || change.up, json!([server.base.index, server.base.term]));
    put("durable", change.durable || change.up, json!(server.durable));
    put("commit", change.commit || change.up, json!(server.commit));
    put("applied", change.applied || change.up, json!(server.applied));
    if let Some(from) = change.log {
        put("log", true, log_from(server, from));
    }
    Value::Object(fields)
}

/// The entries of `server` from index `from` on.
fn log_from(server: &ServerState, from: Index) -> Value {
    let from = from.max(server.base.index.next());
    let mut runs = server.runs.clone();
    runs.drop_first(from.0 - server.base.index.0 - 1);
    json!({ "from": from, "runs": runs })
}

/// The operations that clients have called so far. Each client has one operation at a time.
#[derive(Default)]
struct Operations {
    next: u64,
    open: BTreeMap<Host, u64>,
}

impl Operations {
    fn begin(&mut self, client: Option<Host>) -> u64 {
        self.next += 1;
        if let Some(client) = client {
            self.open.insert(client, self.next);
        }
        self.next
    }

    fn end(&mut self, client: Option<Host>) -> Option<u64> {
        self.open.remove(&client?)
    }
}

/// One event without its state.
fn event(stamped: &Stamped, lanes: &Lanes, operations: &mut Operations) -> Map<String, Value> {
    let what = &stamped.event.what;
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| {
        json.insert(name.to_string(), value);
    };
    put("at", json!(nanoseconds(stamped.at)));
    put("lane", lanes.of_host(stamped.event.who));
    put("kind", json!(kind(what)));
    put("topic", json!(what.topic()));
    put("text", json!(what.to_string()));
    if let Some((call, peer)) = what.call() {
        put("call", json!(call));
        put("peer", lanes.of_host(Some(peer)));
    }
    match what {
        What::Sent { method, facts, .. } => {
            put("method", json!(method));
            put("term", json!(facts.term()));
            put("beat", json!(is_heartbeat(facts)));
        }
        What::Answered { facts, .. } => {
            put("term", json!(facts.term()));
            put("ok", json!(accepts(facts)));
        }
        What::Ended { replied, .. } => put("ok", json!(replied)),
        What::Fate { leg, fate, .. } => {
            put("leg", json!(leg));
            let (fate, rule, span) = fated(fate, *leg);
            put("fate", json!(fate));
            put("rule", json!(rule));
            put("for", json!(span));
        }
        What::Applied { position, .. } | What::Installed { position } => {
            put("index", json!(position.index));
        }
        What::Linked { to, up } => {
            put("peer", lanes.of_host(Some(*to)));
            put("up", json!(up));
        }
        What::Step { until: Some(until), .. } => put("end", json!(nanoseconds(*until))),
        What::Called { text } => {
            put("op", json!(operations.begin(stamped.event.who)));
            put("words", json!(text));
        }
        What::Returned { text } => {
            put("op", json!(operations.end(stamped.event.who)));
            put("words", json!(text));
            put("ok", json!(true));
        }
        What::Stalled { span, .. } => put("for", json!(nanoseconds(*span))),
        What::Broken { rule, .. } => put("rule", json!(rule)),
        _ => {}
    }
    json
}

const fn kind(what: &What) -> &'static str {
    match what {
        What::Sent { .. } => "sent",
        What::Delivered { .. } => "delivered",
        What::Answered { .. } => "answered",
        What::Ended { .. } => "returned",
        What::Fate { .. } => "network",
        What::Voted { .. } => "ballot",
        What::Appended { .. } => "entries",
        What::Covered { .. } => "snapshot",
        What::Synced => "synced",
        What::Applied { .. } => "applied",
        What::Installed { .. } => "installed",
        What::Started { .. } => "started",
        What::Crashed => "crashed",
        What::Linked { .. } => "link",
        What::Step { .. } | What::Over => "step",
        What::Called { .. } => "invoke",
        What::Returned { .. } => "return",
        What::Broken { .. } => "broken",
        What::Stalled { .. } => "stall",
        What::Waiting { .. } | What::Note { .. } => "note",
    }
}

/// Whether a reply grants or accepts the request; `None` if the reply does not say that.
const fn accepts(facts: &Facts) -> Option<bool> {
    match facts {
        Facts::VoteReply { granted, .. } => Some(*granted),
        Facts::AppendReply { success, .. } => Some(*success),
        _ => None,
    }
}

/// The name of a fate, its rules, and its delay.
fn fated(fate: &Fate, leg: Leg) -> (&'static str, Option<String>, Option<u64>) {
    match fate {
        Fate::Lost(rule) => ("lost", Some(rule.clone()), None),
        Fate::Delayed { by, rules } if leg == Leg::Reply => {
            ("held", Some(rules.join(", ")), Some(nanoseconds(*by)))
        }
        Fate::Delayed { by, rules } => ("delayed", Some(rules.join(", ")), Some(nanoseconds(*by))),
        Fate::Repeated { after } => ("repeated", None, Some(nanoseconds(*after))),
        Fate::Again => ("repeated", None, None),
        Fate::Unreachable => ("nowhere", None, None),
        Fate::Gone => ("gone", None, None),
    }
}

fn nanoseconds(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::testing::record;

    #[test]
    fn the_page_repeats_the_run_with_the_program_that_wrote_it() {
        let beside = Beside { replay: "mine replay votes_2a --seed 3", ..Beside::default() };
        let data = data(&record(), &Filter::default(), &beside, 10);
        assert_eq!(data["run"]["replay"], "mine replay votes_2a --seed 3");
    }
}
