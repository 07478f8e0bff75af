//! Panics inside a run are caught, not printed: their place and text go into the run's failure.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use super::outcome::{Failure, FailureKind};
use super::sim::platform;
use super::{context, time};

/// Maximum length of a chain of payloads whose destructors panic; the next payload is leaked.
const PAYLOADS_MAX: u32 = 16;

/// Maximum number of panics to remember: one that unwinds, and others that destructors catch.
const NOTES_MAX: usize = 16;

thread_local! {
    /// The panics on this OS thread, for the real clock. In a simulation each task has its own.
    static NOTES: RefCell<Notes> = const { RefCell::new(Notes(VecDeque::new())) };
}

/// Notes of a task's latest panics.
#[derive(Debug, Default)]
pub(super) struct Notes(VecDeque<Note>);

impl Notes {
    pub(super) fn add(&mut self, note: Note) {
        if self.0.len() == NOTES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(note);
    }

    /// Takes the note of the panic whose text is `message`, and forgets all others.
    ///
    /// If several notes have that text, it takes the latest of them. Later notes, with other texts,
    /// come from destructors that have panicked since.
    fn take(&mut self, message: &str) -> Note {
        let mut notes = std::mem::take(&mut self.0);
        let same = notes.iter().rposition(|note| note.message == message);
        same.and_then(|at| notes.remove(at)).or_else(|| notes.pop_back()).unwrap_or_default()
    }

    /// Takes the note of the latest panic.
    pub(super) fn take_latest(&mut self) -> Note {
        self.0.pop_back().unwrap_or_default()
    }
}

/// A record of one panic. The panic hook makes it before anything is unwound.
#[derive(Debug, Default)]
pub(super) struct Note {
    place: String,
    message: String,
    /// The task's label at that moment. A task of the lab has a label only while it runs code under
    /// test, and has lost it again when the panic is caught.
    label: Option<u32>,
    at: Option<Duration>,
}

impl Note {
    fn new(info: &PanicHookInfo<'_>) -> Note {
        Note {
            place: info.location().map(ToString::to_string).unwrap_or_default(),
            message: message_of(info.payload()),
            label: context::label(),
            at: Some(time::since_start()),
        }
    }
}

/// The payload that unwinds a task whose run is over. The panic hook never sees it.
pub(super) struct Over;

/// Unwinds the current task because its run is over.
pub(super) fn unwind_task() -> ! {
    panic::resume_unwind(Box::new(Over))
}

/// Installs, once per process, a hook that is silent inside runs and passes on all other panics.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if !context::in_run() {
                previous(info);
            } else if aborts(info) {
                prepare_for_abort(info);
            } else {
                context::note_panic(|| Note::new(info));
            }
        }));
    });
}

thread_local! {
    /// Why the calling OS thread is about to abort.
    static ABORT: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// Makes the coming abort end the run as failed: only this OS thread is lost, not the process.
///
/// The hook itself cannot end the run: it runs under std's lock, and a thread that never returned
/// from the hook would block the next `set_hook`.
fn prepare_for_abort(info: &PanicHookInfo<'_>) {
    let failure = failure_in_destructor(info, context::take_note());
    let last_words = failure.to_string();
    ABORT.with(|abort| *abort.borrow_mut() = Some(failure));
    if !platform::instead_of_abort(lose_thread) {
        // The process is about to end, so this is the last chance to report the failure.
        eprintln!("{last_words}\n(seed {})", context::seed());
    }
}

thread_local! {
    static ARMED: Armed = const { Armed };
}

/// Marks an OS thread that is parked for good where it would otherwise abort the process.
struct Armed;

impl Drop for Armed {
    fn drop(&mut self) {
        platform::abort_after_all();
    }
}

/// From here on the calling OS thread is parked for good where it would abort the process.
///
/// Call this before the thread uses any other `thread_local!`, so that the mark is dropped last.
pub(super) fn outlive_aborts() {
    ARMED.with(|_| ());
    platform::instead_of_abort(lose_thread);
}

fn lose_thread() -> ! {
    let failure = ABORT.try_with(|abort| abort.borrow_mut().take()).ok().flatten();
    context::lose_thread(failure.unwrap_or_else(failure_by_abort))
}

/// The failure of a run in which a task, or std on its behalf, has called `abort`.
fn failure_by_abort() -> Failure {
    let message = "the process was about to end by `abort`: standard error may say why".to_string();
    let label = context::label();
    failure(Note { label, ..Note::default() }, message)
}

/// The notes of this OS thread.
pub(super) fn with_notes<R>(f: impl FnOnce(&mut Notes) -> R) -> R {
    NOTES.with(|notes| f(&mut notes.borrow_mut()))
}

/// Whether the process aborts when the hook returns, because a panic is about to leave a destructor
/// that runs because of another panic.
///
/// Such panics come from one file of `core`; only their texts distinguish them from other panics
/// there.
fn aborts(info: &PanicHookInfo<'_>) -> bool {
    let in_core =
        info.location().is_some_and(|place| place.file().replace('\\', "/").ends_with(CORE));
    in_core && ABORTING.iter().any(|text| info.payload().downcast_ref::<&str>() == Some(text))
}

const CORE: &str = "core/src/panicking.rs";
const ABORTING: [&str; 2] =
    ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// Drops `value`, and catches any panic of its destructor.
pub(super) fn drop_quietly<T>(value: T) {
    let mut caught = catch_unwind(AssertUnwindSafe(|| drop(value))).err();
    for _ in 0..PAYLOADS_MAX {
        let Some(payload) = caught else { return };
        caught = catch_unwind(AssertUnwindSafe(|| drop(payload))).err();
    }
    std::mem::forget(caught);
}

/// The text of a panic's payload.
fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_string()
    }
}

/// The failure of a run by a panic that no code of the task has caught.
pub(super) fn failure_of(payload: &(dyn Any + Send), notes: &mut Notes) -> Failure {
    let message = message_of(payload);
    failure(notes.take(&message), message)
}

/// The failure of a run by a panic that would end the process.
fn failure_in_destructor(info: &PanicHookInfo<'_>, note: Note) -> Failure {
    let (what, why) = (message_of(info.payload()), &note.message);
    let message = format!(
        "{what}, which would end the process: {why}\n\
         A destructor that runs while its task is unwound must not panic."
    );
    failure(note, message)
}

fn failure(note: Note, message: String) -> Failure {
    let (kind, name) = match note.label.is_some() {
        true => (FailureKind::Panic, "panic"),
        false => (FailureKind::Assertion, "assertion"),
    };
    Failure {
        kind,
        name: name.to_string(),
        message,
        task: context::task_name(),
        label: note.label,
        place: note.place,
        at: note.at.unwrap_or_else(time::since_start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Panics(u32);

    impl Drop for Panics {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic::resume_unwind(Box::new(Panics(self.0 - 1)));
            }
        }
    }

    #[test]
    fn a_payload_whose_destructor_panics_is_dropped_to_the_end() {
        for depth in [0, 1, 5, 1000] {
            drop_quietly(Panics(depth));
        }
    }
}
