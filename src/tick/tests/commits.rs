//! Replication from end to end, with several nodes.

use super::cluster::Cluster;
use super::*;
use crate::tick::Role;

/// TestLogReplication.
#[test]
fn every_node_applies_the_commands_of_both_leaders_2ab() {
    let mut cluster = Cluster::new(3);
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    assert_eq!(cluster.commits(), [2, 2, 2]);
    cluster.campaign(2);
    cluster.propose(2, "y").unwrap();
    assert_eq!(cluster.commits(), [4, 4, 4]);
    for me in 1..=3 {
        assert_eq!(cluster.commands(me), ["x", "y"], "S{me}");
        assert_eq!(cluster.terms(me), [1, 1, 2, 2], "S{me}");
    }
}

/// TestSingleNodeCommit.
#[test]
fn a_cluster_of_one_commits_alone_2ab() {
    let mut cluster = Cluster::new(1);
    cluster.campaign(1);
    cluster.propose(1, "x").unwrap();
    cluster.propose(1, "y").unwrap();
    assert_eq!(cluster.commits(), [3]);
}

/// TestCommitWithoutNewTermEntry.
#[test]
fn a_new_leader_commits_older_entries_without_a_new_command_2ab() {
    let mut cluster = Cluster::new(5);
    cluster.campaign(1);
    (3..=5).for_each(|other| cluster.cut(1, other));
    cluster.propose(1, "x").unwrap();
    cluster.propose(1, "y").unwrap();
    assert_eq!(cluster.node(1).log().committed(), Index(1));
    cluster.heal();
    cluster.campaign(2);
    assert_eq!(cluster.commits(), [4; 5], "S2's no-op entry commits the older ones");
    assert_eq!(cluster.commands(5), ["x", "y"]);
}

/// TestCommitWithHeartbeat.
#[test]
fn a_heartbeats_answer_brings_a_follower_up_to_date_2ab() {
    let mut cluster = Cluster::new(5);
    cluster.campaign(1);
    cluster.isolate(5);
    cluster.propose(1, "x").unwrap();
    cluster.propose(1, "y").unwrap();
    assert_eq!(cluster.commits(), [3, 3, 3, 3, 1]);
    cluster.heal();
    cluster.beat(1);
    assert_eq!(cluster.commits(), [3; 5]);
}

/// TestDuelingCandidates.
#[test]
fn a_candidate_with_a_shorter_log_only_costs_the_leader_its_term_2ab() {
    let mut cluster = Cluster::new(3);
    cluster.cut(1, 3);
    cluster.campaign(1);
    cluster.campaign(3);
    assert_eq!(cluster.node(1).role(), Role::Leader);
    assert_eq!(cluster.node(3).role(), Role::Candidate, "S2 has voted, and nothing comes from S1");
    cluster.heal();
    cluster.campaign(3);
    for (me, log) in [(1, &[1][..]), (2, &[1]), (3, &[])] {
        let node = cluster.node(me);
        assert_eq!((node.role(), node.term()), (Role::Follower, Term(2)), "S{me}");
        assert_eq!(cluster.terms(me), log, "S{me}");
    }
}

/// TestCandidateConcede.
#[test]
fn a_candidate_concedes_and_catches_up_2ab() {
    let mut cluster = Cluster::new(3);
    cluster.isolate(1);
    cluster.campaign(1);
    cluster.campaign(3);
    cluster.heal();
    cluster.beat(3);
    cluster.propose(3, "x").unwrap();
    cluster.beat(3);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Follower, Term(1)));
    assert_eq!(cluster.commits(), [2, 2, 2]);
    (1..=3).for_each(|me| assert_eq!(cluster.commands(me), ["x"], "S{me}"));
}

/// TestProposal.
#[test]
fn a_command_commits_with_a_majority_and_is_not_even_taken_without_a_leader_2ab() {
    let cases: [(u32, &[u32], bool); 5] = [
        (3, &[], true),
        (3, &[3], true),
        (3, &[2, 3], false),
        (4, &[2, 3], false),
        (5, &[2, 3], true),
    ];
    for (size, dead, works) in cases {
        let mut cluster = Cluster::new(size);
        dead.iter().for_each(|me| cluster.isolate(*me));
        cluster.campaign(1);
        assert_eq!(cluster.propose(1, "x").is_ok(), works, "{size} nodes, {dead:?} dead");
        let log: &[u64] = if works { &[1, 1] } else { &[] };
        for me in (1..=size).filter(|me| !dead.contains(me)) {
            assert_eq!(cluster.terms(me), log, "S{me}");
            assert_eq!(cluster.node(me).log().committed().0, log.len() as u64, "S{me}");
        }
    }
}

/// TestHeartbeatUpdateCommit.
#[test]
fn a_heartbeat_does_not_commit_what_a_deposed_leader_has_in_that_place_2ab() {
    for (failed, succeeded) in [(1, 1), (5, 3), (5, 10)] {
        let mut cluster = Cluster::new(5);
        cluster.campaign(1);
        cluster.propose(1, "x").unwrap();
        cluster.isolate(1);
        for _ in 0..failed {
            cluster.propose(1, "lost").unwrap();
        }
        cluster.campaign(2);
        for _ in 0..succeeded {
            cluster.propose(2, "kept").unwrap();
        }
        cluster.heal();
        cluster.lose(|message| matches!(message.kind, Kind::Append { .. }));
        cluster.beat(2);
        assert_eq!(cluster.node(1).log().committed(), Index(2), "{failed} lost, {succeeded} kept");
        cluster.heal();
        cluster.beat(2);
        assert!(
            !cluster.commands(1).contains(&Bytes::from_static(b"lost")),
            "applied a lost command"
        );
        assert_eq!(cluster.commits(), [3 + succeeded; 5]);
    }
}

/// TestLeaderElectionOverwriteNewerLogs.
#[test]
fn a_leader_overwrites_newer_entries_that_were_never_committed_2ab() {
    // S1 and S2 have an entry of term 1, S3 has one of term 2; S4 and S5 voted for S3 in term 2.
    let voted = || {
        let mut disk = MemoryStorage::new();
        disk.set_hard_state(HardState { term: Term(2), vote: Some(id(3)), commit: Index(0) });
        disk
    };
    let mut cluster =
        Cluster::on(vec![disk(&[1]), disk(&[1]), disk(&[2]), voted(), voted()], |_| {});
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Follower, Term(2)));
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(3)));
    (1..=5).for_each(|me| assert_eq!(cluster.terms(me), [1, 3], "S{me}"));
}

/// TestLeaderSyncFollowerLog: the followers (a) to (f) of Figure 7.
#[test]
fn a_leader_repairs_every_log_of_figure_7_2ab() {
    let ours = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let theirs: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for log in theirs {
        let mut first = disk(&ours);
        first.set_hard_state(HardState { term: Term(8), vote: None, commit: Index(10) });
        let mut second = disk(log);
        second.set_hard_state(HardState { term: Term(7), ..HardState::default() });
        let mut cluster = Cluster::on(vec![first, second, MemoryStorage::new()], |_| {});
        // The third node only votes: it receives nothing else.
        cluster.lose(|message| {
            message.to == id(3) && !matches!(message.kind, Kind::RequestVote { .. })
        });
        cluster.campaign(1);
        cluster.propose(1, "x").unwrap();
        assert_eq!(cluster.terms(2), [&ours[..], &[9, 9]].concat(), "was {log:?}");
        assert_eq!(cluster.commits(), [12, 12, 0], "was {log:?}");
    }
}

/// Figure 8, (a) to (d): S1 must not commit its old entry by counting copies, since S5 may still
/// win.
#[test]
fn an_old_entry_on_a_majority_is_not_committed_in_figure_8() {
    let logs: [&[u64]; 5] = [&[1, 2], &[1, 2], &[1], &[1], &[1, 3]];
    let disks = logs.into_iter().map(disk).collect();
    let mut cluster = Cluster::on(disks, |_| {});
    // (c) S1 leads again, and its entry of term 2 reaches S3; the entry of its own term reaches no
    // other node.
    cluster.isolate(5);
    cluster.lose(|message| match &message.kind {
        Kind::Append { entries, .. } => entries.iter().any(|entry| entry.term > Term(2)),
        _ => false,
    });
    cluster.campaign(1);
    cluster.campaign(1);
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(3)));
    let whole = |kind: &Kind| matches!(kind, Kind::Append { .. });
    assert!(cluster.delivered.iter().all(|message| !whole(&message.kind)), "no append arrived");
    let kind = append(at(1, 1), &[2], 0);
    for to in [2, 3] {
        let message = Message { from: id(1), to: id(to), term: Term(3), kind: kind.clone() };
        cluster.raw(to).step(message).unwrap();
    }
    cluster.settle();
    assert_eq!(cluster.terms(3), [1, 2], "a majority has the entry of term 2");
    assert_eq!(cluster.node(1).log().committed(), Index(0), "but it is not committed");
    // (d) So S5 may win, and overwrite it.
    cluster.heal();
    cluster.isolate(1);
    cluster.campaign(5);
    cluster.campaign(5);
    assert_eq!(cluster.node(5).role(), Role::Leader);
    let log = cluster.terms(5);
    (2..=4).for_each(|me| assert_eq!(cluster.terms(me), log, "S{me}"));
}
