//! The record of a run: typed events in order, kept only when the configuration asks for them.
//!
//! The lab and its network emit the events, so a record has them in every design: the messages, the
//! writes to the disks, the messages on the apply channels, the steps of the scenario, the
//! operations of the clients, and the rule that was broken. A server can add lines of its own with
//! [`note!`](crate::note).
//!
//! ```text
//! labrpc ──► Sent, Delivered, Answered, Ended, Fate ─┐
//! lab    ──► Started, Crashed, Linked, Step, …       ├─► Log ─┬─► State   roles, logs, …
//! watch  ──► Voted, Appended, Covered, Synced        │        ├─► words   a line per event
//! server ──► Note ───────────────────────────────────┘        └─► file    JSON lines
//! ```
//!
//! Emitting an event does not change the run: it is no scheduling point, takes no virtual time and
//! draws no random numbers. So a failing seed that is run again with the record on takes exactly
//! the same course.
//!
//! Read next: `event.rs` for the kinds of events, `state.rs` for the state that follows from them.

mod event;
#[cfg(feature = "history")]
mod file;
mod idle;
mod state;
mod topic;
mod words;

use std::sync::Arc;
use std::time::Duration;

pub use event::{Disk, Event, Fate, Leg, Runs, Stamped, What};
#[cfg(feature = "history")]
pub use file::{Failed, Header, Record, RecordError, read, write};
pub use idle::{idle_calls, is_heartbeat};
pub use state::{Change, Role, ServerState, State};
pub use topic::{NoSuchTopic, Topic};

use crate::api::{Host, ServerId};
use crate::runtime;
use crate::runtime::sync::Quiet;

/// Events of one run, in the order in which they were emitted.
pub type Log = Quiet<Vec<Stamped>>;

/// Makes the current run add its events to `log`. The lab keeps `log`, and reads it after the run.
pub fn attach(log: Arc<Log>) {
    runtime::set_local(log);
}

/// Whether the current run keeps a record.
pub fn on() -> bool {
    runtime::record_is_on()
}

/// Adds an event to the current run's record. The closure runs only when [`on`].
pub fn emit(event: impl FnOnce() -> Event) {
    if on() {
        add(event());
    }
}

#[cold]
fn add(event: Event) {
    if let Some(log) = runtime::local::<Log>() {
        let stamped = Stamped { at: runtime::time::since_start(), event };
        log.with(|events| events.push(stamped));
    }
}

/// Makes the event of a line that server `me` adds: see [`note!`](crate::note).
pub const fn note(me: ServerId, topic: Topic, text: String) -> Event {
    Event { who: Some(Host::Server(me)), what: What::Note { topic, text } }
}

/// Records that the scenario does `text`, which takes no time.
pub fn step(text: impl FnOnce() -> String) {
    emit(|| Event { who: None, what: What::Step { text: text(), until: None } });
}

/// Records that the scenario begins to do `text`; the step is over when the result is dropped.
#[must_use]
pub fn begin_step(text: impl FnOnce() -> String) -> OpenStep {
    OpenStep { place: if on() { add_open_step(text()) } else { None } }
}

/// Adds a step, and returns its place in the log.
#[cold]
fn add_open_step(text: String) -> Option<usize> {
    let log = runtime::local::<Log>()?;
    let event = Event { who: None, what: What::Step { text, until: None } };
    let stamped = Stamped { at: runtime::time::since_start(), event };
    Some(log.with(|events| {
        events.push(stamped);
        events.len() - 1
    }))
}

/// A step of the scenario that takes time.
#[derive(Debug)]
pub struct OpenStep {
    /// Its place in the log; `None` in a run without a record.
    place: Option<usize>,
}

impl Drop for OpenStep {
    fn drop(&mut self) {
        if let (Some(place), Some(log)) = (self.place, runtime::local::<Log>()) {
            let now = runtime::time::since_start();
            // A task that outlives its run may find the log emptied.
            log.with(|events| {
                if let Some(step) = events.get_mut(place) {
                    step.event.what.end_step(now);
                }
            });
        }
    }
}

/// Adds a line to the record of the current run. The arguments are a server, the name of a
/// [`Topic`], and a text as for `format!`.
///
/// Costs almost nothing in a run without a record: the arguments are evaluated, but no text is
/// made. In a process with the environment variable `RAFTLAB_LOG` the line is also printed at once,
/// to standard error, on either clock and outside of runs.
///
/// ```
/// use raftlab::api::ServerId;
/// use raftlab::note;
///
/// let (me, candidate) = (ServerId(1), ServerId(2));
/// note!(me, Vote, "votes for {candidate}");
/// ```
#[macro_export]
macro_rules! note {
    ($me:expr, $topic:ident, $($text:tt)+) => {
        $crate::record::tell($me, $crate::record::Topic::$topic, ::std::format_args!($($text)+))
    };
}

/// What [`note!`](crate::note) expands to.
pub fn tell(me: ServerId, topic: Topic, text: std::fmt::Arguments<'_>) {
    emit(|| note(me, topic, text.to_string()));
    if prints_notes() {
        print_note(me, topic, text);
    }
}

/// Whether the environment asks for lines on standard error.
fn prints_notes() -> bool {
    static ASKED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ASKED.get_or_init(|| std::env::var_os("RAFTLAB_LOG").is_some_and(|it| !it.is_empty()))
}

#[cold]
fn print_note(me: ServerId, topic: Topic, text: std::fmt::Arguments<'_>) {
    let at = if runtime::in_run() { runtime::time::since_start() } else { Duration::ZERO };
    eprintln!("{:.6} {topic} {me} {text}", at.as_secs_f64());
}
