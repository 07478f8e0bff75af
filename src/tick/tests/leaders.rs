//! How a leader appends, sends, counts and commits entries.

use super::*;
use crate::tick::Role;

fn propose(node: &mut Node, data: &'static str) -> Position {
    node.propose(Bytes::from_static(data.as_bytes())).unwrap()
}

/// The entry of term 1 at `index` with the command `data`.
fn command(index: u64, data: &'static str) -> Entry {
    Entry { term: Term(1), index: Index(index), data: Bytes::from_static(data.as_bytes()) }
}

/// TestLeaderStartReplication.
#[test]
fn a_proposal_is_appended_and_sent_to_each_follower_once_2ab() {
    let mut node = leader(3);
    assert_eq!(propose(&mut node, "x"), at(1, 2));
    assert_eq!((node.log().last_index(), node.log().committed()), (Index(2), Index(1)));
    let entries = vec![command(2, "x")];
    let sent = Kind::Append { prev: at(1, 1), entries: entries.clone(), commit: Index(1) };
    assert_eq!(said(&mut node), [(2, sent.clone()), (3, sent)]);
    let unstable: Vec<_> = node.log().unstable_entries().skip(1).cloned().collect();
    assert_eq!(unstable, entries);
}

/// TestLeaderCommitEntry.
#[test]
fn a_majority_commits_an_entry_and_each_follower_is_told_once_2ab() {
    let mut node = leader(3);
    node.log.mark_applied(Index(1));
    propose(&mut node, "x");
    node.take_msgs();
    accept(&mut node, 2, 2);
    accept(&mut node, 3, 2);
    assert_eq!(node.log().committed(), Index(2));
    assert_eq!(node.log().next_ents().cloned().collect::<Vec<_>>(), [command(2, "x")]);
    let told = append(at(1, 2), &[], 2);
    assert_eq!(said(&mut node), [(2, told.clone()), (3, told)]);
}

/// TestLeaderAcknowledgeCommit.
#[test]
fn an_entry_is_committed_once_a_majority_has_it_2ab() {
    let cases: [(u32, &[u32], bool); 9] = [
        (1, &[], true),
        (3, &[], false),
        (3, &[2], true),
        (3, &[2, 3], true),
        (5, &[], false),
        (5, &[2], false),
        (5, &[2, 3], true),
        (5, &[2, 3, 4], true),
        (5, &[2, 3, 4, 5], true),
    ];
    for (size, acceptors, committed) in cases {
        let mut node = leader(size);
        propose(&mut node, "x");
        acceptors.iter().for_each(|from| accept(&mut node, *from, 2));
        assert_eq!(node.log().committed() == Index(2), committed, "{acceptors:?} of {size}");
    }
}

/// TestLeaderCommitPrecedingEntries.
#[test]
fn a_commit_in_the_current_term_commits_all_earlier_entries_2ab() {
    for older in [&[][..], &[2], &[1, 2], &[1]] {
        let mut disk = disk(older);
        disk.set_hard_state(HardState { term: Term(2), ..HardState::default() });
        let mut node = node_on(1, 3, disk);
        elect(&mut node);
        propose(&mut node, "x");
        let last = node.log().last_index();
        accept(&mut node, 2, last.0);
        let expected: Vec<_> = older.iter().copied().chain([3, 3]).collect();
        let next: Vec<_> = node.log().next_ents().map(|entry| entry.term.0).collect();
        assert_eq!(next, expected, "the older entries, the no-op entry, the command");
    }
}

/// TestLeaderOnlyCommitsLogFromCurrentTerm.
#[test]
fn entries_of_older_terms_are_not_committed_by_counting_2ab() {
    for (acked, committed) in [(1, 0), (2, 0), (3, 3), (4, 4)] {
        let mut disk = disk(&[1, 2]);
        disk.set_hard_state(HardState { term: Term(2), ..HardState::default() });
        let mut node = node_on(1, 3, disk);
        elect(&mut node);
        propose(&mut node, "x");
        accept(&mut node, 2, acked);
        assert_eq!(node.log().committed(), Index(committed), "up to {acked}");
    }
}

/// TestProgressLeader.
#[test]
fn a_leader_counts_its_own_copy_at_once_2ab() {
    let mut node = node(1, 2);
    elect(&mut node);
    for count in 1..=5 {
        let own = &node.prs[0];
        assert_eq!((own.matched(), own.next()), (Index(count), Index(count + 1)));
        propose(&mut node, "x");
    }
}

/// TestLeaderIncreaseNext.
#[test]
fn a_leader_advances_next_when_it_sends_entries_2ab() {
    let mut node = node_on(1, 2, disk(&[1, 1, 1]));
    settle_leader(&mut node);
    propose(&mut node, "x");
    assert_eq!(node.prs[1].next(), Index(6), "three old entries, the no-op entry, the command");
}

/// TestVoteRequest.
#[test]
fn a_candidate_asks_with_its_last_entry_and_its_new_term_2ab() {
    for (older, last) in [(&[1][..], at(1, 1)), (&[1, 2], at(2, 2))] {
        let mut node = node(1, 3);
        let term = last.term.0;
        step(&mut node, 2, term, append(at(0, 0), older, 0));
        node.take_msgs();
        while node.role() == Role::Follower {
            node.tick();
        }
        assert!(node.msgs().iter().all(|message| message.term == Term(term + 1)), "in a new term");
        assert_eq!(said(&mut node), [(2, request_vote(last)), (3, request_vote(last))]);
    }
}

/// TestOldMessages.
#[test]
fn an_append_of_an_older_term_changes_nothing_2ab() {
    let mut node = node_on(1, 3, disk(&[1, 2]));
    elect(&mut node);
    let before = terms(&node);
    step(&mut node, 2, 2, append(at(2, 2), &[2], 3));
    assert_eq!((node.role(), terms(&node)), (Role::Leader, before));
    assert_eq!(node.log().committed(), Index(0));
}

#[test]
fn proposals_are_dropped_where_nobody_leads_and_the_leader_is_named_where_known() {
    let mut follower = node(1, 3);
    let dropped = |node: &mut Node| node.propose(Bytes::new()).unwrap_err();
    let error = |leader| crate::tick::Error::ProposalDropped { leader };
    assert_eq!(dropped(&mut follower), error(None));
    step(&mut follower, 2, 1, heartbeat(0));
    follower.take_msgs();
    assert_eq!(dropped(&mut follower), error(Some(id(2))));
    follower.become_candidate();
    assert_eq!(dropped(&mut follower), error(None));
    assert_eq!((follower.log().last_index(), follower.msgs().len()), (Index(0), 0));
}

#[test]
fn a_peers_match_and_the_commit_index_never_move_back() {
    let mut node = leader(3);
    propose(&mut node, "x");
    propose(&mut node, "y");
    accept(&mut node, 2, 3);
    assert_eq!(node.log().committed(), Index(3));
    node.take_msgs();
    accept(&mut node, 2, 2);
    assert_eq!(node.prs[1].matched(), Index(3), "a late response does not move it back");
    assert_eq!((node.log().committed(), node.msgs().len()), (Index(3), 0));
    let late = Kind::AppendResponse { index: Index(2), rejection: Some(at(1, 1)) };
    step(&mut node, 2, 1, late);
    assert_eq!((node.prs[1].matched(), node.prs[1].next()), (Index(3), Index(4)));
    assert_eq!(node.msgs().len(), 0, "a stale rejection is ignored");
}

#[test]
fn a_response_of_a_node_outside_the_cluster_changes_nothing() {
    let mut node = leader(3);
    let before: Vec<_> = node.progress().cloned().collect();
    let refused = Kind::AppendResponse { index: Index(1), rejection: Some(at(0, 0)) };
    for kind in [accepted(9), refused, Kind::HeartbeatResponse { round: 9 }] {
        step(&mut node, 9, 1, kind);
    }
    assert_eq!((node.msgs(), node.log().committed()), (&[][..], Index(1)));
    assert!(node.progress().eq(&before), "the progress of a node has changed: {:?}", node.prs);
}

#[test]
fn nothing_is_remembered_of_an_earlier_leadership() {
    let mut node = leader(3);
    propose(&mut node, "x");
    accept(&mut node, 2, 2);
    node.become_follower(Term(2), Some(id(3)));
    elect(&mut node);
    assert_eq!(node.prs[1].matched(), Index(0), "another leader may have replaced it on S2 since");
    assert_eq!(node.prs[1].next(), Index(3));
    let quiet = node.prs.iter().all(|node| node.vote.is_none() && !node.recent_active);
    assert!(quiet, "no node has responded in this term");
}

#[test]
fn a_leader_can_be_told_not_to_spread_its_commit_index() {
    let config = |config: &mut Config| config.broadcast_commit = false;
    let mut node = node_with(1, 3, MemoryStorage::new(), config);
    elect(&mut node);
    accept(&mut node, 2, 1);
    assert_eq!((node.log().committed(), node.msgs().len()), (Index(1), 0));
    node.tick();
    assert_eq!(said(&mut node)[0], (2, heartbeat(1)), "the heartbeat has the commit index");
}

#[test]
fn commands_in_one_outbox_share_an_append() {
    let mut node = leader(3);
    propose(&mut node, "x");
    propose(&mut node, "y");
    let both = vec![command(2, "x"), command(3, "y")];
    let sent = Kind::Append { prev: at(1, 1), entries: both, commit: Index(1) };
    assert_eq!(said(&mut node), [(2, sent.clone()), (3, sent)]);
    propose(&mut node, "z");
    let next = Kind::Append { prev: at(1, 3), entries: vec![command(4, "z")], commit: Index(1) };
    assert_eq!(said(&mut node)[0], (2, next), "the entries already sent are not repeated");
}

#[test]
fn an_append_in_the_outbox_gets_the_new_commit_index() {
    let mut node = leader(3);
    propose(&mut node, "x");
    node.take_msgs();
    propose(&mut node, "y");
    accept(&mut node, 2, 2);
    let sent = Kind::Append { prev: at(1, 2), entries: vec![command(3, "y")], commit: Index(2) };
    assert_eq!(said(&mut node), [(2, sent.clone()), (3, sent)]);
}
