//! Snapshots of the data, cut into chunks and joined again.

use std::sync::Arc;

use redb::Durability;

use super::lives::{Life, entry, hard, put, ready};
use crate::api::{Entry, Index, Position, Term};
use crate::persister::Unsynced;
use crate::store::image::{Cutter, View};
use crate::store::{Keys, rpc::ScanArgs};
use crate::tick::{ConfState, Ready, Snapshot, Storage};

/// The storage of a server with `count` keys: one has an empty value, one has a long value.
fn with_keys(count: u64) -> Life {
    let mut life = Life::first();
    let value = |index| match index {
        1 => String::new(),
        2 => "long ".repeat(50),
        index => format!("value {index}"),
    };
    let entries: Vec<Entry> = (1..=count)
        .map(|index| {
            let data = put(&format!("key {index:03}"), &value(index), index);
            Entry { data, ..entry(1, index) }
        })
        .collect();
    life.write(&Ready {
        committed_entries: entries.clone(),
        hard_state: Some(hard(1, count)),
        ..ready(entries)
    });
    life
}

/// All chunks of what `life` has now, each of at most `max` bytes.
fn chunks(life: &Life, max: usize) -> Vec<bytes::Bytes> {
    let mut cutter = Cutter::new(Arc::new(View::now(&life.engine).unwrap()));
    let mut chunks = Vec::new();
    loop {
        let (chunk, is_last) = cutter.cut(max).unwrap();
        assert!(chunk.len() <= max, "a chunk of {} bytes", chunk.len());
        assert!(is_last || chunk.len() == max, "a chunk of {} bytes is not full", chunk.len());
        chunks.push(chunk);
        if is_last {
            return chunks;
        }
    }
}

fn everything(life: &Life) -> Vec<(String, String)> {
    let keys = Keys::Range { start: String::new(), end: None };
    life.engine.scan(&ScanArgs { keys, limit: u64::MAX }).unwrap()
}

#[test]
fn chunks_of_any_size_make_the_same_data() {
    let life = with_keys(40);
    let whole = chunks(&life, 1 << 20).concat();
    for max in [1, 7, 64, whole.len() - 1, whole.len(), whole.len() + 1] {
        let chunks = chunks(&life, max);
        assert_eq!(chunks.len(), whole.len().div_ceil(max), "chunks of {max} bytes");
        assert_eq!(chunks.concat(), whole, "chunks of {max} bytes");
    }
}

#[test]
fn data_without_a_row_are_one_empty_chunk() {
    assert_eq!(chunks(&Life::first(), 64), [bytes::Bytes::new()]);
}

#[test]
fn a_view_stays_as_it_was() {
    let mut life = with_keys(5);
    let view = Arc::new(View::now(&life.engine).unwrap());
    let before = chunks(&life, 1 << 20);
    let sixth = Entry { data: put("key 006", "later", 6), ..entry(1, 6) };
    life.write(&Ready {
        committed_entries: vec![sixth.clone()],
        hard_state: Some(hard(1, 6)),
        ..ready([sixth])
    });
    assert_eq!(view.position().index, Index(5));
    assert_eq!(Cutter::new(view).cut(1 << 20).unwrap().0, before[0]);
    assert_ne!(chunks(&life, 1 << 20), before, "a new view has the new key");
}

#[test]
fn an_installed_snapshot_replaces_log_data_and_sessions_at_once() {
    let sender = with_keys(40);
    let image = chunks(&sender, 64).concat();
    let mut life = with_keys(3);
    let old = Entry { data: put("old", "gone", 100), ..entry(1, 4) };
    life.write(&Ready {
        committed_entries: vec![old.clone()],
        hard_state: Some(hard(1, 4)),
        ..ready([old])
    });
    let position = Position { term: Term(1), index: Index(40) };
    let snapshot =
        Snapshot { position, conf_state: ConfState::default(), data: bytes::Bytes::new() };
    let ready = Ready {
        snapshot: Some(snapshot),
        hard_state: Some(hard(1, 40)),
        must_sync: true,
        ..Ready::default()
    };
    life.storage.carry_out(&ready, &image).unwrap();
    let life = life.crash(Unsynced::LoseAll);
    assert_eq!(everything(&life), everything(&sender));
    assert_eq!(chunks(&life, 64).concat(), image, "sessions too");
    let storage = &life.storage;
    assert_eq!((storage.applied(), storage.truncated()), (position, position));
    assert_eq!((storage.first_index(), storage.last_index()), (Index(41), Index(40)));
}

#[test]
fn what_is_no_image_changes_nothing() {
    let life = with_keys(3);
    let mut image = chunks(&with_keys(40), 1 << 20).concat();
    image.truncate(image.len() - 3);
    let before = everything(&life);
    let refused = life.engine.write(Durability::Immediate, |tables| tables.replace_data(&image));
    assert!(refused.is_err(), "half a row was accepted as data");
    assert_eq!(everything(&life), before);
}

#[test]
fn a_snapshot_is_the_same_as_long_as_the_log_goes_on_after_it() {
    let mut life = with_keys(5);
    let first = life.storage.snapshot().unwrap();
    assert_eq!(first.position, Position { term: Term(1), index: Index(5) });
    let sixth = Entry { data: put("a", "1", 6), ..entry(1, 6) };
    life.write(&Ready {
        committed_entries: vec![sixth.clone()],
        hard_state: Some(hard(1, 6)),
        ..ready([sixth])
    });
    assert_eq!(life.storage.snapshot().unwrap(), first, "the chunks that were sent stay useful");
    assert!(life.storage.view(first.position).is_some(), "its data are there");
    life.storage.forget_view();
    assert_eq!(life.storage.snapshot().unwrap().position.index, Index(6));
}
