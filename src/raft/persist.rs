//! What must survive a crash, and when (Figure 2, "Updated on stable storage before responding to
//! RPCs").
//!
//! Rules do not write. They name in [`Effects`] what they changed, and [`save`] writes just that:
//! one entry more costs one entry, however long the log is. It is called in the critical section
//! of the rule, so nobody can see, hear or count on anything that a crash could still take back.

use super::state::{Effects, State};
use crate::persister::{PersistError, Persister};

/// Writes and syncs what a rule changed; nothing when it changed nothing that must last.
///
/// The term goes first. Writes that a crash cuts short leave a beginning of their sequence, and
/// entries or a snapshot of a term that the server never saw would be a lie; a term without the
/// entries that came with it is not.
///
/// # Errors
/// What was changed may not be durable. The server must stop, and promise nothing more.
pub fn save(persister: &Persister, state: &State, effects: &Effects) -> Result<(), PersistError> {
    if effects.save_vote {
        persister.save_vote(state.current_term, state.voted_for);
    }
    if effects.save_snapshot {
        persister.save_snapshot(state.log.last_included(), state.snapshot.clone());
    }
    if !effects.append.is_empty() {
        persister.append(&effects.append);
    }
    if effects.must_be_durable() { persister.sync() } else { Ok(()) }
}

impl Effects {
    /// Whether anything is named here that a crash must not take back.
    pub const fn must_be_durable(&self) -> bool {
        self.save_vote || self.save_snapshot || !self.append.is_empty()
    }
}
