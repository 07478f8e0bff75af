//! Helpers for the unit tests of the rules: states whose logs are given as rows of terms.

use bytes::Bytes;

use super::log::Log;
use super::replication::{Message, Sent};
use super::state::{Effects, Progress, Role, State};
use crate::api::raft_rpc::{AppendEntriesArgs, AppendEntriesReply, Conflict, RequestVoteReply};
use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::persister::Persisted;

/// The server under test in most of the rules' tests.
pub(super) const ME: ServerId = ServerId(0);
/// Another server.
pub(super) const S1: ServerId = ServerId(1);
/// A third server.
pub(super) const S2: ServerId = ServerId(2);

pub(super) fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// Makes entries of these terms, the first at index `first`; each has a command of one byte.
pub(super) fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    let entry = |(index, &term): (u64, &u64)| Entry {
        term: Term(term),
        index: Index(index),
        data: Bytes::from_static(b"x"),
    };
    (first..).zip(terms).map(entry).collect()
}

/// Makes a log of these terms, from index 1.
pub(super) fn log(terms: &[u64]) -> Log {
    Log::new(Position::default(), entries(1, terms))
}

/// Makes server 0 of three, a follower in term `term`, with a log of these terms.
pub(super) fn follower(term: u64, terms: &[u64]) -> State {
    server(3, term, terms)
}

/// Makes server 0 of `servers`, a follower in term `term`, with a log of these terms.
pub(super) fn server(servers: usize, term: u64, terms: &[u64]) -> State {
    let persisted =
        Persisted { current_term: Term(term), entries: entries(1, terms), ..Persisted::default() };
    State::recover(ME, servers, persisted)
}

/// Makes server 0 of `servers` the leader of term `term`: all others vote for it.
pub(super) fn leader(servers: usize, term: u64, terms: &[u64]) -> State {
    let mut state = server(servers, term - 1, terms);
    let args = state.start_election(&mut Effects::default());
    for voter in 1..servers {
        let reply = RequestVoteReply { term: args.term, vote_granted: true };
        let voter = ServerId::from_slot(voter);
        state.on_vote_reply(voter, args.term, &reply, &mut Effects::default());
    }
    assert!(state.is_leader(), "{:?} did not win", state.role);
    state
}

/// Returns the leader's progress of S1.
pub(super) fn s1(state: &mut State) -> &mut Progress {
    let Role::Leader { followers } = &mut state.role else { panic!("not a leader") };
    &mut followers[S1.slot()]
}

/// Returns `next_index` and `match_index` of S1.
pub(super) fn next_and_match(state: &mut State) -> (u64, u64) {
    let progress = s1(state);
    (progress.next_index.0, progress.match_index.0)
}

/// Makes a leader of term 4, one of three, that sends S1 the entries from `next_index` on.
pub(super) fn leader_at(terms: &[u64], next_index: u64) -> State {
    let mut state = leader(3, 4, terms);
    s1(&mut state).next_index = Index(next_index);
    state
}

/// Makes the next message to S1.
pub(super) fn message(state: &mut State) -> Message {
    state.message_to(S1).expect("a leader has a message for every follower")
}

/// Makes the next message to S1, which must be an AppendEntries.
pub(super) fn append(state: &mut State) -> AppendEntriesArgs {
    match message(state) {
        Message::Append(args, _) => args,
        Message::Install(args, _) => panic!("a snapshot at {}", args.last_included()),
    }
}

/// Delivers S1's reply, in term 4, to a request of term 4 with the entries after `prev` to `last`.
pub(super) fn answer(state: &mut State, prev: u64, last: u64, reply: Result<(), Conflict>) {
    let sent = sent(4, prev, last);
    let (success, conflict) = (reply.is_ok(), reply.err());
    let reply = AppendEntriesReply { term: Term(4), success, conflict };
    state.on_append_reply(S1, sent, &reply, &mut Effects::default());
}

/// Describes a request of term `term` with the entries after `prev` to `last`.
pub(super) fn sent(term: u64, prev: u64, last: u64) -> Sent {
    let (prev_log_index, last_new_index) = (Index(prev), Index(last));
    Sent { term: Term(term), prev_log_index, last_new_index, read_round: 0 }
}

/// Makes a refusal, for `answer`.
pub(super) fn conflict(term: Option<u64>, index: u64) -> Result<(), Conflict> {
    Err(Conflict { term: term.map(Term), index: Index(index) })
}
