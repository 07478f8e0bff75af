//! Pre-vote, check quorum, leader transfer, read index.

use super::cluster::Cluster;
use super::*;
use crate::tick::{Error, ReadState, Role};

/// Takes a node's confirmed reads, without the rest of its `Ready`.
fn reads(cluster: &mut Cluster, me: u32) -> Vec<ReadState> {
    std::mem::take(&mut cluster.raw(me).raft_mut().read_states)
}

#[test]
fn all_features_are_off_by_default() {
    let mut node = leader(3);
    assert_eq!(node.transfer_leader(id(2)), Err(Error::Disabled));
    assert_eq!(node.read_index(1), Err(Error::Disabled));
    (0..100).for_each(|_| node.tick());
    assert_eq!(node.role(), Role::Leader, "a leader without responses does not step down");
    let mut candidate = self::node(1, 3);
    candidate.hup(false);
    assert_eq!(candidate.term(), Term(1), "the election starts at once");
    let mut follower = self::node(1, 3);
    step(&mut follower, 2, 1, Kind::TimeoutNow);
    assert_eq!(follower.role(), Role::Follower);
}

fn pre_voting(size: u32) -> Cluster {
    Cluster::with(size, |config| config.pre_vote = true)
}

#[test]
fn a_pre_candidate_changes_neither_its_term_nor_its_vote() {
    let mut cluster = pre_voting(3);
    cluster.isolate(3);
    cluster.tick(3, 100);
    let node = cluster.node(3);
    assert_eq!((node.role(), node.term(), node.vote()), (Role::PreCandidate, Term(0), None));
}

#[test]
fn a_pre_vote_that_is_won_becomes_an_election() {
    let mut cluster = pre_voting(3);
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(1)));
    assert_eq!(cluster.commits(), [1, 1, 1]);
    let mut alone = pre_voting(1);
    alone.campaign(1);
    assert_eq!(alone.node(1).role(), Role::Leader, "a cluster of one asks no node");
}

#[test]
fn an_isolated_node_that_returns_does_not_depose_the_leader() {
    let mut cluster = pre_voting(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.tick(3, 100);
    cluster.propose(1, "x").unwrap();
    cluster.heal();
    cluster.campaign(3);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(1)));
    cluster.beat(1);
    let node = cluster.node(3);
    assert_eq!((node.role(), node.lead(), node.term()), (Role::Follower, Some(id(1)), Term(1)));
    assert_eq!(cluster.commits(), [2, 2, 2]);
}

#[test]
fn a_pre_vote_depends_on_the_log_and_on_whether_a_leader_is_heard() {
    let asked = |node: &mut Node, last| {
        step(node, 2, 2, Kind::RequestPreVote { last });
        let messages = node.take_msgs();
        messages.into_iter().map(|message| (message.term.0, message.kind)).collect::<Vec<_>>()
    };
    let node = || node_with(1, 3, disk(&[1]), |config| config.pre_vote = true);
    let grant = |granted| Kind::RequestPreVoteResponse { granted };
    assert_eq!(asked(&mut node(), at(1, 1)), [(2, grant(true))], "granted in the request's term");
    assert_eq!(asked(&mut node(), at(1, 0)), [(1, grant(false))], "refused in its own term");
    let mut content = node();
    step(&mut content, 3, 1, heartbeat(0));
    content.take_msgs();
    assert_eq!(asked(&mut content, at(1, 1)), [], "it hears a leader");
    (0..10).for_each(|_| content.tick());
    content.take_msgs();
    assert_eq!(asked(&mut content, at(1, 1)), [(2, grant(true))], "its leader is silent");
}

#[test]
fn a_grant_of_an_earlier_pre_vote_does_not_count() {
    let mut node = node_with(1, 3, MemoryStorage::new(), |config| config.pre_vote = true);
    node.become_follower(Term(5), None);
    node.hup(false);
    step(&mut node, 2, 5, Kind::RequestPreVoteResponse { granted: true });
    assert_eq!(node.role(), Role::PreCandidate);
    step(&mut node, 2, 6, Kind::RequestPreVoteResponse { granted: true });
    assert_eq!((node.role(), node.term()), (Role::Candidate, Term(6)));
}

#[test]
fn a_vote_that_arrives_during_the_next_pre_vote_does_not_count() {
    let mut node = node_with(1, 3, MemoryStorage::new(), |config| config.pre_vote = true);
    node.hup(false);
    step(&mut node, 2, 1, Kind::RequestPreVoteResponse { granted: true });
    node.hup(false);
    step(&mut node, 2, 1, vote(true));
    assert_eq!((node.role(), node.term()), (Role::PreCandidate, Term(1)));
}

#[test]
fn a_majority_of_refusals_ends_a_pre_vote() {
    let mut node = node_with(1, 3, MemoryStorage::new(), |config| config.pre_vote = true);
    node.hup(false);
    for from in [2, 3] {
        step(&mut node, from, 0, Kind::RequestPreVoteResponse { granted: false });
    }
    assert_eq!((node.role(), node.term()), (Role::Follower, Term(0)));
}

fn checking(size: u32) -> Cluster {
    Cluster::with(size, |config| config.check_quorum = true)
}

#[test]
fn a_leader_without_a_majority_steps_down() {
    let mut cluster = checking(3);
    cluster.campaign(1);
    cluster.tick(1, 100);
    assert_eq!(cluster.node(1).role(), Role::Leader, "its heartbeats get responses");
    cluster.isolate(1);
    cluster.tick(1, 20);
    let node = cluster.node(1);
    assert_eq!((node.role(), node.term(), node.lead()), (Role::Follower, Term(1), None));
}

#[test]
fn a_leader_that_reaches_one_of_two_followers_remains_leader() {
    let mut cluster = checking(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.tick(1, 100);
    assert_eq!(cluster.node(1).role(), Role::Leader);
}

#[test]
fn followers_of_a_living_leader_do_not_vote_it_away() {
    let mut cluster = checking(3);
    cluster.campaign(1);
    cluster.isolate(3);
    (0..3).for_each(|_| cluster.campaign(3));
    cluster.heal();
    cluster.campaign(3);
    assert_eq!((cluster.node(2).term(), cluster.node(2).vote()), (Term(1), Some(id(1))));
    // S3's response tells the leader the newer term. Otherwise S3 would never follow a leader.
    cluster.beat(1);
    assert_eq!(cluster.node(1).role(), Role::Follower);
    cluster.tick(2, 10);
    cluster.campaign(1);
    assert_eq!(cluster.node(1).role(), Role::Leader);
    assert_eq!(cluster.node(3).lead(), Some(id(1)));
}

#[test]
fn the_lease_ends_with_the_election_timeout() {
    let mut node = node_with(1, 3, MemoryStorage::new(), |config| config.check_quorum = true);
    step(&mut node, 2, 1, heartbeat(0));
    node.set_randomized_election_timeout(19);
    node.take_msgs();
    (0..9).for_each(|_| node.tick());
    step(&mut node, 3, 2, request_vote(at(0, 0)));
    assert_eq!((node.term(), said(&mut node)), (Term(1), vec![]), "during the lease");
    node.tick();
    step(&mut node, 3, 2, request_vote(at(0, 0)));
    assert_eq!((node.term(), said(&mut node)), (Term(2), vec![(3, vote(true))]), "after it");
}

fn transferring(size: u32) -> Cluster {
    Cluster::with(size, |config| {
        config.leader_transfer = true;
        config.check_quorum = true;
        config.pre_vote = true;
    })
}

#[test]
fn a_transfer_elects_the_follower_despite_leases_and_pre_votes() {
    let mut cluster = transferring(3);
    cluster.campaign(1);
    cluster.raw(1).transfer_leader(id(3)).unwrap();
    cluster.settle();
    assert_eq!((cluster.node(3).role(), cluster.node(3).term()), (Role::Leader, Term(2)));
    assert_eq!(cluster.node(1).lead(), Some(id(3)));
    cluster.propose(3, "x").unwrap();
    assert_eq!(cluster.commits(), [3, 3, 3]);
}

#[test]
fn a_transfer_first_brings_the_follower_up_to_date() {
    let mut cluster = transferring(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.propose(1, "x").unwrap();
    cluster.heal();
    cluster.raw(1).transfer_leader(id(3)).unwrap();
    cluster.settle();
    assert_eq!((cluster.node(3).role(), cluster.commands(3).len()), (Role::Leader, 1));
}

#[test]
fn a_transfer_blocks_commands_and_ends_after_an_election_timeout() {
    let mut cluster = transferring(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.raw(1).transfer_leader(id(3)).unwrap();
    cluster.settle();
    let error = cluster.propose(1, "x").unwrap_err();
    assert_eq!(error, Error::ProposalDropped { leader: Some(id(1)) });
    cluster.tick(1, 10);
    assert_eq!(cluster.node(1).lead_transferee(), None);
    cluster.propose(1, "x").unwrap();
}

#[test]
fn a_new_transfer_replaces_the_old_one_and_a_transfer_to_the_leader_cancels_it() {
    let mut cluster = transferring(3);
    cluster.campaign(1);
    (2..=3).for_each(|me| cluster.isolate(me));
    cluster.raw(1).transfer_leader(id(3)).unwrap();
    cluster.raw(1).transfer_leader(id(2)).unwrap();
    assert_eq!(cluster.node(1).lead_transferee(), Some(id(2)));
    cluster.raw(1).transfer_leader(id(1)).unwrap();
    assert_eq!(cluster.node(1).lead_transferee(), None);
    let node = cluster.raw(1);
    assert_eq!(node.transfer_leader(id(9)), Err(Error::PeerNotFound(id(9))));
    let asked = cluster.raw(2).transfer_leader(id(3));
    assert_eq!(asked, Err(Error::NotLeader { leader: Some(id(1)) }));
}

fn reading(size: u32) -> Cluster {
    Cluster::with(size, |config| config.read_index = true)
}

#[test]
fn a_read_waits_for_a_majority_to_confirm_the_leader() {
    let mut cluster = reading(3);
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    cluster.raw(1).read_index(7).unwrap();
    assert_eq!(reads(&mut cluster, 1), [], "no follower has confirmed it yet");
    let ready = cluster.raw(1).ready();
    cluster.raw(1).advance();
    let kind = Kind::HeartbeatResponse { round: 1 };
    let beats = ready
        .messages
        .iter()
        .filter(|message| matches!(message.kind, Kind::Heartbeat { round: 1, .. }));
    assert_eq!(beats.count(), 2);
    cluster.raw(1).step(Message { from: id(2), to: id(1), term: Term(1), kind }).unwrap();
    assert_eq!(reads(&mut cluster, 1), [ReadState { context: 7, index: Index(2) }]);
}

#[test]
fn an_isolated_leader_answers_no_read() {
    let mut cluster = reading(3);
    cluster.campaign(1);
    cluster.isolate(1);
    cluster.raw(1).read_index(7).unwrap();
    cluster.settle();
    cluster.campaign(2);
    cluster.propose(2, "x").unwrap();
    cluster.heal();
    cluster.beat(1);
    assert_eq!(reads(&mut cluster, 1), [], "another node leads, and has committed more");
}

#[test]
fn a_response_to_an_earlier_round_does_not_confirm_a_later_read() {
    let mut cluster = reading(3);
    cluster.campaign(1);
    let answer = |round| {
        let kind = Kind::HeartbeatResponse { round };
        Message { from: id(2), to: id(1), term: Term(1), kind }
    };
    for context in [1, 2] {
        cluster.raw(1).read_index(context).unwrap();
        cluster.raw(1).ready();
        cluster.raw(1).advance();
    }
    cluster.raw(1).step(answer(1)).unwrap();
    assert_eq!(reads(&mut cluster, 1), [ReadState { context: 1, index: Index(1) }]);
    cluster.raw(1).step(answer(2)).unwrap();
    assert_eq!(reads(&mut cluster, 1), [ReadState { context: 2, index: Index(1) }]);
}

#[test]
fn reads_in_one_outbox_share_a_round_and_the_next_heartbeat_repeats_a_lost_round() {
    let mut cluster = reading(3);
    cluster.campaign(1);
    cluster.raw(1).read_index(1).unwrap();
    cluster.raw(1).read_index(2).unwrap();
    assert_eq!(cluster.node(1).msgs().len(), 2, "one heartbeat to each follower");
    cluster.lose(|message| matches!(message.kind, Kind::Heartbeat { .. }));
    cluster.settle();
    cluster.heal();
    assert_eq!(cluster.node(1).read_states, []);
    cluster.raw(1).tick();
    let answers: Vec<_> = (2..=3)
        .map(|from| {
            let kind = Kind::HeartbeatResponse { round: 1 };
            Message { from: id(from), to: id(1), term: Term(1), kind }
        })
        .collect();
    let beat = cluster.node(1).msgs()[0].kind.clone();
    assert!(matches!(beat, Kind::Heartbeat { round: 1, .. }), "{beat:?}");
    answers.into_iter().for_each(|answer| cluster.raw(1).step(answer).unwrap());
    assert_eq!(reads(&mut cluster, 1).len(), 2);
}

#[test]
fn a_new_leader_postpones_reads_until_it_has_committed() {
    let mut node = node_with(1, 3, disk(&[1]), |config| config.read_index = true);
    elect(&mut node);
    node.read_index(7).unwrap();
    assert_eq!(node.msgs(), [], "it does not know what its predecessors have committed");
    accept(&mut node, 2, 2);
    let beats = |node: &Node| {
        let is_beat = |message: &&Message| matches!(message.kind, Kind::Heartbeat { round: 1, .. });
        node.msgs().iter().filter(is_beat).count()
    };
    assert_eq!(beats(&node), 2);
    step(&mut node, 3, 2, Kind::HeartbeatResponse { round: 1 });
    assert_eq!(node.read_states, [ReadState { context: 7, index: Index(2) }]);
}

#[test]
fn a_follower_can_request_a_read_index() {
    let mut cluster = reading(3);
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    cluster.raw(3).read_index(7).unwrap();
    let mut found = Vec::new();
    // The result is in a Ready, which the cluster would handle itself.
    let ready = cluster.raw(3).ready();
    cluster.raw(3).advance();
    let mut queue = ready.messages;
    while let Some(message) = queue.pop() {
        let to = message.to.0;
        cluster.raw(to).step(message).unwrap();
        queue.extend(cluster.raw(to).raft_mut().take_msgs());
        found.extend(reads(&mut cluster, to));
    }
    assert_eq!(found, [ReadState { context: 7, index: Index(2) }]);
    let mut lost = node_with(1, 3, MemoryStorage::new(), |config| config.read_index = true);
    assert_eq!(lost.read_index(1), Err(Error::NotLeader { leader: None }));
}

#[test]
fn a_pending_read_is_dropped_when_its_term_ends() {
    let mut node = node_with(1, 3, MemoryStorage::new(), |config| config.read_index = true);
    settle_leader(&mut node);
    node.read_index(7).unwrap();
    settle_leader_again(&mut node);
    step(&mut node, 2, 3, Kind::HeartbeatResponse { round: 1 });
    assert_eq!(node.read_states, [], "the application must ask again");
}

/// Deposes a leader, and elects it again in a newer term.
fn settle_leader_again(node: &mut Node) {
    node.become_follower(node.term().next(), None);
    settle_leader(node);
}

#[test]
fn a_cluster_of_one_reads_at_once() {
    let mut cluster = reading(1);
    cluster.campaign(1);
    cluster.raw(1).read_index(7).unwrap();
    assert_eq!(reads(&mut cluster, 1), [ReadState { context: 7, index: Index(1) }]);
}
