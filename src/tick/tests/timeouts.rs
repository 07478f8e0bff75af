//! Election timeouts: when a node starts an election, and what it then sends.

use super::*;
use crate::tick::Role;

/// Ticks a node until it starts an election; returns the number of ticks.
fn ticks_to_election(node: &mut Node) -> u32 {
    let term = node.term();
    let mut ticks = 0;
    while node.term() == term {
        node.tick();
        ticks += 1;
    }
    ticks
}

fn follower(me: u32, seed: u64) -> Node {
    let config = Config::new(id(me), ids(5));
    Raft::new(config, MemoryStorage::new(), chance(seed)).unwrap()
}

fn candidate(me: u32, seed: u64) -> Node {
    let mut node = follower(me, seed);
    node.become_candidate();
    node
}

/// Checks that exactly one election starts within 19 ticks, one less than twice the timeout.
fn stands_once(mut node: Node) {
    (0..19).for_each(|_| node.tick());
    assert_eq!((node.role(), node.term()), (Role::Candidate, Term(2)));
    assert_eq!(node.vote(), Some(id(1)), "a candidate votes for itself");
    let asked = request_vote(at(0, 0));
    assert_eq!(said(&mut node), [(2, asked.clone()), (3, asked)]);
}

/// TestFollowerStartElection.
#[test]
fn a_follower_without_a_leader_starts_one_election_2aa() {
    let mut node = node(1, 3);
    node.become_follower(Term(1), Some(id(2)));
    stands_once(node);
}

/// TestCandidateStartNewElection.
#[test]
fn a_candidate_without_a_majority_starts_a_new_election_2aa() {
    let mut node = node(1, 3);
    node.become_candidate();
    stands_once(node);
}

fn every_timeout_occurs(start: fn(u32, u64) -> Node) {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..500 {
        seen.insert(ticks_to_election(&mut start(1, seed)));
    }
    assert_eq!(seen, (10..20).collect(), "from the timeout to one tick less than twice as long");
}

/// TestFollowerElectionTimeoutRandomized.
#[test]
fn followers_wait_for_a_random_time_2aa() {
    every_timeout_occurs(follower);
}

/// TestCandidateElectionTimeoutRandomized.
#[test]
fn candidates_wait_for_a_random_time_2aa() {
    every_timeout_occurs(candidate);
}

fn conflicts_are_rare(start: fn(u32, u64) -> Node) {
    let mut conflicts = 0;
    for round in 0..1000_u64 {
        let ticks: Vec<_> = (1..=5)
            .map(|me| ticks_to_election(&mut start(me, round * 5 + u64::from(me))))
            .collect();
        let first = ticks.iter().min();
        conflicts += usize::from(ticks.iter().filter(|ticks| Some(*ticks) == first).count() > 1);
    }
    assert!(conflicts <= 300, "two of five started together in {conflicts} of 1000 rounds");
    assert!(conflicts > 0, "the timeouts are not independent");
}

/// TestFollowersElectionTimeoutNonconflict.
#[test]
fn followers_rarely_stand_together_2aa() {
    conflicts_are_rare(follower);
}

/// TestCandidatesElectionTimeoutNonconflict.
#[test]
fn candidates_rarely_stand_together_2aa() {
    conflicts_are_rare(candidate);
}

#[test]
fn the_timeout_is_drawn_anew_at_every_change_of_role() {
    let mut node = follower(1, 7);
    let drawn: std::collections::BTreeSet<_> = (1..=50)
        .map(|term| {
            node.become_follower(Term(term), None);
            node.randomized_election_timeout
        })
        .collect();
    assert!(drawn.len() > 5, "fifty draws gave {drawn:?}");
}

/// Ticks a follower to one tick before its election timeout and calls `after`; returns whether its
/// election timer was reset.
fn waits_anew(after: impl FnOnce(&mut Node)) -> bool {
    let mut node = node(1, 3);
    node.become_follower(Term(1), None);
    let patience = node.randomized_election_timeout;
    (1..patience).for_each(|_| node.tick());
    after(&mut node);
    node.tick();
    node.role() == Role::Follower
}

#[test]
fn an_append_resets_the_election_timer() {
    assert!(waits_anew(|node| step(node, 2, 1, append(at(0, 0), &[], 0))), "a leader was heard");
}

#[test]
fn a_heartbeat_resets_the_election_timer() {
    assert!(waits_anew(|node| step(node, 2, 1, heartbeat(0))), "a leader was heard");
}

#[test]
fn a_snapshot_resets_the_election_timer() {
    let snapshot = snapshot_message(at(1, 3), &[1, 2, 3]);
    assert!(waits_anew(|node| step(node, 2, 1, snapshot)), "a leader was heard");
}

#[test]
fn a_vote_given_resets_the_election_timer() {
    assert!(waits_anew(|node| step(node, 2, 1, request_vote(at(0, 0)))), "another node may win");
}

#[test]
fn a_vote_refused_does_not_reset_the_election_timer() {
    let refuse = |node: &mut Node| {
        node.vote = Some(id(3));
        step(node, 2, 1, request_vote(at(0, 0)));
    };
    assert!(!waits_anew(refuse), "a refused candidate must not delay one that could win");
}

#[test]
fn a_newer_term_alone_does_not_reset_the_election_timer() {
    let refuse = |node: &mut Node| {
        node.log.push(Entry { term: Term(1), index: Index(1), data: Bytes::new() });
        step(node, 2, 2, request_vote(at(0, 0)));
        assert_eq!((node.term(), node.vote()), (Term(2), None));
    };
    assert!(!waits_anew(refuse), "a candidate with a shorter log must not delay others");
}

#[test]
fn a_leader_of_an_older_term_does_not_reset_the_election_timer() {
    assert!(!waits_anew(|node| step(node, 2, 0, heartbeat(0))), "term 0 is over");
}
