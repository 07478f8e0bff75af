//! Elections: which node wins, and how the others react.

use super::cluster::Cluster;
use super::*;
use crate::tick::Role;

/// TestStartAsFollower.
#[test]
fn a_new_node_is_a_follower_in_term_zero_2aa() {
    let node = node(1, 3);
    assert_eq!((node.role(), node.term(), node.lead()), (Role::Follower, Term(0), None));
}

/// A node in each role of term 1.
fn roles() -> [Node; 3] {
    let follower = {
        let mut node = node(1, 3);
        node.become_follower(Term(1), Some(id(2)));
        node
    };
    let mut candidate = node(1, 3);
    candidate.become_candidate();
    let mut leader = node(1, 3);
    elect(&mut leader);
    [follower, candidate, leader]
}

/// TestFollowerUpdateTermFromMessage, TestCandidateUpdateTermFromMessage,
/// TestLeaderUpdateTermFromMessage.
#[test]
fn a_node_in_any_role_becomes_a_follower_in_a_newer_term_2aa() {
    for mut node in roles() {
        assert_eq!(node.term(), Term(1));
        step(&mut node, 2, 2, append(at(0, 0), &[], 0));
        assert_eq!((node.role(), node.term()), (Role::Follower, Term(2)));
        assert_eq!(node.lead(), Some(id(2)), "the sender of an append leads");
    }
}

/// TestLeaderBcastBeat.
#[test]
fn a_leader_sends_heartbeats_and_nothing_else_at_each_interval_2aa() {
    let mut node = node(1, 3);
    elect(&mut node);
    node.propose(Bytes::from_static(b"x")).unwrap();
    node.take_msgs();
    node.tick();
    let beat = heartbeat(0);
    assert!(node.msgs().iter().all(|message| message.term == Term(1)), "in the leader's term");
    assert_eq!(said(&mut node), [(2, beat.clone()), (3, beat)]);
}

/// TestLeaderElectionInOneRoundRPC.
#[test]
fn a_majority_of_votes_makes_a_leader_2aa() {
    let cases: [(u32, &[bool], Role); 10] = [
        (1, &[], Role::Leader),
        (3, &[true, true], Role::Leader),
        (3, &[true], Role::Leader),
        (5, &[true, true, true, true], Role::Leader),
        (5, &[true, true, true], Role::Leader),
        (5, &[true, true], Role::Leader),
        (3, &[], Role::Candidate),
        (5, &[true], Role::Candidate),
        (5, &[false, false], Role::Candidate),
        (5, &[], Role::Candidate),
    ];
    for (size, votes, role) in cases {
        let mut node = node(1, size);
        node.hup(false);
        for (from, granted) in (2..).zip(votes) {
            step(&mut node, from, 1, vote(*granted));
        }
        assert_eq!((node.role(), node.term()), (role, Term(1)), "{size} nodes, {votes:?}");
    }
}

/// TestFollowerVote.
#[test]
fn a_term_has_one_vote_first_come_first_served_2aa() {
    let cases = [
        (None, 2, true),
        (None, 3, true),
        (Some(2), 2, true),
        (Some(3), 3, true),
        (Some(2), 3, false),
        (Some(3), 2, false),
    ];
    for (voted, from, granted) in cases {
        let mut node = node(1, 3);
        node.become_follower(Term(1), None);
        node.vote = voted.map(id);
        step(&mut node, from, 1, request_vote(at(0, 0)));
        assert_eq!(node.msgs()[0].term, Term(1));
        assert_eq!(
            said(&mut node),
            [(from, vote(granted))],
            "voted for {voted:?}, asked by {from}"
        );
    }
}

/// TestCandidateFallback.
#[test]
fn a_candidate_yields_to_the_leader_of_its_term_or_a_newer_2aa() {
    for term in [1, 2] {
        let mut node = node(1, 3);
        node.become_candidate();
        step(&mut node, 2, term, append(at(0, 0), &[term], 0));
        assert_eq!((node.role(), node.term()), (Role::Follower, Term(term)));
        assert_eq!((node.lead(), terms(&node)), (Some(id(2)), vec![term]));
    }
}

/// TestLeaderElection.
#[test]
fn connected_nodes_elect_a_leader_if_they_are_a_majority_2aa() {
    let cases: [(u32, &[u32], Role); 5] = [
        (3, &[], Role::Leader),
        (3, &[3], Role::Leader),
        (3, &[2, 3], Role::Candidate),
        (4, &[2, 3], Role::Candidate),
        (5, &[2, 3], Role::Leader),
    ];
    for (size, dead, role) in cases {
        let mut cluster = Cluster::new(size);
        dead.iter().for_each(|me| cluster.isolate(*me));
        cluster.campaign(1);
        let node = cluster.node(1);
        assert_eq!((node.role(), node.term()), (role, Term(1)), "{size} nodes, {dead:?} dead");
    }
}

/// TestLeaderCycle.
#[test]
fn each_node_can_become_leader_in_turn_2aa() {
    let mut cluster = Cluster::new(3);
    for winner in 1..=3 {
        cluster.campaign(winner);
        for me in 1..=3 {
            let role = if me == winner { Role::Leader } else { Role::Follower };
            assert_eq!(cluster.node(me).role(), role, "S{me} after the election of S{winner}");
        }
    }
}

/// TestVoteFromAnyState.
#[test]
fn every_role_votes_in_a_newer_term_2aa() {
    for mut node in roles() {
        step(&mut node, 2, 2, request_vote(at(1, 7)));
        assert_eq!((node.role(), node.term()), (Role::Follower, Term(2)));
        assert_eq!(node.vote(), Some(id(2)), "the vote is remembered");
        let (to, kind) = said(&mut node).pop().unwrap();
        assert_eq!((to, kind), (2, vote(true)));
    }
}

/// TestSingleNodeCandidate.
#[test]
fn a_cluster_of_one_elects_itself_2aa() {
    let mut cluster = Cluster::new(1);
    cluster.campaign(1);
    assert_eq!(cluster.node(1).role(), Role::Leader);
}

/// TestCandidateResetTermMessageType_MsgHeartbeat, TestCandidateResetTermMessageType_MsgAppend.
#[test]
fn an_isolated_candidate_that_returns_follows_the_leader_2aa() {
    for kind in [heartbeat(0), append(at(0, 0), &[], 0)] {
        let mut cluster = Cluster::new(3);
        cluster.isolate(3);
        cluster.campaign(1);
        cluster.campaign(2);
        cluster.raw(3).campaign();
        assert_eq!(cluster.node(3).role(), Role::Candidate);
        cluster.settle();
        cluster.heal();
        let (leader, term) = (cluster.node(2).id(), cluster.node(2).term());
        assert!(term > cluster.node(3).term(), "S1 and S2 had a later election");
        cluster.raw(3).step(Message { from: leader, to: id(3), term, kind }).unwrap();
        cluster.settle();
        let node = cluster.node(3);
        assert_eq!((node.role(), node.term(), node.lead()), (Role::Follower, term, Some(leader)));
        assert_eq!(cluster.node(2).role(), Role::Leader);
    }
}

/// TestDisruptiveFollower.
#[test]
fn a_leader_steps_down_if_a_heartbeat_response_has_a_newer_term_2aa() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.campaign(3);
    cluster.campaign(3);
    assert_eq!((cluster.node(3).role(), cluster.node(3).term()), (Role::Candidate, Term(3)));
    // Its requests were lost; only the response to the heartbeat has the newer term.
    cluster.heal();
    cluster.beat(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Follower, Term(3)));
}

/// TestRecvMessageType_MsgBeat.
#[test]
fn only_a_leader_sends_heartbeats_2aa() {
    let counts = roles().map(|mut node| {
        node.take_msgs();
        node.beat();
        assert!(node.msgs().iter().all(|message| message.kind == heartbeat(0)), "no appends");
        node.msgs().len()
    });
    assert_eq!(counts, [0, 0, 2]);
}

/// TestCampaignWhileLeader.
#[test]
fn a_leader_does_not_stand_for_election_2aa() {
    let mut cluster = Cluster::new(1);
    cluster.campaign(1);
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(1)));
}

/// TestSplitVote.
#[test]
fn an_election_after_a_split_vote_has_a_winner_2aa() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(1);
    cluster.raw(2).campaign();
    cluster.raw(3).campaign();
    cluster.settle();
    for me in [2, 3] {
        let node = cluster.node(me);
        assert_eq!((node.role(), node.term()), (Role::Candidate, Term(2)), "S{me}");
    }
    cluster.campaign(2);
    assert_eq!((cluster.node(2).role(), cluster.node(2).term()), (Role::Leader, Term(3)));
    assert_eq!((cluster.node(3).role(), cluster.node(3).term()), (Role::Follower, Term(3)));
}

#[test]
fn a_candidate_becomes_a_follower_once_a_majority_refuses() {
    let mut node = node(1, 3);
    node.hup(false);
    step(&mut node, 2, 1, vote(false));
    assert_eq!(node.role(), Role::Candidate, "one refusal of three is no majority");
    step(&mut node, 2, 1, vote(false));
    assert_eq!(node.role(), Role::Candidate, "a repeated refusal counts once");
    step(&mut node, 3, 1, vote(false));
    assert_eq!((node.role(), node.term(), node.lead()), (Role::Follower, Term(1), None));
    assert_eq!(node.vote(), Some(id(1)), "it cannot vote again in this term");
}

#[test]
fn in_a_cluster_of_two_one_refusal_ends_the_election() {
    let mut node = node(1, 2);
    node.hup(false);
    step(&mut node, 2, 1, vote(false));
    assert_eq!((node.role(), node.term()), (Role::Follower, Term(1)));
}

#[test]
fn a_node_outside_the_cluster_starts_no_election_and_its_vote_does_not_count() {
    let mut stranger = node(9, 3);
    (0..40).for_each(|_| stranger.tick());
    assert_eq!((stranger.role(), stranger.term()), (Role::Follower, Term(0)));
    let mut node = node(1, 3);
    node.hup(false);
    step(&mut node, 9, 1, vote(true));
    assert_eq!(node.role(), Role::Candidate);
}

#[test]
fn a_grant_of_an_earlier_election_does_not_count() {
    let mut node = node(1, 3);
    node.hup(false);
    node.hup(false);
    step(&mut node, 2, 1, vote(true));
    assert_eq!((node.role(), node.term()), (Role::Candidate, Term(2)));
}
