//! The first event at which two runs differ.

use std::fmt::Write;

use crate::record::{Record, Stamped, What};

/// Number of common events that are shown before the first difference.
const BEFORE: usize = 5;

/// Number of events of each record that are shown from the first difference on.
const AFTER: usize = 3;

/// Describes the first difference of two records; `None` if they have the same events.
pub fn diff(one: &Record, other: &Record) -> Option<String> {
    let pairs = one.events.iter().zip(&other.events);
    let common = pairs.take_while(|(one, other)| is_same(one, other)).count();
    if common == one.events.len() && common == other.events.len() {
        return None;
    }
    let mut text = String::new();
    for stamped in &one.events[common.saturating_sub(BEFORE)..common] {
        let _ = writeln!(text, "  {}", line(stamped));
    }
    for (sign, record) in [('-', one), ('+', other)] {
        let rest = &record.events[common..];
        for stamped in rest.iter().take(AFTER) {
            let _ = writeln!(text, "{sign} {}", line(stamped));
        }
        if rest.is_empty() {
            let _ = writeln!(text, "{sign} the record ends here");
        }
    }
    let _ = writeln!(text, "the first {common} events are the same");
    Some(text)
}

/// Whether two events are the same.
///
/// Two parts of an event are left out. When a step is over follows from later events: otherwise the
/// step in which two runs part would be the first difference. Lines of source code move with every
/// change of a server, and a stall names one.
fn is_same(one: &Stamped, other: &Stamped) -> bool {
    let is_same_what = match (&one.event.what, &other.event.what) {
        (What::Step { text, .. }, What::Step { text: other_text, .. }) => text == other_text,
        (What::Stalled { span, .. }, What::Stalled { span: other_span, .. }) => span == other_span,
        (What::Waiting { .. }, What::Waiting { .. }) => true,
        (what, other_what) => what == other_what,
    };
    is_same_what && one.at == other.at && one.event.who == other.event.who
}

fn line(stamped: &Stamped) -> String {
    let who = stamped.event.who.map(|who| who.to_string()).unwrap_or_default();
    format!("{:>12.6}  {who:<3} {}", stamped.at.as_secs_f64(), stamped.event.what)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::view::testing::record;

    #[test]
    fn the_first_difference_has_both_sides() {
        let mut other = record();
        other.events[9].event.what = What::Called { text: "get b".into() };
        let text = diff(&record(), &other).unwrap();
        assert!(text.contains("\n-     0.200000  C0  calls get a\n"), "{text}");
        assert!(text.contains("\n+     0.200000  C0  calls get b\n"), "{text}");
        assert!(text.ends_with("the first 9 events are the same\n"), "{text}");
    }

    #[test]
    fn a_record_that_ends_early_differs() {
        let mut other = record();
        other.events.truncate(10);
        let text = diff(&record(), &other).unwrap();
        assert!(text.contains("+ the record ends here"), "{text}");
        assert_eq!(diff(&record(), &record()), None);
    }

    #[test]
    fn the_end_of_a_step_is_no_difference_of_its_own() {
        let mut other = record();
        let until = Some(Duration::from_secs(9));
        other.events[2].event.what = What::Step { text: "waits".into(), until };
        assert_eq!(diff(&record(), &other), None);
    }

    #[test]
    fn a_stall_at_another_line_is_no_difference() {
        let stalled = |millis, line| {
            let (span, place) = (Duration::from_millis(millis), format!("src/raft.rs:{line}:9"));
            let mut stalled = record();
            stalled.events[2].event.what = What::Stalled { span, place };
            stalled
        };
        assert_eq!(diff(&stalled(20, 7), &stalled(20, 8)), None, "a line was added before it");
        assert!(diff(&stalled(20, 7), &stalled(21, 7)).is_some(), "it is another stall");
    }
}
