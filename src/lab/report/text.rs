//! A failure as text, in fewer than 40 lines.
//!
//! ```text
//! broken   the rule, and the mistake with its values
//! where    the server, its role, its task, the time, the place in the source
//! servers  every server at that moment
//! last     the last events that matter
//! test     what the scenario did last, and what it waits for
//! hint     where to look first
//! again    the command line that repeats the run
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Report;
use crate::api::{Host, ServerId};
use crate::lab::{Hint, find_hint};
use crate::record::{Event, Stamped, State, What, idle_calls};
use crate::runtime::{Clock, Failure, FailureKind};

/// Maximum number of events that the text shows.
const EVENTS_MAX: usize = 10;

/// Maximum number of the scenario's steps that the text shows.
const STEPS_MAX: usize = 4;

/// Maximum number of a server's tasks that the text shows.
const TASKS_MAX: usize = 3;

/// Maximum number of lines of a failure's message.
const MESSAGE_LINES_MAX: usize = 12;

/// Renders the failure of `report`, or why there is no verdict. Empty if all is well.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let Some(failure) = &report.failure else {
        if let Some(why) = &report.undecided {
            section(&mut text, "unknown", &format!("Linearizability: {why}"));
            again(&mut text, report);
        }
        return text;
    };
    let state = last_state(report);
    section(&mut text, "broken", &shortened(&format!("{}: {}", failure.name, failure.message)));
    section(&mut text, "where", &place(report, failure, &state));
    if !report.record.is_empty() {
        section(&mut text, "servers", &servers(report, failure, &state));
        section(&mut text, "last", &last_events(report));
        section(&mut text, "test", &last_steps(report));
    }
    hint(&mut text, report);
    again(&mut text, report);
    text
}

/// Adds the first step of the failure's hint, and the line that shows the next step.
fn hint(text: &mut String, report: &Report) {
    let hint = report.failure.as_ref().and_then(|failure| find_hint(&failure.name));
    let (Some(hint), Some(more)) = (hint, report.hint_line()) else { return };
    let mut lines: Vec<String> = Hint::lines(hint.steps[0]).map(|line| line.to_string()).collect();
    lines.push(format!("more: {more}"));
    section(text, "hint", &lines.join("\n"));
}

/// The events of the scenario's story. A failure that is found after the run, such as a history
/// that is not linearizable, has nothing to do with the end of the servers.
fn story(report: &Report) -> &[Stamped] {
    let over = report.record.iter().position(|it| matches!(it.event.what, What::Over));
    &report.record[..over.unwrap_or(report.record.len())]
}

/// Adds a section: its heading, and its lines beside and below.
fn section(text: &mut String, heading: &str, lines: &str) {
    for (number, line) in lines.lines().enumerate() {
        let heading = if number == 0 { heading } else { "" };
        let _ = writeln!(text, "{heading:<8} {line}");
    }
}

/// A message without the lines beyond the maximum.
fn shortened(message: &str) -> String {
    let lines: Vec<&str> = message.lines().collect();
    if lines.len() <= MESSAGE_LINES_MAX {
        return message.to_string();
    }
    let more = lines.len() - MESSAGE_LINES_MAX;
    let plural = if more == 1 { "" } else { "s" };
    format!("{}\n… {more} more line{plural}", lines[..MESSAGE_LINES_MAX].join("\n"))
}

/// Adds the line that repeats the run.
fn again(text: &mut String, report: &Report) {
    let line = report.replay_line();
    match report.clock {
        Clock::Virtual => section(text, "again", &line),
        Clock::Real => {
            let why = "a run on the real clock cannot be repeated; try";
            section(text, "again", &format!("{why}\n{line}"));
        }
    }
}

/// The state of the servers after the last event.
pub(super) fn last_state(report: &Report) -> State {
    let mut state = State::new(report.servers);
    for stamped in story(report) {
        state.see(&stamped.event);
    }
    state
}

/// Where the failure happened: the server and its role, the task, the time, the source.
pub(super) fn place(report: &Report, failure: &Failure, state: &State) -> String {
    let mut place = String::new();
    if let Some(server) = failure.label.map(ServerId) {
        let _ = write!(place, "{server}");
        if let Some(known) = state.servers().get(server.slot())
            && !report.record.is_empty()
        {
            let _ = write!(place, ", {}", known.role_and_term());
        }
        place.push_str("; ");
    }
    if !failure.task.is_empty() {
        let _ = write!(place, "task {}; ", failure.task);
    }
    let _ = write!(place, "{} time {:.6} s", report.clock, failure.at.as_secs_f64());
    if !failure.place.is_empty() {
        let _ = write!(place, "; {}", failure.place);
    }
    place
}

/// A line for each server, and what the tasks of a server at fault did, unless the message of the
/// failure says it already: that of a deadlock has all tasks.
fn servers(report: &Report, failure: &Failure, state: &State) -> String {
    let mut lines = String::new();
    for (slot, known) in state.servers().iter().enumerate() {
        let server = ServerId::from_slot(slot);
        let _ = writeln!(lines, "{server}  {known}");
        let tasks_max = match failure.label {
            _ if failure.kind == FailureKind::Deadlock => 0,
            None => 1,
            Some(label) if ServerId(label) == server => TASKS_MAX,
            Some(_) => 0,
        };
        let news = |task: &&String| !failure.message.contains(task.as_str());
        for task in tasks_of(report, server).iter().filter(news).take(tasks_max) {
            let _ = writeln!(lines, "      {task}");
        }
    }
    lines
}

/// What the tasks of `server` did when the run failed.
fn tasks_of(report: &Report, server: ServerId) -> &[String] {
    let told = report.record.iter().rev().find_map(|stamped| match &stamped.event {
        Event { who: Some(Host::Server(id)), what: What::Waiting { tasks } } if *id == server => {
            Some(tasks.as_slice())
        }
        _ => None,
    });
    told.unwrap_or_default()
}

/// The last events that matter, oldest first. Heartbeats that change nothing are only counted.
fn last_events(report: &Report) -> String {
    let idle = idle_calls(report.servers, story(report));
    let mut lines: Vec<String> = Vec::new();
    let mut skipped = BTreeSet::new();
    for stamped in story(report).iter().rev() {
        match stamped.event.what.call() {
            Some((call, _)) if idle.contains(&call) => {
                skipped.insert(call);
                continue;
            }
            _ if !matters(&stamped.event.what) => continue,
            _ => {}
        }
        lines.extend(heartbeats(&mut skipped));
        if lines.len() >= EVENTS_MAX {
            break;
        }
        lines.push(line(stamped));
    }
    lines.extend(heartbeats(&mut skipped));
    lines.reverse();
    lines.join("\n")
}

/// A line for the calls in `skipped`, which it empties; `None` if there is none.
fn heartbeats(skipped: &mut BTreeSet<u64>) -> Option<String> {
    let line = match skipped.len() {
        0 => return None,
        1 => "               1 heartbeat, no change".to_string(),
        many => format!("               {many} heartbeats, no change"),
    };
    skipped.clear();
    Some(line)
}

/// Whether an event says more than the events around it.
fn matters(what: &What) -> bool {
    !matches!(
        what,
        What::Delivered { .. }
            | What::Ended { replied: true, .. }
            | What::Synced
            | What::Step { .. }
            | What::Linked { .. }
            | What::Stalled { .. }
            | What::Waiting { .. }
            | What::Broken { .. }
    )
}

/// One event: the time, the server or client, what happened.
fn line(stamped: &Stamped) -> String {
    let who = stamped.event.who.map(|who: Host| who.to_string()).unwrap_or_default();
    format!("{:.6}  {who:<3} {}", stamped.at.as_secs_f64(), stamped.event.what)
}

/// What the scenario did last, oldest first.
fn last_steps(report: &Report) -> String {
    let steps = story(report).iter().rev().filter_map(|stamped| match &stamped.event.what {
        What::Step { text, until } => {
            let at = stamped.at.as_secs_f64();
            let over = until.is_none_or(|until| until < report.elapsed);
            Some(format!("{at:.6}  {text}{}", if over { "" } else { " (not over)" }))
        }
        _ => None,
    });
    let mut steps: Vec<String> = steps.take(STEPS_MAX).collect();
    steps.reverse();
    steps.join("\n")
}
