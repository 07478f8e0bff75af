//! One server's storage, without a server: written directly, crashed, opened again.

use bytes::Bytes;

use crate::api::kv_rpc::{ClientId, RequestId};
use crate::api::{Entry, Index, ServerId, Term};
use crate::persister::Unsynced;
use crate::store::Disk;
use crate::store::command::{Change, Command};
use crate::store::engine::Engine;
use crate::store::storage::PeerStorage;
use crate::tick::{ConfState, HardState, Ready, Storage};

/// One life of a storage.
pub(super) struct Life {
    pub(super) disk: Disk,
    pub(super) engine: Engine,
    pub(super) storage: PeerStorage,
}

impl Life {
    /// The first life, on an empty disk.
    pub(super) fn first() -> Life {
        Life::on(Disk::new())
    }

    /// A life on an existing disk.
    pub(super) fn on(disk: Disk) -> Life {
        let engine = Engine::open(&disk).unwrap();
        Life::with(disk, engine)
    }

    /// A life whose database is open.
    pub(super) fn with(disk: Disk, engine: Engine) -> Life {
        let members = ConfState { nodes: (0..3).map(ServerId).collect() };
        let storage = PeerStorage::open(engine.clone(), &disk, members).unwrap();
        Life { disk, engine, storage }
    }

    /// Writes a ready that brings no snapshot.
    pub(super) fn write(&mut self, ready: &Ready) {
        self.storage.carry_out(ready, &[]).unwrap();
    }

    /// The next life, after a crash.
    pub(super) fn crash(&self, keep: Unsynced) -> Life {
        Life::on(self.disk.crash(keep))
    }

    /// The same life, opened a second time from its own database.
    pub(super) fn opened_again(&self) -> Life {
        Life::with(self.disk.clone(), self.engine.clone())
    }

    /// The terms of all entries in the log.
    pub(super) fn terms(&self) -> Vec<u64> {
        let (first, end) = (self.storage.first_index(), self.storage.last_index().next());
        let entries = self.storage.entries(first, end).unwrap();
        assert!(
            (first.0..).zip(&entries).all(|(index, entry)| entry.index == Index(index)),
            "the entries do not follow each other: {entries:?}"
        );
        entries.iter().map(|entry| entry.term.0).collect()
    }
}

/// An entry that changes nothing.
pub(super) fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), data: Bytes::new() }
}

/// A ready with entries to store and nothing else.
pub(super) fn ready(entries: impl IntoIterator<Item = Entry>) -> Ready {
    Ready { entries: entries.into_iter().collect(), must_sync: true, ..Ready::default() }
}

pub(super) const fn hard(term: u64, commit: u64) -> HardState {
    HardState { term: Term(term), vote: None, commit: Index(commit) }
}

/// The data of an entry that puts `value` at `key`, as request `number` of one client.
pub(super) fn put(key: &str, value: &str, number: u64) -> Bytes {
    let request = RequestId { client: ClientId(1), number };
    let (key, what) = (key.to_owned(), Change::Put(value.to_owned()));
    Command::Write { key, what, request }.encode()
}
