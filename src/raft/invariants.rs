//! Invariants of one server: what holds whenever its lock is free, and which changes are legal
//! between two such moments.
//!
//! [`Summary::update`] runs when the lock is released after a rule has run. It costs a few
//! comparisons, not a walk along the log, so it always runs, in release builds too. Each check is
//! one sentence, has the name by which other files refer to it (`Invariant (name):`), and reports
//! the values when it fails. Code that could break an invariant says why it does not (`keeps
//! (name): because …`). The lab's observers check the properties that concern more than one server.

use std::fmt;

use super::state::{Progress, Role, State};
use crate::api::{Index, Position, ServerId, Term};

/// A summary of a server's state when it was last checked in this life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    role: RoleName,
    current_term: Term,
    voted_for: Option<ServerId>,
    last_included: Position,
    last_log: Position,
    commit_index: Index,
    last_applied: Index,
    /// One slot per server; empty unless the server leads.
    match_indices: Vec<Index>,
}

/// A [`Role`] without its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoleName {
    Follower,
    Candidate,
    Leader,
}

impl Summary {
    /// Summarizes `state`.
    pub(super) fn at(state: &State) -> Summary {
        let match_indices = match_indices(state).collect();
        Summary { match_indices, ..Summary::without_followers(state) }
    }

    /// As [`Summary::at`], without the match indices.
    fn without_followers(state: &State) -> Summary {
        Summary {
            role: role_name(state),
            current_term: state.current_term,
            voted_for: state.voted_for,
            last_included: state.log.last_included(),
            last_log: state.log.last(),
            commit_index: state.commit_index,
            last_applied: state.last_applied,
            match_indices: Vec::new(),
        }
    }

    /// Checks `state` and its changes since this summary, and replaces the summary.
    ///
    /// # Panics
    /// When an invariant is broken.
    pub(super) fn update(&mut self, state: &State) {
        check(state);
        if !self.is_of(state) {
            let now = Summary::at(state);
            check_step(self, &now);
            *self = now;
        }
    }

    /// Whether this is the summary of `state`. Most steps change nothing that is in it.
    fn is_of(&mut self, state: &State) -> bool {
        let own = std::mem::take(&mut self.match_indices);
        let is_same = *self == Summary::without_followers(state)
            && own.iter().copied().eq(match_indices(state));
        self.match_indices = own;
        is_same
    }
}

const fn role_name(state: &State) -> RoleName {
    match state.role {
        Role::Follower => RoleName::Follower,
        Role::Candidate { .. } => RoleName::Candidate,
        Role::Leader { .. } => RoleName::Leader,
    }
}

fn progress(state: &State) -> &[Progress] {
    match &state.role {
        Role::Leader { followers } => followers,
        Role::Follower | Role::Candidate { .. } => &[],
    }
}

fn match_indices(state: &State) -> impl Iterator<Item = Index> {
    progress(state).iter().map(|follower| follower.match_index)
}

/// Checks the invariants of a single state.
///
/// # Panics
/// When one is broken.
pub(super) fn check(state: &State) {
    applied_is_committed(state);
    committed_is_in_the_log(state);
    snapshot_is_applied(state);
    log_is_not_of_the_future(state);
    candidate_voted_for_itself(state);
    match_is_in_the_log(state);
    a_confirmed_round_was_asked(state);
}

/// Invariant (applied_is_committed): `last_applied <= commit_index`.
fn applied_is_committed(state: &State) {
    assert!(
        state.last_applied <= state.commit_index,
        "applied past commit: last_applied={} commit_index={}",
        state.last_applied,
        state.commit_index,
    );
}

/// Invariant (committed_is_in_the_log): `commit_index <= log.last()`.
fn committed_is_in_the_log(state: &State) {
    let last = state.log.last();
    assert!(
        state.commit_index <= last.index,
        "committed past the log's end: commit_index={} last_log={last}",
        state.commit_index,
    );
}

/// Invariant (snapshot_is_applied): the snapshot covers only entries handed to the service.
fn snapshot_is_applied(state: &State) {
    let last_included = state.log.last_included();
    assert!(
        last_included.index <= state.last_applied,
        "snapshot past what was applied: last_included={last_included} last_applied={}",
        state.last_applied,
    );
}

/// Invariant (log_is_not_of_the_future): no entry is of a term after `current_term`.
fn log_is_not_of_the_future(state: &State) {
    let last = state.log.last();
    assert!(
        last.term <= state.current_term,
        "an entry of a future term: last_log={last} current_term={}",
        state.current_term,
    );
}

/// Invariant (candidate_voted_for_itself): a candidate or leader has voted for itself.
fn candidate_voted_for_itself(state: &State) {
    assert!(
        state.role == Role::Follower || state.voted_for == Some(state.me),
        "a {} of term {} that voted for {:?}",
        role_name(state),
        state.current_term,
        state.voted_for,
    );
}

/// Invariant (match_is_in_the_log): `match_index < next_index <= last + 1`, for each follower.
fn match_is_in_the_log(state: &State) {
    let end = state.log.last().index.next();
    for (slot, follower) in progress(state).iter().enumerate() {
        assert!(
            follower.match_index < follower.next_index && follower.next_index <= end,
            "S{slot} is at match_index={} next_index={} of a log that ends before {end}",
            follower.match_index,
            follower.next_index,
        );
    }
}

/// Invariant (a_confirmed_round_was_asked): `confirmed_round <= asked_round <= read_round`, for
/// each follower.
fn a_confirmed_round_was_asked(state: &State) {
    for (slot, follower) in progress(state).iter().enumerate() {
        assert!(
            follower.confirmed_round <= follower.asked_round
                && follower.asked_round <= state.read_round,
            "S{slot} confirmed round {} and was asked in round {}, with read_round={}",
            follower.confirmed_round,
            follower.asked_round,
            state.read_round,
        );
    }
}

/// Checks the invariants of a change, from one summary to the next.
///
/// # Panics
/// When one is broken.
pub(super) fn check_step(before: &Summary, now: &Summary) {
    nothing_known_is_forgotten(before, now);
    a_vote_given_stays(before, now);
    leader_only_appends(before, now);
    roles_change_in_order(before, now);
}

/// Invariant (nothing_known_is_forgotten): term, commit index, applied index and snapshot never
/// fall.
fn nothing_known_is_forgotten(before: &Summary, now: &Summary) {
    let fell = now.current_term < before.current_term
        || now.commit_index < before.commit_index
        || now.last_applied < before.last_applied
        || now.last_included.index < before.last_included.index;
    assert!(!fell, "moved back: before {before}; now {now}");
}

/// Invariant (a_vote_given_stays): within a term, a vote that was given does not change.
fn a_vote_given_stays(before: &Summary, now: &Summary) {
    let same_term = now.current_term == before.current_term;
    assert!(
        !same_term || before.voted_for.is_none() || now.voted_for == before.voted_for,
        "two votes in term {}: {:?}, then {:?}",
        now.current_term,
        before.voted_for,
        now.voted_for,
    );
}

/// Invariant (leader_only_appends): within a term, a leader's log and the match indices of its
/// followers never move back (Leader Append-Only, Figure 3).
fn leader_only_appends(before: &Summary, now: &Summary) {
    let leads_on = before.leads() && now.leads() && before.current_term == now.current_term;
    let shrank = now.last_log < before.last_log
        || before.match_indices.iter().zip(&now.match_indices).any(|(old, new)| new < old);
    assert!(
        !(leads_on && shrank),
        "a leader moved back: before {before} match={:?}; now {now} match={:?}",
        before.match_indices,
        now.match_indices,
    );
}

/// Invariant (roles_change_in_order): within a term a leader stays leader and a follower stays
/// follower; a candidate may become either (Figure 4).
fn roles_change_in_order(before: &Summary, now: &Summary) {
    let same_term = now.current_term == before.current_term;
    assert!(
        !same_term || before.role == RoleName::Candidate || now.role == before.role,
        "an illegal change of role within a term: before {before}; now {now}",
    );
}

impl Summary {
    fn leads(&self) -> bool {
        self.role == RoleName::Leader
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RoleName::Follower => "follower",
            RoleName::Candidate => "candidate",
            RoleName::Leader => "leader",
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { role, current_term, last_included, last_log, .. } = self;
        write!(f, "{role} of term {current_term}, log {last_included}..{last_log}, ")?;
        write!(f, "commit_index={} last_applied={}", self.commit_index, self.last_applied)
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Effects;
    use super::super::testing::{S1, S2, entries, follower, leader};
    use super::*;

    /// Applies `change` to `state`, and checks the result as a server does.
    fn change(mut state: State, change: impl FnOnce(&mut State)) {
        let mut summary = Summary::at(&state);
        change(&mut state);
        summary.update(&state);
    }

    fn followers(state: &mut State) -> &mut [Progress] {
        match &mut state.role {
            Role::Leader { followers } => followers,
            _ => panic!("not a leader"),
        }
    }

    #[test]
    fn a_life_by_the_rules_is_accepted() {
        change(follower(1, &[1]), |state| {
            state.start_election(&mut Effects::default());
        });
        change(leader(3, 2, &[1]), |state| {
            state.start(bytes::Bytes::new(), &mut Effects::default()).unwrap();
            followers(state)[1].match_index = Index(1);
        });
        change(leader(3, 2, &[1]), |state| {
            state.observe_term(Term(3), S1, &mut Effects::default())
        });
    }

    #[test]
    #[should_panic(expected = "applied past commit: last_applied=1 commit_index=0")]
    fn applying_what_is_not_committed_is_caught() {
        change(follower(1, &[1]), |state| state.last_applied = Index(1));
    }

    #[test]
    #[should_panic(expected = "committed past the log's end: commit_index=2 last_log=1/1")]
    fn committing_what_is_not_there_is_caught() {
        change(follower(1, &[1]), |state| state.commit_index = Index(2));
    }

    #[test]
    #[should_panic(expected = "snapshot past what was applied")]
    fn a_snapshot_ahead_of_the_service_is_caught() {
        change(follower(1, &[1]), |state| {
            state.commit_index = Index(1);
            state.log.compact(state.log.last());
        });
    }

    #[test]
    #[should_panic(expected = "an entry of a future term: last_log=2/2 current_term=1")]
    fn an_entry_of_a_later_term_is_caught() {
        change(follower(1, &[1]), |state| state.log.replace_from(&entries(2, &[2])));
    }

    #[test]
    #[should_panic(expected = "a leader of term 2 that voted for Some(ServerId(1))")]
    fn a_leader_that_voted_for_another_is_caught() {
        change(leader(3, 2, &[]), |state| state.voted_for = Some(S1));
    }

    #[test]
    #[should_panic(expected = "S1 is at match_index=2 next_index=2")]
    fn a_next_index_at_the_match_index_is_caught() {
        change(leader(3, 2, &[1]), |state| followers(state)[1].match_index = Index(2));
    }

    #[test]
    #[should_panic(expected = "S1 confirmed round 1 and was asked in round 0")]
    fn a_confirmation_of_a_round_that_was_not_asked_is_caught() {
        change(leader(3, 2, &[]), |state| {
            state.read_round = 1;
            followers(state)[1].confirmed_round = 1;
        });
    }

    #[test]
    #[should_panic(expected = "moved back")]
    fn a_term_that_falls_is_caught() {
        change(follower(3, &[]), |state| state.current_term = Term(2));
    }

    #[test]
    #[should_panic(expected = "moved back")]
    fn a_commit_index_that_falls_is_caught() {
        let mut state = follower(1, &[1]);
        state.commit_index = Index(1);
        change(state, |state| state.commit_index = Index(0));
    }

    #[test]
    #[should_panic(expected = "two votes in term 3")]
    fn a_vote_that_moves_is_caught() {
        let mut state = follower(3, &[]);
        state.voted_for = Some(S1);
        change(state, |state| state.voted_for = Some(S2));
    }

    #[test]
    #[should_panic(expected = "a leader moved back")]
    fn a_match_index_that_falls_is_caught() {
        let mut state = leader(3, 2, &[1]);
        followers(&mut state)[1].match_index = Index(1);
        change(state, |state| followers(state)[1].match_index = Index(0));
    }

    #[test]
    #[should_panic(expected = "an illegal change of role within a term")]
    fn a_leader_that_steps_down_within_its_term_is_caught() {
        change(leader(3, 2, &[]), |state| state.role = Role::Follower);
    }
}
