//! The duties that the crate leaves to its owner, with one test for each.

use raft::storage::MemStorage;

use super::*;
use crate::api::Entry;
use crate::persister::Persisted;
use crate::tick::{ConfState, Kind, Snapshot};

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const S2: ServerId = ServerId(2);

fn started(servers: usize, persisted: Persisted) -> RaftRs {
    let chance = Chance::new(7, "election-timeout");
    RaftRs::restart(Life { me: S0, servers, persisted, chance })
}

/// Handles every `Ready`; returns the sent messages and the committed entries.
fn work(core: &mut RaftRs) -> (Vec<Message>, Vec<Entry>) {
    let (mut sent, mut committed) = (Vec::new(), Vec::new());
    while let Some(ready) = core.ready() {
        sent.extend(ready.messages);
        committed.extend(ready.committed_entries);
        core.advance();
    }
    (sent, committed)
}

/// Lets time pass until `core` starts an election; returns the number of ticks.
fn wait(core: &mut RaftRs) -> u64 {
    let term = core.status().term;
    let mut passed = 0;
    while core.status().term == term {
        core.tick();
        passed += 1;
    }
    passed
}

fn say(from: ServerId, core: &mut RaftRs, kind: Kind) -> Option<usize> {
    let term = core.status().term;
    core.step(Message { from, to: S0, term, kind })
}

/// S0 as the leader of S1 and S2, which have nothing from it yet; its no-op entry is stored.
fn leader() -> RaftRs {
    let mut core = started(3, Persisted::default());
    wait(&mut core);
    work(&mut core);
    say(S1, &mut core, Kind::RequestVoteResponse { granted: true });
    work(&mut core);
    assert!(core.status().is_leader, "two of three votes");
    core
}

fn acknowledge(core: &mut RaftRs, index: u64) {
    say(S1, core, Kind::AppendResponse { index: Index(index), rejection: None });
}

#[test]
fn election_timeouts_follow_from_our_chance() {
    let mut core = started(3, Persisted::default());
    let mut chance = Chance::new(7, "election-timeout");
    for election in 0..8 {
        let expected = u64::from(ELECTION_TICKS) + chance.below(ELECTION_TICKS.into());
        assert_eq!(wait(&mut core), expected, "election {election}");
        work(&mut core);
    }
}

#[test]
fn a_lone_server_commits_what_it_has_stored() {
    let mut core = started(1, Persisted::default());
    wait(&mut core);
    assert_eq!(core.propose("a".into()).map(|at| at.index), Some(Index(2)));
    let first = core.ready().unwrap();
    assert_eq!((first.entries.len(), first.committed_entries.len()), (2, 0), "stored first");
    core.advance();
    let rest = core.ready().unwrap();
    assert_eq!((rest.entries.len(), rest.committed_entries.len()), (0, 2), "then committed");
    core.advance();
    assert_eq!(core.ready(), None);
}

#[test]
fn only_who_leads_is_asked_for_anything() {
    let mut core = started(3, Persisted::default());
    let commit = Index(0);
    say(S1, &mut core, Kind::Heartbeat { commit, round: 0 });
    work(&mut core);
    assert_eq!(core.status().leader, Some(S1));
    assert_eq!(core.propose("a".into()), None);
    assert!(!core.read_index(1), "it follows");
    assert_eq!(work(&mut core).0, [], "nothing is passed on");
}

#[test]
fn a_read_before_the_first_commit_of_a_term_waits_for_it() {
    let mut core = leader();
    assert!(core.read_index(9), "it leads");
    work(&mut core);
    acknowledge(&mut core, 1);
    let asks = |message: &Message| matches!(message.kind, Kind::Heartbeat { round: 9, .. });
    assert!(work(&mut core).0.iter().any(asks), "the read begins once entry 1 is committed");
    say(S1, &mut core, Kind::HeartbeatResponse { round: 9 });
    let confirmed = core.ready().unwrap().read_states;
    assert_eq!(
        confirmed.iter().map(|read| (read.context, read.index)).collect::<Vec<_>>(),
        [(9, Index(1))]
    );
}

#[test]
fn the_place_of_a_response_is_told() {
    let mut core = started(3, Persisted::default());
    let vote = |last| Kind::RequestVote { last, transfer: false };
    let message = Message { from: S1, to: S0, term: Term(1), kind: vote(Position::default()) };
    assert_eq!(core.step(message), Some(0));
    assert_eq!(say(S2, &mut core, vote(Position::default())), Some(1));
    assert_eq!(say(S2, &mut core, Kind::RequestVoteResponse { granted: true }), None);
    let answers: Vec<_> = work(&mut core).0.into_iter().map(|it| (it.to, it.kind)).collect();
    let answer = |granted| Kind::RequestVoteResponse { granted };
    assert_eq!(answers, [(S1, answer(true)), (S2, answer(false))]);
}

#[test]
fn a_message_for_somebody_else_changes_nothing() {
    let mut core = started(3, Persisted::default());
    let kind = Kind::Heartbeat { commit: Index(0), round: 0 };
    assert_eq!(core.step(Message { from: S1, to: S2, term: Term(5), kind }), None);
    assert_eq!(core.status(), Status::default());
}

/// A leader whose log begins after a snapshot: S2, which has nothing, must be sent the snapshot.
fn leader_with_a_snapshot() -> RaftRs {
    let mut core = leader();
    acknowledge(&mut core, 1);
    work(&mut core);
    assert!(core.compact(Index(1), "state".into()).is_some(), "entry 1 is applied");
    core
}

fn snapshots_to(server: ServerId, sent: &[Message]) -> usize {
    let is_snapshot = |it: &&Message| it.to == server && matches!(it.kind, Kind::Snapshot { .. });
    sent.iter().filter(is_snapshot).count()
}

#[test]
fn a_lost_snapshot_is_sent_again() {
    let mut core = leader_with_a_snapshot();
    let behind = Kind::AppendResponse { index: Index(0), rejection: Some(Position::default()) };
    say(S2, &mut core, behind);
    assert_eq!(snapshots_to(S2, &work(&mut core).0), 1, "the entries are gone");
    say(S2, &mut core, Kind::HeartbeatResponse { round: 0 });
    assert_eq!(snapshots_to(S2, &work(&mut core).0), 0, "one is in flight");
    core.report_snapshot_lost(S2);
    say(S2, &mut core, Kind::HeartbeatResponse { round: 0 });
    assert_eq!(snapshots_to(S2, &work(&mut core).0), 1, "it was lost");
}

#[test]
fn a_received_snapshot_takes_the_place_of_the_log() {
    let mut core = started(3, Persisted::default());
    let position = Position { term: Term(1), index: Index(5) };
    let conf_state = ConfState { nodes: vec![S0, S1, S2] };
    let snapshot = Snapshot { position, conf_state, data: "state".into() };
    say(S1, &mut core, Kind::Snapshot { snapshot: Box::new(snapshot.clone()) });
    let ready = core.ready().unwrap();
    assert_eq!(ready.snapshot, Some(snapshot));
    assert!(ready.must_sync, "the response promises it");
    core.advance();
    assert_eq!((core.ready(), core.last_index()), (None, Index(5)));
}

#[test]
fn a_server_goes_on_where_it_stopped() {
    let position = Position { term: Term(2), index: Index(3) };
    let entry = Entry { term: Term(2), index: Index(4), data: "a".into() };
    let persisted = Persisted {
        current_term: Term(4),
        voted_for: Some(S2),
        last_included: position,
        snapshot: Some("state".into()),
        entries: vec![entry],
    };
    let mut core = started(3, persisted);
    assert_eq!((core.status().term, core.last_index()), (Term(4), Index(4)));
    assert_eq!(core.ready(), None, "what the snapshot covers is applied");
    let last = Position { term: Term(4), index: Index(4) };
    say(S1, &mut core, Kind::RequestVote { last, transfer: false });
    let refused = Kind::RequestVoteResponse { granted: false };
    assert_eq!(work(&mut core).0[0].kind, refused, "the vote was given before the restart");
}

#[test]
#[should_panic(expected = "to_commit 9 is out of range")]
fn an_inconsistency_is_a_panic_that_says_what_is_wrong() {
    let mut core = started(3, Persisted::default());
    say(S1, &mut core, Kind::Heartbeat { commit: Index(9), round: 0 });
}

/// Why `batch_append` is off: S2 is sent entry 2, which follows entry 1, as if it followed entry 3.
#[test]
fn the_crate_joins_entries_to_an_empty_append_that_they_do_not_follow() {
    let mut node = their_leader();
    // S2 was sent entry 3, and now S1 has it: an empty append must tell S2 of the commit.
    for _ in 2..=3 {
        node.propose(Vec::new(), b"x".to_vec()).unwrap();
    }
    their_work(&mut node);
    answer(&mut node, 2, 3);
    // Before that append leaves, the earlier ones to S2 turn out to be lost. The next response of
    // S2 makes the leader send the entries again.
    node.report_unreachable(3);
    let mut response = eraftpb::Message { from: 3, to: 1, term: 1, ..eraftpb::Message::default() };
    response.set_msg_type(MessageType::MsgHeartbeatResponse);
    node.step(response).unwrap();
    let sent = their_work(&mut node);
    let append = sent.iter().find(|it| it.to == 3).unwrap();
    let first = append.entries.first().unwrap().index;
    assert_eq!((append.index, first), (3, 2), "{append:?}");
}

/// Node 1 of three as a leader on the crate alone, with `batch_append`; all have its first entry.
fn their_leader() -> RawNode<MemStorage> {
    let config =
        Config { id: 1, max_size_per_msg: u64::MAX, batch_append: true, ..Config::default() };
    let disk = MemStorage::new_with_conf_state((vec![1, 2, 3], vec![]));
    let mut node = RawNode::new(&config, disk, &Logger::root(Discard, o!())).unwrap();
    node.campaign().unwrap();
    their_work(&mut node);
    let mut vote = eraftpb::Message { from: 2, to: 1, term: 1, ..eraftpb::Message::default() };
    vote.set_msg_type(MessageType::MsgRequestVoteResponse);
    node.step(vote).unwrap();
    their_work(&mut node);
    for from in [2, 3] {
        answer(&mut node, from, 1);
        their_work(&mut node);
    }
    node
}

fn answer(node: &mut RawNode<MemStorage>, from: u64, index: u64) {
    let mut response = eraftpb::Message { from, to: 1, term: 1, index, ..Default::default() };
    response.set_msg_type(MessageType::MsgAppendResponse);
    node.step(response).unwrap();
}

fn their_work(node: &mut RawNode<MemStorage>) -> Vec<eraftpb::Message> {
    let mut sent = Vec::new();
    while node.has_ready() {
        let mut ready = node.ready();
        sent.extend(ready.take_messages());
        let disk = node.store().clone();
        disk.wl().append(ready.entries()).unwrap();
        if let Some(hard_state) = ready.hs() {
            disk.wl().set_hardstate(hard_state.clone());
        }
        sent.extend(ready.take_persisted_messages());
        let mut rest = node.advance(ready);
        sent.extend(rest.take_messages());
        node.advance_apply();
    }
    sent
}
