//! The record of a run: its events in order, kept only when the run's configuration asks for them.
//!
//! Emitting an event does not change the run: it is no scheduling point, takes no virtual time and
//! draws no random numbers. So a failing seed that is run again with the record on takes exactly
//! the same course.
//!
//! The lab makes a [`Log`], attaches it to the run with [`attach`] and prints it in a report.

use std::sync::Arc;
use std::time::Duration;

use crate::api::ServerId;
use crate::runtime;
use crate::runtime::sync::Quiet;

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The server that caused the event; `None` for the lab and the network as a whole.
    pub server: Option<ServerId>,
    /// What happened, in one line without the time, e.g. `→ S2 AppendEntries prev=4/6 entries=1`.
    pub what: String,
}

/// Makes an event of server `me`.
pub const fn event(me: ServerId, what: String) -> Event {
    Event { server: Some(me), what }
}

/// An event with the time at which it was emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// Time since the run began.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// Events of one run, in the order in which they were emitted.
pub type Log = Quiet<Vec<Stamped>>;

/// Adds the current run's events to `log`. The lab keeps a handle beyond the run's end.
pub fn attach(log: Arc<Log>) {
    runtime::set_local(log);
}

/// Whether the current run keeps a record.
pub fn on() -> bool {
    runtime::record_is_on()
}

/// Adds an event to the current run's record. The closure runs only when [`on`].
pub fn emit(event: impl FnOnce() -> Event) {
    if !on() {
        return;
    }
    if let Some(log) = runtime::local::<Log>() {
        let stamped = Stamped { at: runtime::time::since_start(), event: event() };
        log.with(|events| events.push(stamped));
    }
}
