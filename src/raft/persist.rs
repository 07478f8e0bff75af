//! Saves the state that must survive a crash (Figure 2, "Updated on stable storage before
//! responding to RPCs").
//!
//! Rules do not write. They name in [`Effects`] what they changed, and [`save`] writes only that: a
//! new entry costs the write of one entry, however long the log is. `save` runs in the critical
//! section of the rule, so no other task or server can rely on a change that a crash could undo.

use super::state::{Effects, State};
use crate::persister::{PersistError, Persister};

/// Writes and syncs the persistent state that a rule changed; without a change it writes nothing.
///
/// The term is written first, since a crash may keep only the first few of the writes: a term
/// without the entries that came with it is harmless.
///
/// # Errors
/// The change may not be durable. The server must stop, and promise nothing more.
pub(super) fn save(
    persister: &Persister,
    state: &State,
    effects: &Effects,
) -> Result<(), PersistError> {
    // Handout 2C: save and sync whatever has changed, before any message promises it.

    // keeps (log_is_not_of_the_future): because a crash that loses a term loses its entries, too.
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
    /// Whether the effects name any state that must survive a crash.
    pub(super) const fn must_be_durable(&self) -> bool {
        self.save_vote || self.save_snapshot || !self.append.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::super::testing::{ME, S1, at, entries, follower};
    use super::*;
    use crate::api::{Index, Term};
    use crate::persister::{Persisted, Unsynced, Watch, Write};
    use crate::runtime::sync::Quiet;

    /// Records the writes of a server, one line each.
    #[derive(Default)]
    struct Seen(Quiet<Vec<String>>);

    impl Watch for Seen {
        fn wrote(&self, write: &Write<'_>) {
            let line = match write {
                Write::Vote { term, .. } => format!("vote in {term}"),
                Write::Append(entries) => format!("{} entries", entries.len()),
                Write::Snapshot(last_included) => format!("snapshot {last_included}"),
                Write::Synced => "synced".to_string(),
            };
            self.0.with(|lines| lines.push(line));
        }
    }

    /// Returns the writes of `save`, and the state that a crash right after it leaves.
    fn saved(state: &State, effects: &Effects) -> (Vec<String>, Persisted) {
        let persister = Persister::new();
        let seen = Arc::new(Seen::default());
        persister.watch(seen.clone());
        save(&persister, state, effects).unwrap();
        let lines = seen.0.with(std::mem::take);
        (lines, persister.crash(Unsynced::LoseAll).load().unwrap())
    }

    #[test]
    fn a_rule_that_changed_nothing_writes_nothing() {
        let (lines, _) = saved(&follower(3, &[1]), &Effects::default());
        assert_eq!(lines, [""; 0], "a heartbeat must not cost a write");
        let effects = Effects { reset_election_timer: true, ..Effects::default() };
        let (lines, _) = saved(&follower(3, &[1]), &effects);
        assert_eq!(lines, [""; 0], "a timer is volatile");
    }

    #[test]
    fn term_and_vote_survive_a_crash() {
        let mut state = follower(3, &[]);
        state.voted_for = Some(S1);
        let effects = Effects { save_vote: true, ..Effects::default() };
        let (_, persisted) = saved(&state, &effects);
        assert_eq!((persisted.current_term, persisted.voted_for), (Term(3), Some(S1)));
    }

    #[test]
    fn only_the_new_entries_are_written() {
        let persister = Persister::new();
        persister.append(&entries(1, &[1; 100]));
        let seen = Arc::new(Seen::default());
        persister.watch(seen.clone());
        let state = follower(3, &[1; 101]);
        let effects = Effects { append: entries(101, &[1]), ..Effects::default() };
        save(&persister, &state, &effects).unwrap();
        assert_eq!(seen.0.with(std::mem::take), ["1 entries", "synced"]);
        assert_eq!(persister.load().unwrap().entries, entries(1, &[1; 101]));
    }

    #[test]
    fn the_term_is_written_before_what_came_with_it() {
        let mut state = follower(5, &[]);
        state.log.compact(at(4, 7));
        let effects = Effects {
            save_vote: true,
            save_snapshot: true,
            append: entries(8, &[5]),
            reset_election_timer: false,
        };
        let (lines, _) = saved(&state, &effects);
        assert_eq!(lines, ["vote in 5", "snapshot 4/7", "1 entries", "synced"]);
    }

    #[test]
    fn a_server_comes_back_as_it_was() {
        let persister = Persister::new();
        let mut state = State::recover(ME, 3, Persisted::default());
        let run = |state: &mut State, rule: &dyn Fn(&mut State, &mut Effects)| {
            let mut effects = Effects::default();
            rule(state, &mut effects);
            save(&persister, state, &effects).unwrap();
        };
        run(&mut state, &|state, effects| state.observe_term(Term(3), S1, effects));
        run(&mut state, &|state, effects| {
            state.append(entries(1, &[1, 2, 3]), effects);
        });
        (state.commit_index, state.last_applied) = (Index(2), Index(2));
        let data = Bytes::from_static(b"state");
        run(&mut state, &|state, effects| state.compact(Index(2), data.clone(), effects));

        let persisted = persister.crash(Unsynced::LoseAll).load().unwrap();
        assert_eq!(State::recover(ME, 3, persisted), state);
    }
}
