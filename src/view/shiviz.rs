//! A record as a log for ShiViz: each event with its vector clock.

use std::fmt::Write;

use super::Filter;
use super::clock::clocks;
use crate::record::Record;

/// The two lines that tell ShiViz how to read the events and the heading.
const PARSERS: &str = "(?<time>[0-9.]+) (?<host>\\S+) (?<clock>{[^}]*}) (?<event>.*)\n\
                       === (?<trace>.*) ===\n";

/// The events of `record` that pass `filter` and belong to a host.
///
/// ShiViz requires that the events of each host are numbered without gaps. So the clocks count only
/// the events that are shown.
pub fn shiviz(record: &Record, filter: &Filter) -> String {
    let header = &record.header;
    let mut shown = filter.select(record);
    shown.retain(|stamped| stamped.event.who.is_some());
    let mut text = format!("{PARSERS}=== {} seed {} ===\n", header.test, header.seed);
    for (stamped, clock) in shown.iter().zip(clocks(&record.events, &shown)) {
        let Some(who) = stamped.event.who else { continue };
        let counts: Vec<_> =
            clock.iter().map(|(host, count)| format!("\"{host}\":{count}")).collect();
        let (at, counts) = (stamped.at.as_secs_f64(), counts.join(","));
        let _ = writeln!(text, "{at:.6} {who} {{{counts}}} {}", stamped.event.what);
    }
    text
}
