//! Snapshots in place of entries, on the leader and on the follower.

use super::cluster::Cluster;
use super::*;
use crate::tick::{RawNode, Role};

/// A node that has just received a snapshot at 11/11, with members 1 and 2.
fn restored() -> Node {
    let mut node = node(1, 2);
    step(&mut node, 2, 11, snapshot_message(at(11, 11), &[1, 2]));
    node
}

/// TestRestoreSnapshot, TestRestoreFromSnapMsg.
#[test]
fn a_snapshot_replaces_the_log_2c() {
    let mut node = node(1, 2);
    step(&mut node, 2, 11, snapshot_message(at(11, 11), &[1, 2, 3]));
    let log = node.log();
    assert_eq!((log.last(), log.term(Index(11))), (at(11, 11), Ok(Term(11))));
    assert_eq!((log.committed(), log.applied(), log.stabled()), (Index(11), Index(11), Index(11)));
    assert_eq!((node.lead(), node.nodes().collect::<Vec<_>>()), (Some(id(2)), ids(3)));
    assert_eq!(said(&mut node), [(2, accepted(11))]);
}

/// TestRestoreIgnoreSnapshot.
#[test]
fn a_snapshot_of_what_is_committed_is_left_2c() {
    let mut node = node_on(1, 2, disk(&[1, 1, 1]));
    node.log.commit_to(Index(3));
    step(&mut node, 2, 1, snapshot_message(at(1, 1), &[1, 2]));
    assert_eq!((terms(&node), node.log().committed()), (vec![1, 1, 1], Index(3)));
    assert_eq!(node.log().pending_snapshot(), None);
    assert_eq!(said(&mut node), [(2, accepted(3))], "the logs agree up to the commit index");
}

#[test]
fn a_log_that_has_the_snapshots_last_entry_keeps_later_entries() {
    let mut node = node_on(1, 2, disk(&[1, 1, 1]));
    step(&mut node, 2, 1, snapshot_message(at(1, 2), &[1, 2]));
    assert_eq!((terms(&node), node.log().committed()), (vec![1, 1, 1], Index(2)));
    assert_eq!(node.log().pending_snapshot(), None);
    assert_eq!(said(&mut node), [(2, accepted(2))]);
}

#[test]
fn a_snapshot_replaces_a_conflicting_log_completely() {
    let mut node = node_on(1, 2, disk(&[1, 1, 1]));
    step(&mut node, 2, 2, snapshot_message(at(2, 2), &[1, 2]));
    assert_eq!((terms(&node), node.log().last()), (vec![], at(2, 2)));
}

/// TestProvideSnap.
#[test]
fn a_follower_that_needs_what_is_gone_is_sent_a_snapshot_2c() {
    let mut node = restored();
    elect(&mut node);
    node.prs[1].next = Index(10);
    node.propose(Bytes::from_static(b"x")).unwrap();
    let sent = said(&mut node);
    assert_eq!(sent, [(2, snapshot_message(at(11, 11), &[1, 2]))], "the pending snapshot is sent");
}

/// TestRestoreFromSnapWithOverlapingPeersMsg.
#[test]
fn a_snapshot_replaces_the_members_2c() {
    let mut node = node(3, 2);
    step(&mut node, 2, 11, snapshot_message(at(11, 11), &[2, 3, 4]));
    assert_eq!(node.nodes().collect::<Vec<_>>(), [2, 3, 4].map(id));
    assert!(node.is_promotable(), "node 3 is one of the members");
}

/// TestSlowNodeRestore.
#[test]
fn a_follower_that_was_away_for_long_catches_up_by_a_snapshot_2c() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(3);
    for _ in 0..101 {
        cluster.propose(1, "x").unwrap();
    }
    cluster.compact(1, 102);
    cluster.heal();
    cluster.beat(1);
    assert_eq!(cluster.node(3).log().truncated(), at(1, 102), "it received a snapshot");
    cluster.propose(1, "y").unwrap();
    cluster.propose(1, "z").unwrap();
    assert_eq!(cluster.commits(), [104, 104, 104]);
    assert_eq!(cluster.commands(3), ["y", "z"], "after the snapshot");
}

#[test]
fn entries_after_a_snapshot_are_sent_once_the_snapshot_has_arrived() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(3);
    for _ in 0..10 {
        cluster.propose(1, "x").unwrap();
    }
    cluster.compact(1, 6);
    cluster.heal();
    cluster.beat(1);
    assert_eq!(cluster.commits(), [11, 11, 11]);
}

#[test]
fn a_lost_snapshot_is_sent_again_after_the_next_heartbeat() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(3);
    cluster.propose(1, "x").unwrap();
    cluster.compact(1, 2);
    cluster.heal();
    cluster.lose(|message| matches!(message.kind, Kind::Snapshot { .. }));
    cluster.beat(1);
    assert_eq!(cluster.commits(), [2, 2, 1], "the snapshot was lost");
    cluster.heal();
    cluster.beat(1);
    assert_eq!(cluster.commits(), [2, 2, 2]);
}

#[test]
fn a_leader_sends_no_snapshot_until_its_storage_has_one() {
    let mut node = node_on(1, 2, {
        let mut disk = disk(&[1, 1, 1]);
        disk.compact(Index(2)).unwrap();
        disk
    });
    elect(&mut node);
    let refused = Kind::AppendResponse { index: Index(3), rejection: Some(at(0, 0)) };
    step(&mut node, 2, 2, refused);
    assert_eq!(said(&mut node), [], "there is no snapshot yet");
    node.log_mut()
        .storage_mut()
        .create_snapshot(Index(3), ConfState::default(), Bytes::new())
        .unwrap();
    step(&mut node, 2, 2, Kind::HeartbeatResponse { round: 0 });
    let sent = said(&mut node);
    assert!(matches!(sent[..], [(2, Kind::Snapshot { .. })]), "{sent:?}");
}

#[test]
fn a_snapshot_is_handed_over_once_and_stays_applied() {
    let config = Config::new(id(1), ids(2));
    let mut node = RawNode::new(config, MemoryStorage::new(), chance(1)).unwrap();
    let step = |node: &mut RawNode<MemoryStorage>, kind| {
        node.step(Message { from: id(2), to: id(1), term: Term(3), kind }).unwrap();
    };
    step(&mut node, snapshot_message(at(3, 7), &[1, 2]));
    step(&mut node, append(at(3, 7), &[3, 3], 8));
    let ready = node.ready();
    assert_eq!(ready.snapshot, Some(snapshot(at(3, 7), &[1, 2])));
    assert_eq!(indices(ready.entries.iter()), [8, 9]);
    assert_eq!(indices(ready.committed_entries.iter()), [8], "after the snapshot");
    assert!(ready.must_sync, "a snapshot that was acknowledged must stay");
    node.storage_mut().apply_snapshot(ready.snapshot.unwrap()).unwrap();
    node.storage_mut().append(ready.entries);
    node.advance();
    assert_eq!((node.has_ready(), node.raft().log().applied()), (false, Index(8)));
}

#[test]
fn memory_follows_what_the_application_compacts() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    for _ in 0..9 {
        cluster.propose(1, "x").unwrap();
    }
    let disk = cluster.raw(2).storage_mut();
    disk.create_snapshot(Index(8), ConfState::default(), Bytes::new()).unwrap();
    disk.compact(Index(8)).unwrap();
    assert_eq!(cluster.node(2).log().first_index(), Index(1), "not before the next advance");
    cluster.propose(1, "y").unwrap();
    let log = cluster.node(2).log();
    assert_eq!(
        (log.first_index(), log.truncated(), log.last_index()),
        (Index(9), at(1, 8), Index(11))
    );
}

#[test]
fn an_append_before_the_snapshots_end_is_answered_with_the_commit_index() {
    let mut node = restored();
    node.take_msgs();
    step(&mut node, 2, 11, append(at(3, 3), &[3, 3], 4));
    assert_eq!(said(&mut node), [(2, accepted(11))]);
}

#[test]
fn a_restarted_node_continues_from_its_disk() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    cluster.restart(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Follower, Term(1)));
    cluster.tick(1, 20);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(2)));
    cluster.propose(1, "y").unwrap();
    (1..=3).for_each(|me| assert_eq!(cluster.commands(me), ["x", "y"], "S{me}"));
}
