//! Panics inside a run are caught, not printed: where and why is kept for the run's failure.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::outcome::{Failure, FailureKind};
use super::{context, sim, time};

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last { place: String::new(), label: None }) };
}

/// What the hook noted of the latest panic, before anything was unwound.
#[derive(Default)]
struct Last {
    place: String,
    /// The mark of code under test that the task carried just then. A lab's task does while it is
    /// inside such code, and has lost the mark again by the time the panic is caught.
    label: Option<u32>,
}

/// The payload with which a task of a run that is over is unwound. Never reaches the hook.
pub(super) struct Over;

/// Unwinds the current task because its run is over.
pub(super) fn unwind_task() -> ! {
    panic::resume_unwind(Box::new(Over))
}

/// Installs, once per process, a hook that stays silent inside runs and passes on all else.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if context::in_run() {
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                let label = context::label();
                if sim::current().is_some_and(sim::Sim::note_panic) {
                    // The process is about to abort, so this is the last word that anyone hears.
                    previous(info);
                }
                LAST.with(|last| *last.borrow_mut() = Last { place, label });
            } else {
                previous(info);
            }
        }));
    });
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

/// The failure that a panic with `payload`, just caught on this OS thread, is for its run.
pub(super) fn failure_of(payload: &(dyn Any + Send)) -> Failure {
    let last = LAST.with(|last| std::mem::take(&mut *last.borrow_mut()));
    let (kind, name) = match last.label.is_some() {
        true => (FailureKind::Panic, "panic"),
        false => (FailureKind::Assertion, "assertion"),
    };
    Failure {
        kind,
        name: name.to_string(),
        message: message_of(payload),
        task: context::task_name(),
        label: last.label,
        place: last.place,
        at: time::since_start(),
    }
}
