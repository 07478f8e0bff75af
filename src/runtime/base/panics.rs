//! Panics inside a run are caught, not printed: their place and text go into the run's failure.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::time::Duration;

use super::here::Here;
use super::outcome::{Failure, FailureKind};

/// Maximum length of a chain of payloads whose destructors panic; the next payload is leaked.
const PAYLOADS_MAX: u32 = 16;

/// Maximum number of panics to remember: one that unwinds, and others that destructors catch.
const NOTES_MAX: usize = 16;

/// Notes of a task's latest panics.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Notes(VecDeque<Note>);

impl Notes {
    pub(in crate::runtime) const fn new() -> Notes {
        Notes(VecDeque::new())
    }

    pub(in crate::runtime) fn add(&mut self, note: Note) {
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
    pub(in crate::runtime) fn take_latest(&mut self) -> Note {
        self.0.pop_back().unwrap_or_default()
    }
}

/// A record of one panic. The panic hook makes it before anything is unwound.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Note {
    place: String,
    message: String,
    /// The task's label at that moment. A task of the lab has a label only while it runs code under
    /// test, and has lost it again when the panic is caught.
    label: Option<u32>,
    at: Option<Duration>,
}

impl Note {
    /// Makes the note of a panic that begins at `at` in a task with the label `label`.
    pub(in crate::runtime) fn new(
        info: &PanicHookInfo<'_>,
        label: Option<u32>,
        at: Duration,
    ) -> Note {
        Note {
            place: info.location().map(ToString::to_string).unwrap_or_default(),
            message: message_of(info.payload()),
            label,
            at: Some(at),
        }
    }

    /// The failure of a run by this panic, in the task of `here`.
    fn failure(self, message: String, here: Here) -> Failure {
        let (kind, name) = match self.label.is_some() {
            _ if message.starts_with(UNWRITTEN) => (FailureKind::Panic, "todo"),
            true => (FailureKind::Panic, "panic"),
            false => (FailureKind::Assertion, "assertion"),
        };
        let (label, place, at) = (self.label, self.place, self.at.unwrap_or(here.at));
        Failure { label, place, at, ..here.failure(kind, name, message) }
    }
}

/// How the text begins with which std's macro for an unwritten function panics.
const UNWRITTEN: &str = "not yet implemented";

/// The payload that unwinds a task whose run is over. The panic hook never sees it.
pub(in crate::runtime) struct Over;

/// Unwinds the current task because its run is over.
pub(in crate::runtime) fn unwind_task() -> ! {
    panic::resume_unwind(Box::new(Over))
}

/// Whether the process aborts when the hook returns, because a panic is about to leave a destructor
/// that runs because of another panic.
///
/// Such panics come from one file of `core`; only their texts distinguish them from other panics
/// there.
pub(in crate::runtime) fn aborts(info: &PanicHookInfo<'_>) -> bool {
    let in_core =
        info.location().is_some_and(|place| place.file().replace('\\', "/").ends_with(CORE));
    in_core && ABORTING.iter().any(|text| info.payload().downcast_ref::<&str>() == Some(text))
}

const CORE: &str = "core/src/panicking.rs";
const ABORTING: [&str; 2] =
    ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// Drops `value`, and catches any panic of its destructor.
pub(in crate::runtime) fn drop_quietly<T>(value: T) {
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
pub(in crate::runtime) fn failure_of(
    payload: &(dyn Any + Send),
    notes: &mut Notes,
    here: Here,
) -> Failure {
    let message = message_of(payload);
    notes.take(&message).failure(message, here)
}

/// The failure of a run by the panic `info`, which leaves a destructor that runs because of the
/// panic of `note`.
pub(in crate::runtime) fn failure_in_destructor(
    info: &PanicHookInfo<'_>,
    note: Note,
    here: Here,
) -> Failure {
    let (what, why) = (message_of(info.payload()), &note.message);
    let message = format!(
        "{what}, which would end the process: {why}\n\
         A destructor that runs while its task is unwound must not panic."
    );
    note.failure(message, here)
}

/// The failure of a run in which a task, or std on its behalf, has called `abort`.
pub(in crate::runtime) fn failure_by_abort(here: Here) -> Failure {
    let message = "the process was about to end by `abort`: standard error may say why".to_string();
    Note { label: here.label, ..Note::default() }.failure(message, here)
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
