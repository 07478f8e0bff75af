//! Loading damaged content is an error that names the damaged place.

use proptest::collection::vec;
use proptest::prelude::*;
use raftlab::api::Term;
use raftlab::persister::{PersistError, Persister, Unsynced};

use super::{at, entry, with_log};

/// Returns the content of storage with every kind of record, and the offset of each record.
fn small_journal() -> (Vec<u8>, Vec<usize>) {
    let persister = Persister::new();
    let mut starts = vec![0, persister.raft_state_size()];
    persister.save_snapshot(at(2, 6), "the service's state".into());
    persister.sync().unwrap();
    starts.push(persister.export().len() - end_size());
    for index in 7..12 {
        persister.append(&[entry(3, index)]);
        persister.sync().unwrap();
        starts.push(persister.export().len() - end_size());
    }
    (persister.export(), starts)
}

/// Size of the last record, in bytes.
fn end_size() -> usize {
    Persister::new().export().len() - Persister::new().raft_state_size()
}

fn damage_in(bytes: &[u8]) -> (u64, u64) {
    let persister = Persister::import(bytes);
    match persister.load() {
        Err(PersistError::Damaged { record, offset, what }) => {
            assert!(!what.is_empty(), "the error does not describe the damage");
            (record, offset)
        }
        other => panic!("damage was read as {other:?}"),
    }
}

/// The record that byte `offset` belongs to, and where it begins.
fn place(starts: &[usize], offset: usize) -> (u64, u64) {
    let record = starts.iter().rposition(|start| *start <= offset).unwrap();
    (record as u64, starts[record] as u64)
}

#[test]
fn an_exported_journal_can_be_imported() {
    let (bytes, _) = small_journal();
    let persister = Persister::import(&bytes);
    assert_eq!(persister.export(), bytes);
    assert_eq!(persister.load().unwrap().entries.len(), 5);
    assert_eq!((persister.durable_snapshot(), persister.durable_last()), (at(2, 6), at(3, 11)));
    persister.append(&[entry(4, 12)]);
    persister.sync().unwrap();
    assert_eq!(persister.load().unwrap().entries.len(), 6);
}

#[test]
fn damage_of_any_byte_is_found_in_its_record() {
    let (bytes, starts) = small_journal();
    for offset in 0..bytes.len() {
        for flip in 1..=255 {
            let mut damaged = bytes.clone();
            damaged[offset] ^= flip;
            let found = damage_in(&damaged);
            assert_eq!(found, place(&starts, offset), "byte {offset} flipped by {flip:#x}");
        }
    }
}

#[test]
fn content_cut_short_anywhere_is_damaged_there() {
    let (bytes, starts) = small_journal();
    for length in 0..bytes.len() {
        assert_eq!(damage_in(&bytes[..length]), place(&starts, length), "cut to {length} bytes");
    }
}

#[test]
fn a_record_lost_doubled_or_moved_is_damage() {
    let (bytes, starts) = small_journal();
    let mut records: Vec<&[u8]> = starts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
    records.push(&bytes[starts[starts.len() - 1]..]);
    for place in 0..records.len() {
        let mut lost = records.clone();
        lost.remove(place);
        damage_in(&lost.concat());
        let mut doubled = records.clone();
        doubled.insert(place, records[place]);
        damage_in(&doubled.concat());
        for other in 0..place {
            let mut moved = records.clone();
            moved.swap(place, other);
            damage_in(&moved.concat());
        }
    }
}

#[test]
fn a_snapshot_among_the_entries_is_damage_although_the_count_is_right() {
    let (bytes, starts) = small_journal();
    let snapshot = &bytes[starts[1]..starts[2]];
    let vote = &bytes[..starts[1]];

    let log = with_log(&[1, 1]).export();
    let without_last = with_log(&[1]).export();
    let first_end = vote.len() + (log.len() - without_last.len());
    let (first, end) = (&log[vote.len()..first_end], &log[log.len() - end_size()..]);
    assert_eq!(damage_in(&[vote, first, snapshot, end].concat()), (2, first_end as u64));
}

#[test]
fn damaged_storage_takes_no_writes_and_survives_a_crash_as_it_is() {
    let (bytes, _) = small_journal();
    let persister = Persister::import(&bytes[..20]);
    persister.save_vote(Term(5), None);
    assert!(
        persister.sync().is_err(),
        "a write was accepted on top of content that cannot be read"
    );
    let next_life = persister.crash(Unsynced::KeepAll);
    assert_eq!(next_life.export(), &bytes[..20]);
    let text = next_life.load().unwrap_err().to_string();
    assert!(text.contains("record 1 at byte 7: it is cut short"), "{text}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..60)) {
        damage_in(&bytes);
    }
}
