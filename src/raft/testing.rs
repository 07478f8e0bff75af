//! Short words for the unit tests of the rules: logs drawn as rows of terms.

use bytes::Bytes;

use super::log::Log;
use super::state::{Effects, State};
use crate::api::{Entry, Index, Position, ServerId, Term};
use crate::persister::Persisted;

/// The server under test in most of the rules' tests.
pub const ME: ServerId = ServerId(0);
/// Another server.
pub const S1: ServerId = ServerId(1);
/// A third.
pub const S2: ServerId = ServerId(2);

pub fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// Entries of these terms, the first at index `first`; each has a command of one byte.
pub fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    let entry = |(index, &term): (u64, &u64)| Entry {
        term: Term(term),
        index: Index(index),
        data: Bytes::from_static(b"x"),
    };
    (first..).zip(terms).map(entry).collect()
}

/// A log of these terms, from index 1.
pub fn log(terms: &[u64]) -> Log {
    Log::new(Position::default(), entries(1, terms))
}

/// Server 0 of three, a follower in term `term`, with a log of these terms.
pub fn follower(term: u64, terms: &[u64]) -> State {
    server(3, term, terms)
}

/// Server 0 of `servers`, a follower in term `term`, with a log of these terms.
pub fn server(servers: usize, term: u64, terms: &[u64]) -> State {
    let persisted =
        Persisted { current_term: Term(term), entries: entries(1, terms), ..Persisted::default() };
    State::recover(ME, servers, persisted)
}

/// Server 0 of `servers` as leader of term `term`: it stood in the term before and won.
pub fn leader(servers: usize, term: u64, terms: &[u64]) -> State {
    let mut state = server(servers, term - 1, terms);
    let args = state.start_election(&mut Effects::default());
    for voter in 1..servers {
        let reply = super::rpc::RequestVoteReply { term: args.term, vote_granted: true };
        let voter = ServerId::from_slot(voter);
        state.on_vote_reply(voter, args.term, &reply, &mut Effects::default());
    }
    assert!(state.is_leader(), "{:?} did not win", state.role);
    state
}
