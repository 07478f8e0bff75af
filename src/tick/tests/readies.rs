//! What a `Ready` asks of the application, and in which order.

use super::*;
use crate::tick::{ConfigError, Error, RawNode, ReadState, Ready, Role, SoftState, Storage};

type Raw = RawNode<MemoryStorage>;

fn raw(size: u32, disk: MemoryStorage) -> Raw {
    RawNode::new(Config::new(id(1), ids(size)), disk, chance(1)).unwrap()
}

/// Stores everything that `ready` asks to store.
fn store(node: &mut Raw, ready: &Ready) {
    let disk = node.storage_mut();
    if let Some(snapshot) = ready.snapshot.clone() {
        disk.apply_snapshot(snapshot).unwrap();
    }
    disk.append(ready.entries.iter().cloned());
    if let Some(hard_state) = ready.hard_state {
        disk.set_hard_state(hard_state);
    }
}

/// Takes, stores and confirms one `Ready`; returns it.
fn work(node: &mut Raw) -> Ready {
    let ready = node.ready();
    store(node, &ready);
    node.advance();
    ready
}

/// TestRawNodeStart.
#[test]
fn a_cluster_of_one_stores_and_applies_a_command_in_one_round_2ac() {
    let mut node = raw(1, MemoryStorage::new());
    node.campaign();
    work(&mut node);
    assert!(!node.has_ready(), "the election needs no second round");
    let position = node.propose(Bytes::from_static(b"x")).unwrap();
    let ready = work(&mut node);
    assert_eq!(position, at(1, 2));
    let expected = Entry { data: Bytes::from_static(b"x"), ..entry(1, 2) };
    assert_eq!(
        (&ready.entries, &ready.committed_entries),
        (&vec![expected.clone()], &vec![expected])
    );
    assert!(!node.has_ready(), "the command needs no second round");
}

/// TestRawNodeRestart.
#[test]
fn a_restarted_node_hands_out_what_is_committed_and_nothing_else_2ac() {
    let mut disk = disk(&[1, 1]);
    disk.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(1) });
    let mut node = RawNode::new(Config::new(id(1), vec![]), disk, chance(1)).unwrap();
    let expected = Ready { committed_entries: vec![entry(1, 1)], ..Ready::default() };
    assert_eq!(work(&mut node), expected);
    assert!(!node.has_ready(), "the other entry is not known to be committed");
}

/// TestRawNodeRestartFromSnapshot.
#[test]
fn a_restart_goes_on_after_the_snapshot_2c() {
    let mut disk = MemoryStorage::new();
    disk.apply_snapshot(snapshot(at(1, 2), &[1, 2])).unwrap();
    disk.append([entry(1, 3)]);
    disk.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(3) });
    let mut node = RawNode::new(Config::new(id(1), vec![]), disk, chance(1)).unwrap();
    let expected = Ready { committed_entries: vec![entry(1, 3)], ..Ready::default() };
    assert_eq!(work(&mut node), expected);
    assert!(!node.has_ready(), "there is nothing else");
    assert_eq!(node.raft().nodes().collect::<Vec<_>>(), ids(2), "the snapshot names the members");
}

#[test]
fn term_vote_and_commit_index_are_taken_over_from_the_disk() {
    let mut disk = disk(&[1, 3]);
    let hard = HardState { term: Term(4), vote: Some(id(2)), commit: Index(1) };
    disk.set_hard_state(hard);
    let node = raw(3, disk);
    assert_eq!(node.raft().hard_state(), hard);
    assert_eq!((node.raft().role(), node.raft().log().stabled()), (Role::Follower, Index(2)));
}

#[test]
fn what_was_applied_is_not_handed_out_again() {
    let mut disk = disk(&[1, 1, 1]);
    disk.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(3) });
    let config = Config { applied: Index(2), ..Config::new(id(1), ids(3)) };
    let mut node = RawNode::new(config, disk, chance(1)).unwrap();
    assert_eq!(indices(work(&mut node).committed_entries.iter()), [3]);
}

#[test]
fn a_disk_that_contradicts_itself_starts_no_node() {
    let start = |commit, applied| {
        let mut disk = disk(&[1, 1]);
        disk.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(commit) });
        let config = Config { applied: Index(applied), ..Config::new(id(1), ids(3)) };
        RawNode::new(config, disk, chance(1)).map(drop)
    };
    assert_eq!(start(2, 2), Ok(()));
    let beyond = ConfigError::CommitBeyondLog { commit: Index(3), last: Index(2) };
    assert_eq!(start(3, 0), Err(Error::Config(beyond)));
    let applied = (Index(2), Index(0), Index(1));
    let (applied, truncated, commit) = applied;
    let ahead = ConfigError::Applied { applied, truncated, commit };
    assert_eq!(start(1, 2), Err(Error::Config(ahead)));
}

#[test]
fn a_vote_is_stored_before_its_response_is_sent() {
    let mut node = raw(3, MemoryStorage::new());
    let kind = request_vote(at(0, 0));
    node.step(Message { from: id(2), to: id(1), term: Term(1), kind }).unwrap();
    let ready = work(&mut node);
    let hard = HardState { term: Term(1), vote: Some(id(2)), commit: Index(0) };
    assert_eq!((ready.hard_state, ready.must_sync), (Some(hard), true));
    assert_eq!(ready.messages.len(), 1);
    assert!(ready.messages[0].waits_for_disk(), "a server that forgets its vote can vote twice");
}

#[test]
fn a_candidacy_is_stored_before_anybody_is_asked() {
    let mut node = raw(3, MemoryStorage::new());
    node.campaign();
    let ready = work(&mut node);
    let hard = HardState { term: Term(1), vote: Some(id(1)), commit: Index(0) };
    assert_eq!((ready.hard_state, ready.must_sync), (Some(hard), true));
    assert_eq!(ready.messages.len(), 2);
    assert!(ready.messages.iter().all(Message::waits_for_disk), "{:?}", ready.messages);
}

#[test]
fn entries_are_stored_before_they_are_acknowledged() {
    let mut node = raw(3, MemoryStorage::new());
    let kind = append(at(0, 0), &[1, 1], 0);
    node.step(Message { from: id(2), to: id(1), term: Term(1), kind }).unwrap();
    let ready = work(&mut node);
    assert_eq!((indices(ready.entries.iter()), ready.must_sync), (vec![1, 2], true));
    assert!(ready.messages.iter().all(Message::waits_for_disk), "{:?}", ready.messages);
}

#[test]
fn a_leaders_appends_need_not_wait_for_its_own_disk() {
    let mut node = raw(3, MemoryStorage::new());
    node.campaign();
    work(&mut node);
    let kind = vote(true);
    node.step(Message { from: id(2), to: id(1), term: Term(1), kind }).unwrap();
    let ready = work(&mut node);
    assert_eq!((indices(ready.entries.iter()), ready.messages.len()), (vec![1], 2));
    assert!(!ready.messages.iter().any(Message::waits_for_disk), "{:?}", ready.messages);
    let soft = SoftState { lead: Some(id(1)), role: Role::Leader };
    assert_eq!(ready.soft_state, Some(soft), "the leader is told once");
    node.tick();
    assert_eq!(work(&mut node).soft_state, None);
}

#[test]
fn a_term_alone_is_worth_a_ready() {
    let mut node = raw(3, MemoryStorage::new());
    let kind = accepted(1);
    node.step(Message { from: id(2), to: id(1), term: Term(4), kind }).unwrap();
    assert!(node.has_ready(), "there is nothing but a term to store");
    let ready = work(&mut node);
    assert_eq!(ready.hard_state.map(|hard| hard.term), Some(Term(4)));
    assert!(ready.must_sync && ready.messages.is_empty(), "{ready:?}");
}

#[test]
fn a_confirmed_read_alone_is_worth_a_ready() {
    let config = Config { read_index: true, ..Config::new(id(1), ids(1)) };
    let mut node = RawNode::new(config, MemoryStorage::new(), chance(1)).unwrap();
    node.campaign();
    work(&mut node);
    node.read_index(7).unwrap();
    assert!(node.has_ready(), "there is nothing but a read to answer");
    assert_eq!(work(&mut node).read_states, [ReadState { context: 7, index: Index(1) }]);
    assert!(!node.has_ready(), "the read was handed over");
}

#[test]
fn messages_are_handed_over_once() {
    let mut node = raw(3, MemoryStorage::new());
    node.campaign();
    assert_eq!(work(&mut node).messages.len(), 2);
    assert!(!node.has_ready(), "the messages were handed over");
}

#[test]
fn a_commit_index_alone_is_stored_without_haste() {
    let mut node = raw(3, disk(&[1, 1]));
    let kind = heartbeat(2);
    node.step(Message { from: id(2), to: id(1), term: Term(1), kind }).unwrap();
    let ready = work(&mut node);
    let hard = HardState { term: Term(1), vote: None, commit: Index(2) };
    assert_eq!((ready.hard_state, ready.must_sync), (Some(hard), false));
    assert_eq!(indices(ready.committed_entries.iter()), [1, 2]);
}

#[test]
fn a_message_between_ready_and_advance_is_handled_in_the_next_ready() {
    let mut node = raw(3, MemoryStorage::new());
    let append = |prev, terms: &[u64], term| {
        let kind = append(prev, terms, 0);
        Message { from: id(2), to: id(1), term: Term(term), kind }
    };
    node.step(append(at(0, 0), &[1, 1], 1)).unwrap();
    let ready = node.ready();
    // A new leader replaces the second entry, which is being written to the disk.
    node.step(append(at(1, 1), &[2], 2)).unwrap();
    store(&mut node, &ready);
    node.advance();
    assert!(node.has_ready(), "the new entry is not on disk");
    let ready = work(&mut node);
    assert_eq!(ready.entries, [entry(1, 1), entry(2, 2)]);
    assert_eq!(ready.hard_state.map(|hard| hard.term), Some(Term(2)));
    assert_eq!((ready.messages.len(), node.storage().term(Index(2))), (1, Ok(Term(2))));
    assert!(!node.has_ready(), "now the new entry is on disk");
}

#[test]
#[should_panic(expected = "ready again before advance")]
fn a_second_ready_before_advance_panics() {
    let mut node = raw(1, MemoryStorage::new());
    node.campaign();
    node.ready();
    node.ready();
}

#[test]
fn messages_for_other_nodes_and_responses_of_unknown_nodes_are_refused() {
    let mut node = raw(3, MemoryStorage::new());
    let message =
        |from, to| Message { from: id(from), to: id(to), term: Term(1), kind: vote(true) };
    assert_eq!(node.step(message(2, 3)), Err(Error::Misdirected(id(3))));
    assert_eq!(node.step(message(9, 1)), Err(Error::PeerNotFound(id(9))));
    assert_eq!(node.raft().term(), Term(0), "nothing has changed");
}
