//! Tests of the storage's contract: the order of writes, syncs, crashes, sizes and watches.
//!
//! `damage.rs` has the tests of damaged files, and `model.rs` compares the storage with a model.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod damage;
mod model;

use std::sync::Arc;

use bytes::Bytes;
use raftlab::api::{Entry, Index, Position, ServerId, Term};
use raftlab::persister::{Persisted, Persister, Unsynced, Watch, Write};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::{self, Clock, RunConfig};

raftlab::guard!();

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), data: format!("{term}/{index}").into() }
}

fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// Synced storage with a log of one entry per term, from index 1.
fn with_log(terms: &[u64]) -> Persister {
    let persister = Persister::new();
    for (index, term) in (1..).zip(terms) {
        persister.append(&[entry(*term, index)]);
    }
    persister.sync().unwrap();
    persister
}

/// Terms of the log that a crash would leave now.
fn terms(persister: &Persister) -> Vec<u64> {
    persister.load().unwrap().entries.iter().map(|entry| entry.term.0).collect()
}

#[test]
fn what_was_never_synced_is_the_default() {
    let persister = Persister::new();
    assert_eq!(persister.load().unwrap(), Persisted::default());
    persister.save_vote(Term(1), Some(ServerId(0)));
    persister.append(&[entry(1, 1)]);
    persister.save_snapshot(at(1, 1), "state".into());
    assert_eq!(persister.load().unwrap(), Persisted::default());
    assert_eq!(persister.durable_vote(), (Term(0), None));
    assert_eq!(persister.durable_last(), at(0, 0));
    assert_eq!(persister.snapshot_size(), 0);
}

#[test]
fn what_was_synced_comes_back_whole() {
    let persister = with_log(&[1, 1, 2]);
    persister.save_vote(Term(3), Some(ServerId(4)));
    persister.save_snapshot(at(1, 2), "state".into());
    persister.sync().unwrap();
    let whole = Persisted {
        current_term: Term(3),
        voted_for: Some(ServerId(4)),
        last_included: at(1, 2),
        snapshot: Some("state".into()),
        entries: vec![entry(2, 3)],
    };
    assert_eq!(persister.load().unwrap(), whole);
    assert_eq!(persister.crash(Unsynced::LoseAll).load().unwrap(), whole);
}

#[test]
fn append_replaces_the_log_from_its_first_index_on() {
    let persister = with_log(&[1, 1, 1, 1]);
    persister.append(&[entry(2, 2), entry(2, 3)]);
    assert_eq!(terms(&persister), [1, 1, 1, 1], "not synced yet");
    persister.sync().unwrap();
    assert_eq!(terms(&persister), [1, 2, 2]);
    persister.append(&[]);
    persister.sync().unwrap();
    assert_eq!(terms(&persister), [1, 2, 2], "nothing was appended");
}

#[test]
#[should_panic(expected = "leaves a gap")]
fn append_after_a_gap_panics() {
    with_log(&[1, 1]).append(&[entry(1, 4)]);
}

#[test]
#[should_panic(expected = "not consecutive")]
fn append_with_a_gap_inside_panics() {
    with_log(&[1, 1]).append(&[entry(1, 3), entry(1, 5)]);
}

#[test]
#[should_panic(expected = "overwrites the snapshot")]
fn append_within_the_snapshot_panics() {
    let persister = with_log(&[1, 1, 1]);
    persister.save_snapshot(at(1, 2), Bytes::new());
    persister.append(&[entry(2, 2)]);
}

#[test]
#[should_panic(expected = "leaves a gap")]
fn append_sees_the_unsynced_writes_before_it() {
    let persister = with_log(&[1, 1, 1]);
    persister.append(&[entry(2, 1)]);
    persister.append(&[entry(2, 3)]);
}

#[test]
#[should_panic(expected = "leaves a gap")]
fn append_after_a_log_that_a_snapshot_dropped_panics() {
    let persister = with_log(&[1, 1, 1, 1]);
    persister.save_snapshot(at(2, 2), Bytes::new());
    persister.append(&[entry(2, 5)]);
}

#[test]
fn snapshot_keeps_the_suffix_only_if_its_term_is_there() {
    for (term, kept) in [(1, vec![2, 2]), (2, vec![])] {
        let persister = with_log(&[1, 1, 2, 2]);
        persister.save_snapshot(at(term, 2), "state".into());
        persister.sync().unwrap();
        assert_eq!(terms(&persister), kept, "snapshot at {term}/2");
        assert_eq!(persister.durable_snapshot(), at(term, 2));
        persister.append(&[entry(3, 3 + kept.len() as u64)]);
    }
}

#[test]
fn snapshot_beyond_the_log_drops_it() {
    let persister = with_log(&[1, 1]);
    persister.save_snapshot(at(1, 9), "state".into());
    persister.append(&[entry(2, 10)]);
    persister.sync().unwrap();
    assert_eq!(persister.load().unwrap().entries, [entry(2, 10)]);
    assert_eq!(persister.durable_last(), at(2, 10));
}

#[test]
fn snapshot_judges_the_log_as_written_not_as_synced() {
    let persister = with_log(&[1, 1, 1]);
    persister.append(&[entry(2, 2), entry(2, 3)]);
    persister.save_snapshot(at(1, 2), "state".into());
    persister.sync().unwrap();
    assert_eq!(terms(&persister), [0_u64; 0], "the entry at 2 had term 2");
}

#[test]
fn durable_term_answers_from_the_snapshots_end_to_the_logs() {
    let persister = with_log(&[1, 2, 3, 3]);
    persister.save_snapshot(at(2, 2), "state".into());
    persister.sync().unwrap();
    persister.append(&[entry(4, 5)]);
    let found: Vec<Option<u64>> =
        (0..6).map(|index| persister.durable_term(Index(index)).map(|term| term.0)).collect();
    assert_eq!(found, [None, None, Some(2), Some(3), Some(3), None]);
    assert_eq!(persister.durable_term(Index(u64::MAX)), None);
}

#[test]
fn sizes_follow_the_log_down_again() {
    let persister = with_log(&[1; 100]);
    let full = persister.raft_state_size();
    persister.save_snapshot(at(1, 95), vec![7; 300].into());
    persister.sync().unwrap();
    let small = persister.raft_state_size();
    assert!(small < full / 10, "five of a hundred entries left: {small} of {full} bytes");
    assert_eq!(persister.snapshot_size(), 300, "the service's bytes and no others");
    persister.append(&[entry(2, 96)]);
    persister.sync().unwrap();
    assert!(persister.raft_state_size() < small, "four entries dropped, one added");
}

#[test]
fn an_entry_costs_at_most_ten_bytes_beside_its_data() {
    let persister = Persister::new();
    let empty = persister.raft_state_size();
    let data = Bytes::from(vec![7; 100]);
    persister.append(&[Entry { term: Term(100), index: Index(1), data }]);
    persister.sync().unwrap();
    let cost = persister.raft_state_size() - empty - 100;
    assert!(cost <= 10, "{cost} bytes besides the data");
    assert!(empty <= 10, "{empty} bytes of term and vote");
}

#[test]
fn a_crash_keeps_what_was_synced_and_what_it_is_told() {
    for (keep, left) in [(Unsynced::LoseAll, vec![1]), (Unsynced::KeepAll, vec![1, 2])] {
        let persister = with_log(&[1]);
        persister.append(&[entry(2, 2)]);
        assert_eq!(terms(&persister.crash(keep)), left, "{keep:?}");
    }
}

#[test]
fn a_dead_instance_writes_into_the_void_and_does_not_notice() {
    let old = with_log(&[1]);
    let clone = old.clone();
    let new = old.crash(Unsynced::LoseAll);
    for handle in [&old, &clone] {
        handle.save_vote(Term(9), None);
        handle.append(&[entry(9, 2)]);
        handle.save_snapshot(at(9, 2), "late".into());
        handle.sync().unwrap();
    }
    assert_eq!(new.load().unwrap().entries, [entry(1, 1)]);
    assert_eq!(new.durable_vote(), (Term(0), None));
    assert_eq!(terms(&old), [1], "the dead instance still sees only its synced log");
    new.append(&[entry(2, 2)]);
    new.sync().unwrap();
    assert_eq!((terms(&new), terms(&old)), (vec![1, 2], vec![1]), "the lives share nothing");
}

#[test]
#[should_panic(expected = "crashes again")]
fn one_life_crashes_once() {
    let persister = Persister::new();
    let _next = persister.crash(Unsynced::LoseAll);
    let _other = persister.crash(Unsynced::LoseAll);
}

/// In a run with `seed`: writes nine entries and crashes, thirty times. The run's random numbers
/// choose how many writes a crash keeps. Returns these counts.
fn drawn(clock: Clock, seed: u64) -> Vec<usize> {
    let config = RunConfig { clock, seed, ..RunConfig::default() };
    let outcome = runtime::run(&config, || {
        let keep = |_| {
            let persister = Persister::new();
            (1..=9).for_each(|index| persister.append(&[entry(1, index)]));
            persister.crash(Unsynced::Draw).load().unwrap().entries.len()
        };
        (0..30).map(keep).collect()
    });
    outcome.result.unwrap()
}

#[test]
fn a_drawn_crash_keeps_a_prefix_that_the_seed_chooses() {
    assert_eq!(drawn(Clock::Virtual, 1), drawn(Clock::Real, 1), "a function of the seed alone");
    assert_ne!(
        drawn(Clock::Virtual, 1),
        drawn(Clock::Virtual, 2),
        "two seeds gave the same crashes"
    );
    let kept = drawn(Clock::Virtual, 3);
    for count in 0..=9 {
        let times = kept.iter().filter(|kept| **kept == count).count();
        assert!(times < 15, "half of the crashes keep the same number of writes: {kept:?}");
    }
    assert!(kept.contains(&0) && kept.contains(&9), "0 and 9 writes must both occur: {kept:?}");
}

#[test]
fn storage_is_invisible_to_the_schedule() {
    let points = |writes: u64| {
        let outcome = runtime::run(&RunConfig::default(), move || {
            let persister = Persister::new();
            for index in 1..=writes {
                persister.append(&[entry(1, index)]);
                persister.sync().unwrap();
                persister.load().unwrap();
            }
            let _next = persister.crash(Unsynced::Draw);
        });
        (outcome.points, outcome.hash, outcome.elapsed)
    };
    assert_eq!(points(0), points(100), "writing passed scheduling points or took time");
}

/// Notes each write, and the end of the durable log at that moment.
#[derive(Default)]
struct Notes(Quiet<Vec<String>>, Quiet<Option<Persister>>);

impl Watch for Notes {
    fn wrote(&self, write: &Write<'_>) {
        let persister = self.1.with(|persister| persister.clone().unwrap());
        let line = match write {
            Write::Vote { term, .. } => format!("vote {term}"),
            Write::Append(entries) => format!("append {}", entries.len()),
            Write::Snapshot(last_included) => format!("snapshot {last_included}"),
            Write::Synced => "synced".to_string(),
        };
        let durable = persister.durable_last();
        self.0.with(|lines| lines.push(format!("{line}, durable to {durable}")));
    }
}

#[test]
fn a_watch_sees_every_write_of_its_life_and_may_ask() {
    let persister = Persister::new();
    let notes = Arc::new(Notes::default());
    notes.1.with(|slot| *slot = Some(persister.clone()));
    persister.watch(notes.clone());
    persister.watch(notes.clone());
    persister.append(&[]);
    persister.append(&[entry(1, 1), entry(1, 2)]);
    persister.sync().unwrap();
    persister.save_vote(Term(2), None);
    persister.save_snapshot(at(1, 1), "state".into());
    let next_life = persister.crash(Unsynced::KeepAll);
    persister.save_vote(Term(3), None);
    persister.sync().unwrap();
    next_life.save_vote(Term(4), None);

    let seen = notes.0.with(std::mem::take);
    let twice = |line: &str| [line.to_string(), line.to_string()];
    let expected = [
        twice("append 2, durable to 0/0"),
        twice("synced, durable to 1/2"),
        twice("vote 2, durable to 1/2"),
        twice("snapshot 1/1, durable to 1/2"),
    ];
    assert_eq!(seen, expected.concat());
    notes.1.with(|slot| *slot = None);
}
