//! The state of one server (Figure 2, "State"), and the effects that a rule asks for ([`Effects`]).
//!
//! A rule is a function over [`State`]: no lock, no clock, no network, no disk. In its [`Effects`]
//! it names what it cannot do itself; `server.rs` carries them out before any other task or server
//! can see what the rule did. Where a rule changes the role, the log or the commit index, it says
//! so, and why, with [`note!`](crate::note): the line has no effect on the run.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::log::Log;
use crate::api::{Entry, Index, Leadership, Position, ServerId, Term};
use crate::note;
use crate::persister::Persisted;

/// The state of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// This server.
    pub me: ServerId,
    /// Number of servers in the cluster, this one included.
    pub servers: usize,

    /// Latest term this server has seen. Persistent; never falls. Figure 2.
    pub current_term: Term,
    /// The candidate that got this server's vote in `current_term`. Persistent; once given, a vote
    /// stays for the rest of the term. Figure 2.
    pub voted_for: Option<ServerId>,
    /// The entries after the snapshot, at `log.last_included() + 1..=log.last()`. Persistent.
    /// Figure 2.
    pub log: Log,
    /// The service's state up to `log.last_included()`; empty without a snapshot. Persistent.
    /// Figure 13.
    pub snapshot: Bytes,

    /// Highest index known to be committed. Volatile; starts at the snapshot's end; never falls
    /// within one life. Entries that may still be replaced are in `commit_index + 1..=log.last()`.
    /// It need not be saved: the entries are, and the leader's commit rule finds it again.
    /// Figure 2.
    pub commit_index: Index,
    /// Highest index handed to the applier for the service. Volatile; starts at the snapshot's end;
    /// never falls within one life. `log.last_included() <= last_applied <= commit_index`; the
    /// applier takes the entries in `last_applied + 1..=commit_index` next. Figure 2.
    pub last_applied: Index,
    /// A leader's snapshot that the service has not received yet; it goes before any entry. It ends
    /// at `last_applied`; the service's own state may be any older one.
    pub snapshot_to_apply: Option<Snapshot>,

    /// The role of this server in `current_term` (Figure 4).
    pub role: Role,
    /// How many reads have asked whether we still lead. Volatile; starts at 0; never falls. An
    /// AppendEntries belongs to the round in which it is made; a majority has yet to confirm those
    /// in `confirmed_round() + 1..=read_round` (thesis §6.4).
    pub read_round: u64,
    /// The leader of `current_term`, once it is known. A hint for clients.
    pub leader_id: Option<ServerId>,
}

/// A service's state, and the last entry that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The last entry whose effect is in `data`.
    pub last_included: Position,
    /// The state, as the service encoded it.
    pub data: Bytes,
}

/// A server's role in its term (Figure 4). A role owns its state, which is therefore new in every
/// election and cannot outlive the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// Answers candidates and leaders.
    Follower,
    /// Asks for votes.
    Candidate {
        /// The servers that voted for us in this term, ourselves included: fewer than a majority,
        /// since a majority makes a leader at once. A set: a vote counts once.
        votes: BTreeSet<ServerId>,
    },
    /// Replicates its log.
    Leader {
        /// One slot per server; our own is unused. "Volatile state on leaders", Figure 2.
        followers: Vec<Progress>,
    },
}

/// The state that a leader keeps for one follower (Figure 2, "Volatile state on leaders").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// Next entry to send. Starts after our last entry; falls when the logs conflict. Entries to
    /// send, or sent and not acknowledged, are in `next_index..=log.last()`. Figure 2.
    pub next_index: Index,
    /// Highest entry that the follower is known to have. Starts at 0; never falls.
    /// `match_index < next_index`; the follower may or may not have those in between. Figure 2.
    pub match_index: Index,
    /// The commit index in our last message to the follower; `None` before the first message. The
    /// follower has not heard of `sent_commit + 1..=commit_index`.
    pub sent_commit: Option<Index>,
    /// How many batches or snapshots were sent since a reply last made progress;
    /// `0..=UNANSWERED_MAX`. While it is not zero, the next message waits for a reply or for the
    /// next heartbeat.
    pub unanswered: u32,
    /// The read round in which the last message to the follower was made. Starts at 0; never falls.
    /// (If that message was a snapshot, whose reply confirms no round, the next AppendEntries
    /// asks.)
    pub asked_round: u64,
    /// The last read round that the follower confirmed, by its reply to an AppendEntries in this
    /// term. Starts at 0; never falls. `confirmed_round <= asked_round <= read_round`
    /// (thesis §6.4).
    pub confirmed_round: u64,
}

/// What must happen before any other task or server sees what a rule did, in this order.
///
/// A request or a reply is a promise, and a crash must not make the server forget a promise. So
/// everything named here is saved and synced first, in the critical section of the rule.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Save `current_term` and `voted_for`, which are one write; also when only the term changed.
    pub save_vote: bool,
    /// Save `snapshot` and the new start of the log, in one step.
    pub save_snapshot: bool,
    /// Save these entries, which replace everything from the first one's index on.
    pub append: Vec<Entry>,
    /// Wait a whole election timeout again before starting an election.
    pub reset_election_timer: bool,
}

impl State {
    /// Makes the state of a server that starts, or restarts, with what it had saved.
    ///
    /// Everything that the snapshot covers is committed and applied: the service reads it from the
    /// persister. All other volatile state starts from its initial values (Figure 2).
    pub(super) fn recover(me: ServerId, servers: usize, persisted: Persisted) -> State {
        // Handout 2A: begin as a follower without a vote; 2C and 2D begin with what was saved.
        let last_included = persisted.last_included;
        State {
            me,
            servers,
            current_term: persisted.current_term,
            voted_for: persisted.voted_for,
            log: Log::new(last_included, persisted.entries),
            snapshot: persisted.snapshot.unwrap_or_default(),
            commit_index: last_included.index,
            last_applied: last_included.index,
            snapshot_to_apply: None,
            role: Role::Follower,
            read_round: 0,
            leader_id: None,
        }
    }

    /// Follows a newer term: "If RPC request or response contains term T > currentTerm: set
    /// currentTerm = T, convert to follower" (Figure 2, Rules for Servers, All Servers).
    ///
    /// The vote is free again, and the server is a follower, whatever its role was. A leader's
    /// election timer has no meaning, so a leader that steps down waits a whole timeout. `from` is
    /// the sender of the message with the newer term.
    pub(super) fn observe_term(&mut self, term: Term, from: ServerId, effects: &mut Effects) {
        if term <= self.current_term {
            return;
        }
        effects.reset_election_timer |= self.is_leader();
        // keeps (a_vote_given_stays): because the vote was given in an older term.
        // keeps (roles_change_in_order): because the term is new.
        self.current_term = term;
        self.voted_for = None;
        self.leader_id = None;
        self.role = Role::Follower;
        note!(self.me, Term, "is follower of term {term}, seen in a message of {from}");
        effects.save_vote = true;
    }

    /// Recognises the sender of a current AppendEntries or InstallSnapshot as this term's leader.
    ///
    /// A candidate becomes a follower (Raft §5.2). The election timer starts again, so that a live
    /// leader stays the leader.
    ///
    /// # Panics
    /// When this server or another one leads the term already: a term has one leader.
    pub(super) fn follow(&mut self, leader_id: ServerId, effects: &mut Effects) {
        let term = self.current_term;
        assert!(!self.is_leader(), "{leader_id} acts as leader of term {term}, which is ours");
        let known = self.leader_id.is_none_or(|known| known == leader_id);
        assert!(known, "{leader_id} and {:?} both act as leader of term {term}", self.leader_id);
        if self.role != Role::Follower {
            note!(self.me, Leader, "is follower of term {term}, in which {leader_id} leads");
        }
        self.role = Role::Follower;
        self.leader_id = Some(leader_id);
        effects.reset_election_timer = true;
    }

    /// Replaces everything from the first entry's index on by `entries`, and has them saved.
    pub(super) fn append(&mut self, entries: Vec<Entry>, effects: &mut Effects) {
        assert!(effects.append.is_empty(), "a rule appends once");
        let was = self.log.last();
        self.log.replace_from(&entries);
        effects.append = entries;
        note!(self.me, Log2, "log ends at {} (was {was})", self.log.last());
    }

    /// Whether this server leads `current_term`, as far as it knows.
    pub(super) const fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// Returns term and leadership, as the service sees them.
    pub(super) const fn leadership(&self) -> Leadership {
        Leadership { term: self.current_term, is_leader: self.is_leader() }
    }

    /// Iterates over all servers but this one.
    pub(super) fn peers(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.me;
        (0..self.servers).map(ServerId::from_slot).filter(move |&server| server != me)
    }
}

impl Progress {
    /// Makes the progress that a new leader starts with; its next new entry gets `next_index`.
    pub(super) const fn new(next_index: Index) -> Progress {
        Progress {
            next_index,
            match_index: Index(0),
            sent_commit: None,
            unanswered: 0,
            asked_round: 0,
            confirmed_round: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{S1, S2, at, entries, follower, leader};
    use super::*;
    use crate::record;
    use crate::runtime::{self, RunConfig};

    #[test]
    fn a_newer_term_is_adopted_and_persisted_and_frees_the_vote() {
        let mut state = follower(3, &[]);
        state.voted_for = Some(S1);
        let mut effects = Effects::default();
        state.observe_term(Term(4), S1, &mut effects);
        assert_eq!((state.current_term, state.voted_for), (Term(4), None));
        assert!(effects.save_vote, "a server that forgets a term can vote in it twice");
    }

    #[test]
    fn a_change_of_role_is_recorded_with_its_reason() {
        let lines = Arc::new(record::Log::default());
        let log = lines.clone();
        let config = RunConfig { record: true, ..RunConfig::default() };
        let outcome = runtime::run(&config, move || {
            record::attach(log);
            leader(3, 4, &[]).observe_term(Term(7), S2, &mut Effects::default());
            let mut state = follower(3, &[]);
            state.start_election(&mut Effects::default());
            state.follow(S1, &mut Effects::default());
        });
        outcome.result.unwrap();
        let lines: Vec<_> = lines
            .with(std::mem::take)
            .into_iter()
            .map(|line| line.event.what.to_string())
            .collect();
        assert_eq!(
            lines,
            [
                "is candidate of term 4, since its election timer ran out; votes for itself",
                "is leader of term 4, elected by S0, S1",
                "is follower of term 7, seen in a message of S2",
                "is candidate of term 4, since its election timer ran out; votes for itself",
                "is follower of term 4, in which S1 leads",
            ],
        );
    }

    #[test]
    fn an_older_or_equal_term_changes_nothing() {
        let mut state = leader(3, 4, &[]);
        let before = state.clone();
        let mut effects = Effects::default();
        state.observe_term(Term(3), S1, &mut effects);
        state.observe_term(Term(4), S1, &mut effects);
        assert_eq!((state, effects), (before, Effects::default()));
    }

    #[test]
    fn a_newer_term_ends_leadership_and_starts_the_election_timer() {
        let mut state = leader(3, 4, &[]);
        let mut effects = Effects::default();
        state.observe_term(Term(5), S1, &mut effects);
        assert_eq!(state.role, Role::Follower);
        assert!(effects.reset_election_timer, "a deposed leader waits before an election");
    }

    #[test]
    fn a_newer_term_alone_does_not_reset_a_followers_timer() {
        let mut state = follower(3, &[]);
        let mut effects = Effects::default();
        state.observe_term(Term(4), S1, &mut effects);
        assert!(!effects.reset_election_timer, "only a leader or a granted vote resets the timer");
    }

    #[test]
    fn a_newer_term_forgets_the_old_terms_leader() {
        let mut state = follower(3, &[]);
        state.follow(S1, &mut Effects::default());
        state.observe_term(Term(4), S1, &mut Effects::default());
        assert_eq!(state.leader_id, None);
    }

    #[test]
    #[should_panic(expected = "both act as leader of term 3")]
    fn two_leaders_of_one_term_are_a_bug() {
        let mut state = follower(3, &[]);
        state.follow(S1, &mut Effects::default());
        state.follow(S2, &mut Effects::default());
    }

    #[test]
    #[should_panic(expected = "which is ours")]
    fn a_leader_that_hears_another_one_of_its_term_is_a_bug() {
        leader(3, 4, &[]).follow(S1, &mut Effects::default());
    }

    #[test]
    fn a_restarted_server_has_all_that_it_saved_and_nothing_else() {
        let persisted = Persisted {
            current_term: Term(5),
            voted_for: Some(S2),
            last_included: at(2, 3),
            snapshot: Some(Bytes::from_static(b"state")),
            entries: entries(4, &[2, 5]),
        };
        let state = State::recover(S1, 3, persisted);
        assert_eq!((state.current_term, state.voted_for), (Term(5), Some(S2)));
        assert_eq!((state.log.last_included(), state.log.last()), (at(2, 3), at(5, 5)));
        assert_eq!(state.snapshot, Bytes::from_static(b"state"));
        // The service starts from the snapshot: the entries that it covers are not applied again,
        // and no entry after it is known to be committed.
        assert_eq!((state.commit_index, state.last_applied), (Index(3), Index(3)));
        assert_eq!((state.role, state.snapshot_to_apply), (Role::Follower, None));
    }
}
