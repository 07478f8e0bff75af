//! The panic hook: passes each panic inside a run to the clock of that run.

use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::base::aborts;
use super::base::panics::{self, Note, Notes};
use super::{context, real, sim};

/// Installs, once per process, a hook that is silent inside runs and passes on all other panics.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if !context::in_run() {
                previous(info);
            } else if panics::aborts(info) {
                prepare_for_abort(info);
            } else {
                note_panic(|| Note::new(info, context::label(), context::since_start()));
            }
        }));
    });
}

/// Makes the coming abort end the run as failed: only this OS thread is lost, not the process.
///
/// The hook itself cannot end the run: it runs under std's lock, and a thread that never returned
/// from the hook would block the next `set_hook`.
fn prepare_for_abort(info: &PanicHookInfo<'_>) {
    let failure = panics::failure_in_destructor(info, take_note(), context::here());
    if let Err(failure) = aborts::prepare(failure) {
        // The process is about to end, so this is the last chance to report the failure.
        eprintln!("{failure}\n(seed {})", context::seed());
    }
}

/// Records that the current task has begun to panic.
fn note_panic(note: impl FnOnce() -> Note) {
    match sim::current() {
        Some(sim) => sim.note_panic(note),
        None => {
            let note = note();
            real::with_notes(|notes| notes.add(note));
        }
    }
}

/// Takes the note of the current task's latest panic.
fn take_note() -> Note {
    match sim::current() {
        Some(sim) => sim.take_note(),
        None => real::with_notes(Notes::take_latest),
    }
}
