//! A disk that fails: an error, and only errors after it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;

use super::lives::{Life, entry, ready};
use crate::persister::Unsynced;
use crate::store::engine::Engine;
use crate::store::{Disk, StoreError};

/// A disk that can no longer sync, once it is told so.
#[derive(Clone, Debug)]
struct Failing {
    disk: Disk,
    is_broken: Arc<AtomicBool>,
}

impl StorageBackend for Failing {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        StorageBackend::read(&self.disk, offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

#[test]
fn a_sync_that_fails_is_an_error_and_so_is_everything_after_it() {
    let disk = Disk::new();
    let backend = Failing { disk: disk.clone(), is_broken: Arc::default() };
    let mut life = Life::with(disk, Engine::on(backend.clone()).unwrap());
    life.write(&ready([entry(1, 1)]));
    backend.is_broken.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let failed = life.storage.carry_out(&ready([entry(1, 2)]), &[]);
        assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        backend.is_broken.store(false, Ordering::Relaxed);
    }
    let next = life.crash(Unsynced::LoseAll);
    assert_eq!(next.terms(), [1], "the second entry was never promised");
}
