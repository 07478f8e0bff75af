//! Crashes at every step of a commit: the state found afterwards is the old one or the new one.

use std::sync::Arc;

use redb::StorageBackend;

use super::cluster::in_virtual_time;
use super::lives::{Life, entry, hard, put, ready};
use crate::api::{Entry, Index};
use crate::persister::Unsynced;
use crate::runtime::sync::Quiet;
use crate::store::command::Command;
use crate::store::engine::Engine;
use crate::store::{Disk, StoreError};
use crate::tick::{Ready, Storage};

/// The disk that the power failure left, if the power failed.
fn left(disk: &Disk) -> Option<Disk> {
    disk.power_has_failed().then(|| disk.crash(Unsynced::KeepAll))
}

/// A value that fills pages, so that a commit has many pages to write.
fn value(index: u64) -> String {
    format!("{index} ").repeat(400)
}

/// A ready that stores and applies the entries of `from..to`, the last of which compacts the log.
fn batch(from: u64, to: u64) -> Ready {
    let entries: Vec<Entry> = (from..to)
        .map(|index| {
            let compact = Command::Compact(Index(index.saturating_sub(3))).encode();
            let data = put(&format!("key {index}"), &value(index), index);
            Entry { data: if index + 1 == to { compact } else { data }, ..entry(1, index) }
        })
        .collect();
    Ready {
        committed_entries: entries.clone(),
        hard_state: Some(hard(1, to - 1)),
        ..ready(entries)
    }
}

/// How far the log and the data are. Fails if only a part of a transaction is there.
fn state(life: &Life) -> u64 {
    let applied = life.storage.applied().index.0;
    assert_eq!(life.storage.last_index().0, applied, "log and data disagree");
    assert_eq!(life.storage.initial_state().unwrap().0, hard(u64::from(applied > 0), applied));
    let dropped = if applied == 0 { 0 } else { applied - 3 };
    assert_eq!(life.storage.truncated().index.0, dropped, "with {applied} applied");
    assert_eq!(life.terms().len() as u64, applied - dropped, "entries that are left");
    for index in 1..30 {
        let written = (index <= applied && index % 10 != 0).then(|| value(index));
        let found = life.engine.get(&format!("key {index}")).unwrap();
        assert_eq!(found, written, "key {index} with {applied} applied");
    }
    applied
}

#[test]
fn a_crash_at_any_step_of_a_commit_leaves_all_of_it_or_nothing() {
    in_virtual_time(3, || {
        let mut outcomes = (0, 0);
        for step in 0.. {
            let disk = Disk::new();
            let mut life = Life::on(disk.clone());
            life.write(&batch(1, 11));
            disk.fail_power_after(step, Unsynced::Draw, || {});
            life.write(&batch(11, 21));
            let Some(left) = left(&disk) else { break };
            match state(&Life::on(left)) {
                10 => outcomes.0 += 1,
                20 => outcomes.1 += 1,
                other => panic!("{other} entries are applied after a crash at step {step}"),
            }
        }
        assert!(outcomes.0 > 5, "{outcomes:?}: the commit has several steps");
    });
}

#[test]
fn a_crash_at_any_step_of_the_first_start_leaves_a_disk_to_start_from() {
    in_virtual_time(3, || {
        for step in 0.. {
            let disk = Disk::new();
            disk.fail_power_after(step, Unsynced::Draw, || {});
            let _engine = Engine::open(&disk).unwrap();
            let Some(left) = left(&disk) else { break };
            let mut life = Life::on(left);
            assert_eq!(state(&life), 0, "after a crash at step {step}");
            life.write(&batch(1, 11));
            assert_eq!(state(&life.crash(Unsynced::LoseAll)), 10);
        }
    });
}

#[test]
fn power_fails_before_the_operation_that_it_was_set_to_and_says_so_at_once() {
    let disk = Disk::new();
    let failed = Arc::new(Quiet::new(None));
    disk.set_len(8).unwrap();
    disk.fail_power_after(2, Unsynced::KeepAll, {
        let (disk, failed) = (disk.clone(), failed.clone());
        move || failed.with(|place| *place = Some(disk.power_has_failed()))
    });
    disk.write(0, b"ab").unwrap();
    disk.write(2, b"cd").unwrap();
    assert_eq!(failed.with(|place| *place), None, "two operations are carried out");
    disk.write(4, b"ef").unwrap();
    assert_eq!(failed.with(|place| *place), Some(true), "the third is not");
    disk.sync_data().unwrap();
    let next = disk.crash(Unsynced::LoseAll);
    let mut found = [0; 8];
    StorageBackend::read(&next, 0, &mut found).unwrap();
    assert_eq!(&found, b"abcd\0\0\0\0", "what the power failure left, whatever the crash keeps");
    assert!(!next.power_has_failed(), "the next life has power");
}

#[test]
fn crash_after_crash_loses_nothing_that_was_synced() {
    in_virtual_time(20, || {
        let mut life = Life::first();
        let mut synced = 0;
        for round in 0..2 {
            life.write(&batch(10 * round + 1, 10 * round + 11));
            synced += 10;
            // A disk that was opened and not written to may crash too.
            life = life.crash(Unsynced::Draw).crash(Unsynced::Draw);
            assert_eq!(state(&life), synced);
        }
    });
}

#[test]
fn damage_is_an_error_that_says_what_to_do() {
    let mut life = Life::first();
    life.write(&batch(1, 11));
    let disk = life.disk.crash(Unsynced::LoseAll);
    let length = disk.len().unwrap();
    // Everywhere but in the header: all data, in both versions.
    let noise: Vec<u8> = (0..length - 4096).map(|at| (at % 251) as u8).collect();
    disk.write(4096, &noise).unwrap();
    match Engine::open(&disk) {
        Err(error @ StoreError::Damaged(_)) => {
            assert!(error.to_string().contains("replace the server"), "{error}");
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("a server would start from noise"),
    }
}
