//! The log in the database: appended to, compacted, and found again after a restart.

use super::lives::{Life, entry, hard, put, ready};
use crate::api::{Index, Position, Term};
use crate::persister::Unsynced;
use crate::store::command::Command;
use crate::tick::{Ready, Storage, StorageError};

/// A life whose log has entries 1 to 5 of term 1.
fn with_five() -> Life {
    let mut life = Life::first();
    life.write(&ready((1..=5).map(|index| entry(1, index))));
    life
}

#[test]
fn an_append_follows_overlaps_or_replaces() {
    // The index of the first appended entry, the terms of the appended entries, and those of the
    // log after.
    let cases: [(u64, &[u64], &[u64]); 6] = [
        (6, &[1], &[1, 1, 1, 1, 1, 1]),
        (5, &[1, 2], &[1, 1, 1, 1, 1, 2]),
        (5, &[2], &[1, 1, 1, 1, 2]),
        (3, &[2], &[1, 1, 2]),
        (1, &[2], &[2]),
        (2, &[1, 1], &[1, 1, 1]),
    ];
    for (first, appended, expected) in cases {
        let mut life = with_five();
        let entries = (first..).zip(appended).map(|(index, term)| entry(*term, index));
        life.write(&ready(entries));
        assert_eq!(life.terms(), expected, "{appended:?} from {first} on");
        let life = life.crash(Unsynced::LoseAll);
        assert_eq!(life.terms(), expected, "{appended:?} from {first} on, after a restart");
    }
}

#[test]
#[should_panic(expected = "leaves a gap")]
fn an_append_that_leaves_a_gap_is_a_bug() {
    with_five().write(&ready([entry(1, 7)]));
}

#[test]
fn entries_are_read_within_what_is_there() {
    let life = with_five();
    let entries = |first, end| life.storage.entries(Index(first), Index(end));
    assert_eq!(entries(2, 4).unwrap(), [entry(1, 2), entry(1, 3)]);
    assert_eq!(entries(6, 6).unwrap(), []);
    assert_eq!(entries(0, 3), Err(StorageError::Compacted));
    assert_eq!(entries(4, 7), Err(StorageError::Unavailable));
}

/// A ready that commits and applies `data` at index 6 of a log of five.
fn sixth(data: bytes::Bytes) -> Ready {
    let sixth = crate::api::Entry { data, ..entry(1, 6) };
    let committed = (1..=5).map(|index| entry(1, index)).chain([sixth.clone()]);
    Ready { committed_entries: committed.collect(), hard_state: Some(hard(1, 6)), ..ready([sixth]) }
}

#[test]
fn a_log_is_cut_up_to_the_entry_that_is_named() {
    let mut life = with_five();
    life.write(&sixth(Command::Compact(Index(3)).encode()));
    for life in [life.opened_again(), life.crash(Unsynced::LoseAll)] {
        let storage = &life.storage;
        assert_eq!(storage.truncated(), Position { term: Term(1), index: Index(3) });
        assert_eq!((storage.first_index(), storage.last_index()), (Index(4), Index(6)));
        assert_eq!(storage.term(Index(3)), Ok(Term(1)), "the term of the last one dropped is kept");
        assert_eq!(storage.term(Index(2)), Err(StorageError::Compacted));
        assert_eq!(life.engine.term(Index(3)).unwrap(), None, "the entry itself is gone");
        assert_eq!(storage.entries(Index(4), Index(7)).unwrap().len(), 3);
    }
}

#[test]
fn a_log_is_never_cut_beyond_what_is_applied() {
    let mut life = with_five();
    life.write(&sixth(Command::Compact(Index(9)).encode()));
    assert_eq!(life.storage.truncated().index, Index(5), "entry 6 itself is not applied before");
    assert_eq!(life.storage.applied().index, Index(6));
}

#[test]
fn a_log_that_is_cut_already_stays_as_it_is() {
    let mut life = with_five();
    life.write(&sixth(Command::Compact(Index(4)).encode()));
    let seventh = crate::api::Entry { data: Command::Compact(Index(2)).encode(), ..entry(1, 7) };
    life.write(&Ready {
        committed_entries: vec![seventh.clone()],
        hard_state: Some(hard(1, 7)),
        ..ready([seventh])
    });
    assert_eq!(life.storage.truncated().index, Index(4));
}

#[test]
fn a_restart_finds_everything_and_applies_nothing_twice() {
    let mut life = with_five();
    life.write(&sixth(put("a", "1", 1)));
    let life = life.crash(Unsynced::LoseAll);
    assert_eq!(life.storage.initial_state().unwrap().0, hard(1, 6));
    assert_eq!(life.storage.applied(), Position { term: Term(1), index: Index(6) });
    assert_eq!(life.engine.get("a").unwrap().as_deref(), Some("1"));
}

#[test]
fn what_need_not_be_synced_may_be_lost_and_then_all_of_it() {
    let mut life = with_five();
    life.write(&ready([crate::api::Entry { data: put("a", "1", 1), ..entry(1, 6) }]));
    let syncs = life.disk.usage().syncs;
    let Ready { committed_entries, hard_state, .. } = sixth(put("a", "1", 1));
    life.write(&Ready { committed_entries, hard_state, ..Ready::default() });
    assert_eq!(life.disk.usage().syncs, syncs, "nothing new is promised");
    assert_eq!(life.engine.get("a").unwrap().as_deref(), Some("1"), "it is there at once");
    let life = life.crash(Unsynced::LoseAll);
    assert_eq!(life.engine.get("a").unwrap(), None);
    assert_eq!(life.storage.applied().index, Index(0));
    assert_eq!(life.storage.last_index(), Index(6), "the entry was synced");
}
