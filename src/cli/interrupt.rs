//! Handles Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use crate::cli::exit::Trouble;

/// Sends `message()` at the first Ctrl-C, so that the program can print its results so far; a
/// second Ctrl-C ends the process at once. May be called only once per process.
pub(super) fn watch<T: Send + 'static>(
    inbox: Sender<T>,
    message: fn() -> T,
) -> Result<(), Trouble> {
    let pressed = AtomicBool::new(false);
    let handler = move || {
        if pressed.swap(true, Ordering::Relaxed) || inbox.send(message()).is_err() {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Trouble::Machine(format!("cannot watch for Ctrl-C: {error}")))
}
