//! Flow control: how much is in flight to a follower.

use super::cluster::Cluster;
use super::*;
use crate::tick::{Flow, FlowControl};

const LIMITS: FlowControl = FlowControl { inflight_max: 3, append_bytes_max: 10 };

fn paced(size: u32, disk: MemoryStorage) -> Node {
    let mut node = node_with(1, size, disk, |config| config.flow_control = Some(LIMITS));
    elect(&mut node);
    node
}

/// A leader of two nodes whose follower has everything and is in `Replicate`.
fn streaming() -> Node {
    let mut node = paced(2, MemoryStorage::new());
    node.broadcast_append();
    accept(&mut node, 2, 1);
    node.take_msgs();
    node
}

/// Makes `count` proposals of five bytes and empties the outbox after each; counts the messages.
fn proposals(node: &mut Node, count: usize) -> usize {
    let sent = (0..count).map(|_| {
        node.propose(Bytes::from_static(b"12345")).unwrap();
        node.take_msgs().len()
    });
    sent.sum()
}

#[test]
fn a_leader_probes_with_one_append_at_a_time() {
    let mut node = paced(2, MemoryStorage::new());
    node.broadcast_append();
    assert_eq!(node.prs[1].flow(), Flow::Probe { sent: true });
    assert_eq!(node.take_msgs().len(), 1);
    assert_eq!(proposals(&mut node, 3), 0, "no second append before a response");
    accept(&mut node, 2, 1);
    assert_eq!(node.prs[1].flow(), Flow::Replicate);
    let counts = said(&mut node).into_iter().map(|(_, kind)| match kind {
        Kind::Append { entries, .. } => entries.len(),
        kind => panic!("{kind:?}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1], "ten bytes each at most");
}

#[test]
fn a_full_window_delays_the_next_append() {
    let mut node = streaming();
    assert_eq!(proposals(&mut node, 5), 3);
    assert_eq!(node.prs[1].inflight(), 3);
    accept(&mut node, 2, 3);
    assert_eq!(node.prs[1].inflight(), 2, "two are answered, and one more is sent");
    let sent = said(&mut node);
    assert_eq!(sent.len(), 1, "{sent:?}");
}

#[test]
fn a_heartbeat_response_frees_one_place_in_a_full_window() {
    let mut node = streaming();
    proposals(&mut node, 5);
    step(&mut node, 2, 1, Kind::HeartbeatResponse { round: 0 });
    assert_eq!(said(&mut node).len(), 1, "a lost append must not block the follower");
    assert_eq!(node.prs[1].inflight(), 3);
}

#[test]
fn an_append_keeps_to_its_byte_limit_but_has_at_least_one_entry() {
    let mut node = streaming();
    node.propose(Bytes::from_static(b"123456")).unwrap();
    node.propose(Bytes::from_static(b"1234")).unwrap();
    node.propose(Bytes::from_static(b"much more than ten")).unwrap();
    let counts: Vec<_> = said(&mut node)
        .into_iter()
        .map(|(_, kind)| if let Kind::Append { entries, .. } = kind { entries.len() } else { 0 })
        .collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(node.prs[1].inflight(), 2, "entries in one append count once");
}

#[test]
fn entries_join_an_append_in_the_outbox_up_to_its_byte_limit() {
    let mut node = streaming();
    for _ in 0..12 {
        node.propose(Bytes::from_static(b"1")).unwrap();
    }
    let counts = said(&mut node).into_iter().map(|(_, kind)| match kind {
        Kind::Append { entries, .. } => entries.len(),
        kind => panic!("{kind:?}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [10, 2]);
}

#[test]
fn after_a_refusal_the_leader_probes_from_the_last_common_entry() {
    let mut node = streaming();
    proposals(&mut node, 2);
    let refused = Kind::AppendResponse { index: Index(2), rejection: Some(at(1, 1)) };
    step(&mut node, 2, 1, refused.clone());
    assert_eq!((node.prs[1].flow(), node.prs[1].next()), (Flow::Probe { sent: true }, Index(2)));
    assert_eq!(node.take_msgs().len(), 1);
    step(&mut node, 2, 1, refused);
    assert_eq!(node.take_msgs().len(), 0, "a repeated rejection is stale");
    accept(&mut node, 2, 3);
    assert_eq!(node.prs[1].flow(), Flow::Replicate);
}

#[test]
fn a_paused_follower_learns_the_commit_index_once_it_responds() {
    let mut node = paced(3, MemoryStorage::new());
    node.broadcast_append();
    accept(&mut node, 2, 1);
    node.take_msgs();
    assert_eq!(node.log().committed(), Index(1), "S3 is paused and does not know it");
    accept(&mut node, 3, 1);
    assert_eq!(said(&mut node), [(3, append(at(1, 1), &[], 1))]);
}

#[test]
fn an_unreachable_follower_is_probed() {
    let mut node = streaming();
    proposals(&mut node, 2);
    node.report_unreachable(id(2));
    assert_eq!((node.prs[1].flow(), node.prs[1].next()), (Flow::Probe { sent: false }, Index(2)));
    assert_eq!(node.prs[1].inflight(), 0);
}

/// A leader that has just sent its follower a snapshot at 1/3.
fn sending_a_snapshot() -> Node {
    let mut disk = disk(&[1, 1, 1, 1]);
    disk.create_snapshot(Index(3), ConfState::default(), Bytes::new()).unwrap();
    disk.compact(Index(3)).unwrap();
    let mut node = paced(2, disk);
    node.broadcast_append();
    node.take_msgs();
    step(&mut node, 2, 2, Kind::AppendResponse { index: Index(4), rejection: Some(at(0, 0)) });
    let sent = said(&mut node);
    assert!(matches!(sent[..], [(2, Kind::Snapshot { .. })]), "{sent:?}");
    node
}

#[test]
fn no_append_is_sent_while_a_snapshot_is_in_flight() {
    let mut node = sending_a_snapshot();
    assert_eq!(node.prs[1].flow(), Flow::Snapshot { index: Index(3), answered: 0 });
    assert_eq!(proposals(&mut node, 3), 0);
    accept(&mut node, 2, 3);
    assert_eq!(node.prs[1].flow(), Flow::Replicate);
    assert!(!node.take_msgs().is_empty(), "the entries after the snapshot");
}

#[test]
fn an_unreachable_follower_is_not_probed_while_a_snapshot_is_in_flight() {
    let mut node = sending_a_snapshot();
    node.report_unreachable(id(2));
    assert_eq!(node.prs[1].flow(), Flow::Snapshot { index: Index(3), answered: 0 });
}

#[test]
fn a_snapshot_that_is_reported_lost_is_sent_again_after_the_next_answer() {
    let mut node = sending_a_snapshot();
    node.report_snapshot(id(2), false);
    assert_eq!(node.take_msgs(), []);
    step(&mut node, 2, 2, Kind::HeartbeatResponse { round: 0 });
    let sent = said(&mut node);
    assert!(matches!(sent[..], [(2, Kind::Snapshot { .. })]), "{sent:?}");
}

#[test]
fn a_snapshot_that_is_reported_to_have_arrived_is_probed_behind() {
    let mut node = sending_a_snapshot();
    node.report_snapshot(id(2), true);
    step(&mut node, 2, 2, Kind::HeartbeatResponse { round: 0 });
    let (_, kind) = said(&mut node).remove(0);
    assert!(matches!(kind, Kind::Append { prev, .. } if prev == at(1, 3)), "{kind:?}");
}

#[test]
fn a_lost_snapshot_that_nobody_reports_is_sent_again_in_the_end() {
    let mut cluster = Cluster::with(3, |config| config.flow_control = Some(LIMITS));
    cluster.campaign(1);
    cluster.isolate(3);
    for _ in 0..5 {
        cluster.propose(1, "x").unwrap();
    }
    cluster.compact(1, 4);
    cluster.heal();
    cluster.lose(|message| matches!(message.kind, Kind::Snapshot { .. }));
    // After the heartbeat responses of an election timeout, a probe finds the snapshot lost.
    (0..3).for_each(|_| cluster.beat(1));
    cluster.heal();
    (0..12).for_each(|_| cluster.beat(1));
    assert_eq!(cluster.commits(), [6, 6, 6]);
}

#[test]
fn a_cluster_with_flow_control_repairs_logs() {
    let disks =
        vec![disk(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]), disk(&[1, 1, 1, 2, 2, 2, 3, 3]), disk(&[1])];
    let mut cluster = Cluster::on(disks, |config| config.flow_control = Some(LIMITS));
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    assert_eq!(cluster.commits(), [12, 12, 12]);
    (2..=3).for_each(|me| assert_eq!(cluster.terms(me), cluster.terms(1), "S{me}"));
}
