//! The sender of a snapshot; the test decides the outcome of each call.

use std::sync::Arc;

use bytes::Bytes;

use super::lives::{Life, entry, hard, put, ready};
use crate::api::{Entry, Position, ServerId, Term};
use crate::store::StoreConfig;
use crate::store::image::View;
use crate::store::rpc::ChunkReply;
use crate::store::sending::{Action, ChunkCall, Sending};
use crate::tick::{ConfState, Kind, Message, Ready, Snapshot};

const TO: ServerId = ServerId(1);

const CONFIG: StoreConfig =
    StoreConfig { log_gc_limit: None, chunk_bytes: 10, chunks_in_flight: 2 };

/// The data of a life with four keys and one session: 51 bytes, so six chunks.
fn view() -> Arc<View> {
    let mut life = Life::first();
    let entries: Vec<Entry> = (1..=4)
        .map(|index| Entry { data: put(&format!("key {index}"), "1234", index), ..entry(1, index) })
        .collect();
    life.write(&Ready {
        committed_entries: entries.clone(),
        hard_state: Some(hard(1, 4)),
        ..ready(entries)
    });
    Arc::new(View::now(&life.engine).unwrap())
}

fn message(position: Position) -> Message {
    let snapshot = Snapshot { position, conf_state: ConfState::default(), data: Bytes::new() };
    let kind = Kind::Snapshot { snapshot: Box::new(snapshot) };
    Message { from: ServerId(0), to: TO, term: Term(2), kind }
}

/// A sender that has begun to send a snapshot, and the calls that it wants made.
fn begun() -> (Sending, Arc<View>, Vec<ChunkCall>) {
    let (mut sending, view) = (Sending::new(CONFIG), view());
    let calls = calls(sending.begin(message(view.position()), view.clone()).unwrap());
    (sending, view, calls)
}

/// The chunks to be sent. Fails on any other action.
fn calls(actions: Vec<Action>) -> Vec<ChunkCall> {
    let call = |action| match action {
        Action::Send(call) => call,
        other => panic!("not a chunk: {other:?}"),
    };
    actions.into_iter().map(call).collect()
}

fn numbers(calls: &[ChunkCall]) -> Vec<u64> {
    calls.iter().map(|call| call.args.number).collect()
}

/// Receives all chunks, and answers each with the number of chunks received. Returns the chunks
/// joined, and the actions after the last one.
fn take_all(sending: &mut Sending, first: Vec<ChunkCall>) -> (Vec<u8>, Vec<Action>) {
    let (mut queue, mut joined) = (std::collections::VecDeque::from(first), Vec::new());
    let mut next = 0;
    while let Some(call) = queue.pop_front() {
        assert_eq!(call.args.number, next, "chunks go in order");
        joined.extend_from_slice(&call.args.data);
        next += 1;
        let actions = sending.on_chunk(&call, Some(ChunkReply::Wants(next))).unwrap();
        if call.args.is_last {
            return (joined, actions);
        }
        queue.extend(calls(actions));
    }
    panic!("the last chunk never came");
}

#[test]
fn all_chunks_go_a_few_at_a_time_and_then_the_message() {
    let (mut sending, view, first) = begun();
    assert_eq!(numbers(&first), [0, 1], "as many as may be in flight");
    let (joined, actions) = take_all(&mut sending, first);
    let whole = crate::store::image::Cutter::new(view).cut(1 << 20).unwrap().0;
    assert_eq!(joined, whole);
    assert!(matches!(actions[..], [Action::Deliver(_)]), "{actions:?}");
}

#[test]
fn a_lost_chunk_is_sent_again_until_too_many_are_lost_in_a_row() {
    let (mut sending, _, first) = begun();
    let mut lost = first[0].clone();
    let mut sent = 0;
    loop {
        let actions = sending.on_chunk(&lost, None).unwrap();
        match &actions[..] {
            [Action::Send(again)] => {
                assert_eq!(again.args, lost.args);
                lost = again.clone();
                sent += 1;
            }
            [Action::GiveUp(TO)] => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(sent, super::super::config::CHUNK_LOSSES_MAX);
    assert_eq!(sending.usage().chunks_resent, u64::from(sent));
    assert_eq!(sending.position(TO), None, "it is no longer being sent");
}

/// Loses the chunk of `call` until the snapshot is given up.
fn give_up(sending: &mut Sending, mut call: ChunkCall) {
    loop {
        let mut actions = sending.on_chunk(&call, None).unwrap();
        match actions.pop() {
            Some(Action::Send(again)) => call = again,
            Some(Action::GiveUp(_)) => return,
            other => panic!("unexpected: {other:?}"),
        }
    }
}

#[test]
fn a_snapshot_that_was_given_up_goes_on_where_it_was() {
    let (mut sending, view, first) = begun();
    let more = calls(sending.on_chunk(&first[0], Some(ChunkReply::Wants(1))).unwrap());
    assert_eq!(numbers(&more), [2]);
    give_up(&mut sending, first[1].clone());
    let again = calls(sending.begin(message(view.position()), view).unwrap());
    assert_eq!(numbers(&again), [1, 2], "chunk 0 has arrived");
    assert!(sending.on_chunk(&first[1], None).unwrap().is_empty(), "an earlier attempt's");
}

#[test]
fn a_follower_that_forgot_what_it_had_is_sent_all_of_it() {
    let (mut sending, _, first) = begun();
    let more = calls(sending.on_chunk(&first[0], Some(ChunkReply::Wants(1))).unwrap());
    let anew = calls(sending.on_chunk(&more[0], Some(ChunkReply::Wants(0))).unwrap());
    assert_eq!(numbers(&anew), [0, 1]);
    take_all(&mut sending, anew);
}

#[test]
fn a_late_answer_does_not_look_like_a_follower_that_forgot() {
    let (mut sending, _, first) = begun();
    calls(sending.on_chunk(&first[1], Some(ChunkReply::Wants(2))).unwrap());
    let more = calls(sending.on_chunk(&first[0], Some(ChunkReply::Wants(1))).unwrap());
    assert!(more.is_empty(), "the answer to chunk 0 left before that to chunk 1: {more:?}");
}

#[test]
fn a_chunk_that_the_follower_asks_for_is_sent_though_it_was_answered() {
    let (mut sending, _, first) = begun();
    // Chunk 1 came first, and was lost in a crash before chunk 0 came.
    assert!(
        sending.on_chunk(&first[1], Some(ChunkReply::Wants(0))).unwrap().is_empty(),
        "0 is in flight"
    );
    let again = calls(sending.on_chunk(&first[0], Some(ChunkReply::Wants(1))).unwrap());
    assert_eq!(numbers(&again), [1, 2]);
}

#[test]
fn after_a_lost_message_the_last_chunk_asks_what_is_still_there() {
    let (mut sending, view, first) = begun();
    take_all(&mut sending, first);
    sending.on_delivered(TO, view.position(), false);
    let probe = calls(sending.begin(message(view.position()), view.clone()).unwrap());
    assert_eq!(probe.len(), 1, "{probe:?}");
    assert!(probe[0].args.is_last, "{probe:?}");
    let anew = calls(sending.on_chunk(&probe[0], Some(ChunkReply::Wants(0))).unwrap());
    let (_, actions) = take_all(&mut sending, anew);
    assert!(matches!(actions[..], [Action::Deliver(_)]), "{actions:?}");
    sending.on_delivered(TO, view.position(), true);
    assert!(sending.is_empty(), "done");
    assert_eq!(sending.usage().snapshots_sent, 1);
}

#[test]
fn who_has_it_all_is_sent_the_message_and_who_has_newer_nothing() {
    let (mut sending, _, first) = begun();
    let actions = sending.on_chunk(&first[0], Some(ChunkReply::Has)).unwrap();
    assert!(matches!(actions[..], [Action::Deliver(_)]), "{actions:?}");
    let (mut sending, _, first) = begun();
    let actions = sending.on_chunk(&first[0], Some(ChunkReply::Stale)).unwrap();
    assert!(matches!(actions[..], [Action::GiveUp(TO)]), "{actions:?}");
    assert!(sending.is_empty(), "there is nothing to continue");
}
