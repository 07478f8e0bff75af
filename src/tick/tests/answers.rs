//! How terms spread: responses to messages of an older term, and responses with a newer term.

use super::*;
use crate::tick::Role;

#[test]
fn a_sender_in_an_older_term_learns_the_newer_one() {
    let requests = [
        append(at(0, 0), &[], 0),
        heartbeat(0),
        request_vote(at(9, 9)),
        snapshot_message(at(1, 9), &[1, 2, 3]),
        Kind::RequestPreVote { last: at(9, 9) },
    ];
    for kind in requests {
        let mut node = node(1, 3);
        node.become_follower(Term(5), None);
        step(&mut node, 2, 3, kind.clone());
        assert_eq!(node.msgs().len(), 1, "{kind:?}");
        let answer = node.msgs()[0].clone();
        assert_eq!((answer.to, answer.term), (id(2), Term(5)), "{kind:?}");
        assert!(answer.is_response(), "{kind:?} got {answer:?}");
        let no = matches!(
            answer.kind,
            Kind::AppendResponse { rejection: Some(_), .. }
                | Kind::HeartbeatResponse { .. }
                | Kind::RequestVoteResponse { granted: false }
                | Kind::RequestPreVoteResponse { granted: false }
        );
        assert!(no, "{kind:?} got {answer:?}");
        assert_eq!((node.log().last_index(), node.vote()), (Index(0), None), "{kind:?}");
    }
}

#[test]
fn responses_of_an_older_term_get_no_response() {
    for kind in [accepted(1), vote(true), Kind::HeartbeatResponse { round: 0 }] {
        let mut node = node(1, 3);
        node.become_follower(Term(5), None);
        step(&mut node, 2, 3, kind.clone());
        assert_eq!(node.msgs(), [], "{kind:?}");
    }
}

#[test]
fn a_newer_term_in_an_answer_ends_the_office() {
    for kind in [accepted(1), vote(false), Kind::HeartbeatResponse { round: 0 }] {
        let mut node = leader(3);
        step(&mut node, 2, 7, kind.clone());
        let shown = (node.role(), node.term(), node.vote(), node.lead());
        assert_eq!(shown, (Role::Follower, Term(7), None, None), "{kind:?}");
    }
}

#[test]
fn an_answer_of_an_older_term_teaches_nothing() {
    let mut node = leader(3);
    node.propose(Bytes::from_static(b"x")).unwrap();
    node.become_follower(Term(2), None);
    elect(&mut node);
    let term = node.term().0;
    step(&mut node, 2, term - 1, accepted(3));
    assert_eq!((node.prs[1].matched(), node.log().committed()), (Index(0), Index(1)));
}

#[test]
fn an_isolated_node_in_a_newer_term_is_freed_by_its_own_vote_requests() {
    let mut cluster = super::cluster::Cluster::new(3);
    cluster.campaign(1);
    cluster.isolate(3);
    (0..5).for_each(|_| cluster.campaign(3));
    cluster.propose(1, "x").unwrap();
    cluster.heal();
    cluster.beat(1);
    assert_eq!(cluster.node(1).role(), Role::Follower, "S3's response deposed the leader");
    cluster.campaign(1);
    assert_eq!((cluster.node(1).role(), cluster.node(1).term()), (Role::Leader, Term(7)));
    assert_eq!(cluster.commands(3), ["x"]);
}
