//! How a follower handles an append, a vote request and a heartbeat.

use super::*;
use crate::tick::Role;

/// TestFollowerCommitEntry.
#[test]
fn a_follower_commits_what_the_leader_says_is_committed_2ab() {
    for (sent, commit) in [(&[1][..], 1), (&[1, 1], 2), (&[1, 1], 1), (&[1, 1, 1], 2)] {
        let mut node = node(1, 3);
        step(&mut node, 2, 1, append(at(0, 0), sent, commit));
        assert_eq!(node.log().committed(), Index(commit));
        assert_eq!(indices(node.log().next_ents()), (1..=commit).collect::<Vec<_>>());
    }
}

/// TestFollowerCheckMessageType_MsgAppend.
#[test]
fn a_follower_refuses_an_append_that_does_not_join_its_log_2ab() {
    let cases = [
        (at(0, 0), true),
        (at(1, 1), true),
        (at(2, 2), true),
        (at(1, 2), false),
        (at(3, 3), false),
    ];
    for (prev, joins) in cases {
        let mut node = node_on(1, 3, disk(&[1, 2]));
        node.log.commit_to(Index(1));
        step(&mut node, 2, 2, append(prev, &[], 0));
        assert_eq!(node.msgs().len(), 1);
        assert_eq!(node.msgs()[0].term, Term(2));
        let (to, kind) = said(&mut node).remove(0);
        let Kind::AppendResponse { index, rejection } = kind else { panic!("{kind:?}") };
        assert_eq!((to, index, rejection.is_none()), (2, prev.index, joins), "prev {prev}");
    }
}

/// TestFollowerAppendEntries.
#[test]
fn a_follower_takes_the_leaders_entries_in_place_of_its_own_2ab() {
    // (prev, sent, log, not on disk any more)
    type Case<'a> = (Position, &'a [u64], &'a [u64], &'a [u64]);
    let cases: [Case<'_>; 4] = [
        (at(2, 2), &[3], &[1, 2, 3], &[3]),
        (at(1, 1), &[3, 4], &[1, 3, 4], &[2, 3]),
        (at(0, 0), &[1], &[1, 2], &[]),
        (at(0, 0), &[3], &[3], &[1]),
    ];
    for (prev, sent, log, unstable) in cases {
        let mut node = node_on(1, 3, disk(&[1, 2]));
        step(&mut node, 2, 4, append(prev, sent, 0));
        assert_eq!(terms(&node), log, "{sent:?} after {prev}");
        assert_eq!(indices(node.log().unstable_entries()), unstable, "{sent:?} after {prev}");
    }
}

/// TestHandleMessageType_MsgAppend.
#[test]
fn an_append_keeps_what_it_does_not_contradict_and_commits_what_it_speaks_of_2ab() {
    // (prev, sent, leader's commit) -> (log, commit, accepted), for a log of 1 2 in term 2
    type Case<'a> = (Position, &'a [u64], u64, &'a [u64], u64, bool);
    let cases: [Case<'_>; 11] = [
        // Without prev nothing is accepted.
        (at(3, 2), &[], 3, &[1, 2], 0, false),
        (at(3, 3), &[], 3, &[1, 2], 0, false),
        // With prev everything is accepted, and conflicting entries are replaced.
        (at(1, 1), &[], 1, &[1, 2], 1, true),
        (at(0, 0), &[2], 1, &[2], 1, true),
        (at(2, 2), &[2, 2], 3, &[1, 2, 2, 2], 3, true),
        (at(2, 2), &[2], 4, &[1, 2, 2], 3, true),
        (at(1, 1), &[2], 4, &[1, 2], 2, true),
        // The commit index is at most the append's last entry, and at most the leader's.
        (at(1, 1), &[], 3, &[1, 2], 1, true),
        (at(1, 1), &[2], 3, &[1, 2], 2, true),
        (at(2, 2), &[], 3, &[1, 2], 2, true),
        (at(2, 2), &[], 4, &[1, 2], 2, true),
    ];
    for (prev, sent, commit, log, committed, joins) in cases {
        let mut node = node_on(1, 3, disk(&[1, 2]));
        step(&mut node, 2, 2, append(prev, sent, commit));
        let what = format!("{sent:?} after {prev}, commit {commit}");
        assert_eq!(
            (terms(&node), node.log().committed()),
            (log.to_vec(), Index(committed)),
            "{what}"
        );
        let (_, kind) = said(&mut node).remove(0);
        let taken = matches!(kind, Kind::AppendResponse { rejection: None, .. });
        assert_eq!(taken, joins, "{what}");
    }
}

/// TestVoter.
#[test]
fn a_vote_goes_to_a_log_that_is_at_least_as_up_to_date_2ab() {
    let cases: [(&[u64], Position, bool); 9] = [
        // The last terms are equal: the longer log wins.
        (&[1], at(1, 1), true),
        (&[1], at(1, 2), true),
        (&[1, 1], at(1, 1), false),
        // The candidate's last term is newer.
        (&[1], at(2, 1), true),
        (&[1], at(2, 2), true),
        (&[1, 1], at(2, 1), true),
        // The voter's last term is newer.
        (&[2], at(1, 1), false),
        (&[2], at(1, 2), false),
        (&[2, 1 + 1], at(1, 1), false),
    ];
    for (log, last, granted) in cases {
        let mut node = node_on(1, 2, disk(log));
        step(&mut node, 2, 3, request_vote(last));
        assert_eq!(said(&mut node), [(2, vote(granted))], "{last} asks a log of {log:?}");
    }
}

/// TestRecvMessageType_MsgRequestVote.
#[test]
fn the_vote_rule_holds_in_every_role_2ab() {
    let cases: [(Role, Position, Option<u32>, bool); 20] = [
        (Role::Follower, at(0, 0), None, false),
        (Role::Follower, at(1, 0), None, false),
        (Role::Follower, at(2, 0), None, false),
        (Role::Follower, at(3, 0), None, true),
        (Role::Follower, at(0, 1), None, false),
        (Role::Follower, at(1, 1), None, false),
        (Role::Follower, at(2, 1), None, false),
        (Role::Follower, at(3, 1), None, true),
        (Role::Follower, at(0, 2), None, false),
        (Role::Follower, at(1, 2), None, false),
        (Role::Follower, at(2, 2), None, true),
        (Role::Follower, at(3, 2), None, true),
        (Role::Follower, at(2, 3), None, true),
        (Role::Follower, at(3, 3), None, true),
        (Role::Follower, at(2, 3), Some(2), true),
        (Role::Follower, at(3, 3), Some(3), false),
        (Role::Leader, at(3, 3), Some(1), false),
        (Role::Candidate, at(3, 3), Some(1), false),
        (Role::PreCandidate, at(3, 3), Some(1), false),
        (Role::Follower, at(3, 3), Some(1), false),
    ];
    for (role, last, voted, granted) in cases {
        let mut node = node_on(1, 3, disk(&[2, 2]));
        node.term = Term(3);
        node.role = role;
        node.vote = voted.map(id);
        step(&mut node, 2, 3, request_vote(last));
        assert_eq!(said(&mut node), [(2, vote(granted))], "{last} asks a {role:?} with {voted:?}");
    }
}

/// TestAllServerStepdown.
#[test]
fn every_role_steps_down_for_a_newer_term_2ab() {
    for (role, last) in [(Role::Follower, 0), (Role::Candidate, 0), (Role::Leader, 1)] {
        for (kind, lead) in [(request_vote(at(3, 9)), None), (heartbeat(0), Some(id(2)))] {
            let mut node = node(1, 3);
            match role {
                Role::Follower => node.become_follower(Term(1), None),
                Role::Leader => elect(&mut node),
                _ => node.become_candidate(),
            }
            step(&mut node, 2, 3, kind);
            assert_eq!((node.role(), node.term()), (Role::Follower, Term(3)));
            assert_eq!((node.log().last_index(), node.lead()), (Index(last), lead));
        }
    }
}

#[test]
fn a_late_copy_of_an_append_cuts_nothing_off() {
    let mut node = node(1, 3);
    step(&mut node, 2, 1, append(at(0, 0), &[1, 1, 1], 3));
    step(&mut node, 2, 1, append(at(0, 0), &[1], 1));
    assert_eq!((terms(&node), node.log().committed()), (vec![1, 1, 1], Index(3)));
    assert_eq!(said(&mut node).pop(), Some((2, accepted(1))), "it covers only its own entries");
}

#[test]
fn the_commit_index_never_moves_back() {
    let mut node = node_on(1, 3, disk(&[1, 1, 1]));
    step(&mut node, 2, 1, append(at(1, 3), &[], 3));
    step(&mut node, 2, 1, append(at(1, 3), &[], 1));
    step(&mut node, 2, 1, heartbeat(2));
    assert_eq!(node.log().committed(), Index(3));
}

#[test]
fn a_heartbeat_commits_no_further_than_the_log() {
    let mut node = node_on(1, 3, disk(&[1, 1]));
    step(&mut node, 2, 1, heartbeat(5));
    assert_eq!(node.log().committed(), Index(2));
}

#[test]
#[should_panic(expected = "committed_entries_stay")]
fn a_conflict_with_a_committed_entry_is_a_bug() {
    let mut node = node_on(1, 3, disk(&[1, 1]));
    step(&mut node, 2, 1, append(at(1, 2), &[], 2));
    step(&mut node, 3, 2, append(at(1, 1), &[2], 0));
}

#[test]
fn a_refusal_names_the_last_position_at_which_the_logs_may_agree() {
    // In the first case prev is beyond the log's end; in the others its term differs.
    let cases = [(at(9, 9), at(3, 5)), (at(2, 4), at(1, 2)), (at(1, 4), at(1, 2))];
    for (prev, hint) in cases {
        let mut node = node_on(1, 3, disk(&[1, 1, 3, 3, 3]));
        step(&mut node, 2, 9, append(prev, &[], 0));
        let expected = Kind::AppendResponse { index: prev.index, rejection: Some(hint) };
        assert_eq!(said(&mut node), [(2, expected)], "prev {prev}");
    }
}
