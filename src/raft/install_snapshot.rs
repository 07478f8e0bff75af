//! Snapshots: taken from the service, or installed from a leader whose log we lag behind (Raft §7).
//!
//! ```text
//! service ── snapshot(7, state) ──► this server     the log up to 7 is dropped
//! leader  ── InstallSnapshot 4/7 ─► this server     the log up to 7 is dropped in any case, and
//!                                        │          the rest unless our log had 4/7
//!                                        ▼
//!                                     service       its state is replaced
//! ```
//!
//! Both drop the log and save the state in one durable step, so that no crash can fall in between.
//! Both only move forward: a service's snapshot is ignored if our last one covers it, and a
//! leader's is ignored if everything that it covers is committed here.

use bytes::Bytes;

use super::state::{Effects, Snapshot, State};
use crate::api::raft_rpc::{InstallSnapshotArgs, InstallSnapshotReply};
use crate::api::{Index, Position};
use crate::note;

impl State {
    /// Answers one `InstallSnapshot` (Figure 13, steps 1 and 5 to 8).
    ///
    /// A reply with the leader's own term means that our committed log reaches the snapshot's end,
    /// whether or not we installed the snapshot.
    ///
    /// Differs: the snapshot arrives in one piece, so steps 2 to 4 (chunks) are left out.
    pub(super) fn on_install_snapshot(
        &mut self,
        args: InstallSnapshotArgs,
        effects: &mut Effects,
    ) -> InstallSnapshotReply {
        self.observe_term(args.term, args.leader_id, effects);

        let reply = InstallSnapshotReply { term: self.current_term };

        // Step 1: a leader of an older term learns our term and nothing else.
        if args.term < self.current_term {
            return reply;
        }
        self.follow(args.leader_id, effects);

        // A snapshot that ends before our commit index is late or repeated: the service is there
        // already, or will get there by applying the log.
        if args.last_included_index > self.commit_index {
            self.install(args.last_included(), args.data, effects);
        }
        reply
    }

    /// Installs the leader's snapshot (Figure 13, steps 5 to 8).
    ///
    /// Differs: the service receives the snapshot even if the log continues after it (step 6), so
    /// that it need not apply the entries up to there.
    fn install(&mut self, last_included: Position, data: Bytes, effects: &mut Effects) {
        // Steps 5 to 7: save it; keep the log after it only if our log has its last entry.
        self.log.compact(last_included);
        self.snapshot = data.clone();
        effects.save_snapshot = true;

        // Step 8: the service continues from here. The entries up to here are never applied.
        // keeps (nothing_known_is_forgotten): because the snapshot ends after `commit_index`.
        // keeps (snapshot_is_applied): because `last_applied` moves to the snapshot's end, too.
        self.commit_index = last_included.index;
        self.last_applied = last_included.index;
        self.snapshot_to_apply = Some(Snapshot { last_included, data });
        let last = self.log.last();
        note!(
            self.me,
            Snap,
            "installs its leader's snapshot up to {last_included}; log ends at {last}"
        );
    }

    /// Saves the service's own snapshot: its state up to `index` is in `data` (Raft §7).
    ///
    /// A snapshot is ignored if our latest one already covers `index`. That happens, for example,
    /// when the service takes a snapshot while a leader's newer one is on its way to it.
    ///
    /// # Panics
    /// When the entry at `index` was not handed to the service: it cannot know the state there.
    pub(super) fn compact(&mut self, index: Index, data: Bytes, effects: &mut Effects) {
        if index <= self.log.last_included().index {
            return;
        }
        assert!(
            index <= self.last_applied,
            "a snapshot up to {index}, but the service was given nothing after {}",
            self.last_applied,
        );
        let term = self.log.term_at(index).expect("the log has the entries after its snapshot");
        self.log.compact(Position { term, index });
        note!(self.me, Snap, "saves its service's snapshot up to {term}/{index}");
        self.snapshot = data;
        effects.save_snapshot = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Role;
    use super::super::testing::{S1, at, entries, follower};
    use super::*;
    use crate::api::Term;

    const DATA: Bytes = Bytes::from_static(b"state");

    fn install(term: u64, last_included: Position) -> InstallSnapshotArgs {
        InstallSnapshotArgs {
            term: Term(term),
            leader_id: S1,
            last_included_index: last_included.index,
            last_included_term: last_included.term,
            data: DATA,
        }
    }

    /// A follower in term 3 that has applied the first `applied` entries.
    fn applied(terms: &[u64], applied: u64) -> State {
        let mut state = follower(3, terms);
        state.commit_index = Index(applied);
        state.last_applied = Index(applied);
        state
    }

    #[test]
    fn a_snapshot_ahead_of_us_replaces_everything_in_one_step() {
        let mut state = applied(&[1], 1);
        let mut effects = Effects::default();
        state.on_install_snapshot(install(3, at(2, 5)), &mut effects);
        assert_eq!((state.log.last_included(), state.log.last()), (at(2, 5), at(2, 5)));
        assert_eq!(state.snapshot, DATA);
        assert!(effects.save_snapshot, "log and snapshot must be saved together");
        assert_eq!((state.commit_index, state.last_applied), (Index(5), Index(5)));
        let to_apply = Snapshot { last_included: at(2, 5), data: DATA };
        assert_eq!(state.snapshot_to_apply, Some(to_apply), "the service must get it");
    }

    #[test]
    fn a_snapshot_from_an_older_term_is_refused() {
        let mut state = applied(&[1], 1);
        let before = state.clone();
        let mut effects = Effects::default();
        let reply = state.on_install_snapshot(install(2, at(2, 5)), &mut effects);
        assert_eq!(reply.term, Term(3), "the older leader must learn our term");
        assert_eq!((state, effects), (before, Effects::default()));
    }

    #[test]
    fn a_snapshot_of_what_is_committed_here_is_old_news() {
        let mut state = applied(&[1, 1, 1], 2);
        let before = state.log.clone();
        let mut effects = Effects::default();
        state.on_install_snapshot(install(3, at(1, 2)), &mut effects);
        assert_eq!((state.log, state.snapshot_to_apply), (before, None));
        assert_eq!(state.last_applied, Index(2), "the service never moves back");
        assert!(!effects.save_snapshot, "nothing was installed");
    }

    #[test]
    fn the_log_after_an_entry_of_ours_is_kept() {
        let mut state = applied(&[1, 1, 2, 3], 1);
        state.on_install_snapshot(install(3, at(2, 3)), &mut Effects::default());
        assert_eq!(state.log.last(), at(3, 4), "4 may have been acknowledged");
        assert_eq!((state.commit_index, state.last_applied), (Index(3), Index(3)));
    }

    #[test]
    fn the_log_after_an_entry_of_another_term_is_dropped() {
        let mut state = applied(&[1, 1, 2, 2], 1);
        state.on_install_snapshot(install(3, at(3, 3)), &mut Effects::default());
        assert_eq!(state.log.last(), at(3, 3), "2/4 follows an entry that is not committed");
    }

    #[test]
    fn the_sender_is_followed_even_when_its_snapshot_is_old_news() {
        let mut state = applied(&[1, 1], 2);
        state.start_election(&mut Effects::default());
        let mut effects = Effects::default();
        state.on_install_snapshot(install(4, at(1, 1)), &mut effects);
        assert_eq!((&state.role, state.leader_id), (&Role::Follower, Some(S1)));
        assert!(effects.reset_election_timer, "it is this term's leader");
    }

    #[test]
    fn a_newer_leaders_term_is_adopted_and_persisted() {
        let mut state = applied(&[], 0);
        let mut effects = Effects::default();
        let reply = state.on_install_snapshot(install(7, at(2, 5)), &mut effects);
        assert_eq!((reply.term, state.current_term), (Term(7), Term(7)));
        assert!(effects.save_vote, "the reply says term 7");
    }

    #[test]
    fn a_service_snapshot_drops_the_log_up_to_it() {
        let mut state = applied(&[1, 1, 2, 3], 3);
        let mut effects = Effects::default();
        state.compact(Index(2), DATA, &mut effects);
        assert_eq!((state.log.last_included(), state.log.last()), (at(1, 2), at(3, 4)));
        assert_eq!((state.snapshot, effects.save_snapshot), (DATA, true));
        assert_eq!(state.last_applied, Index(3), "what was applied stays applied");
    }

    #[test]
    fn a_service_snapshot_older_than_the_last_is_ignored() {
        let mut state = applied(&[1, 1, 2], 3);
        state.compact(Index(2), DATA, &mut Effects::default());
        let before = state.clone();
        let mut effects = Effects::default();
        state.compact(Index(1), Bytes::new(), &mut effects);
        assert_eq!((state, effects), (before, Effects::default()));
    }

    #[test]
    fn a_service_snapshot_of_the_same_place_is_ignored() {
        let mut state = applied(&[1, 1, 2], 3);
        state.compact(Index(2), DATA, &mut Effects::default());
        let mut effects = Effects::default();
        state.compact(Index(2), Bytes::new(), &mut effects);
        assert_eq!((state.snapshot, effects), (DATA, Effects::default()));
    }

    #[test]
    fn a_service_snapshot_that_crosses_a_leaders_is_ignored() {
        let mut state = applied(&[1, 1], 2);
        state.on_install_snapshot(install(3, at(2, 5)), &mut Effects::default());
        state.compact(Index(2), Bytes::new(), &mut Effects::default());
        assert_eq!((state.log.last_included(), state.snapshot), (at(2, 5), DATA));
    }

    #[test]
    #[should_panic(expected = "was given nothing after 1")]
    fn a_service_snapshot_of_what_it_never_got_is_a_bug() {
        applied(&[1, 1], 1).compact(Index(2), DATA, &mut Effects::default());
    }

    #[test]
    fn entries_follow_an_installed_snapshot() {
        let mut state = applied(&[1], 1);
        state.on_install_snapshot(install(3, at(2, 5)), &mut Effects::default());
        state.log.replace_from(&entries(6, &[3]));
        assert_eq!(state.log.last(), at(3, 6));
    }
}
