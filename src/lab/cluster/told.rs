//! What the lab itself adds to a run's record: lives, disks, apply channels and cut links.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Cluster;
use super::ledger::shown;
use crate::api::{ApplyMsg, Host, Index, ServerId};
use crate::persister::{Persisted, Persister, Watch, Write};
use crate::record::{self, Disk, Event, Runs, What};
use crate::runtime::sync::Quiet;

/// The links that are cut in the record.
pub(super) type CutLinks = Quiet<BTreeSet<(ServerId, ServerId)>>;

/// Records the writes of one life of a server.
struct Writes(ServerId);

impl Watch for Writes {
    fn wrote(&self, write: &Write<'_>) {
        tell(self.0, || match write {
            Write::Vote { term, voted_for } => What::Voted { term: *term, vote: *voted_for },
            Write::Append(entries) => What::Appended {
                after: Index(entries[0].index.0 - 1),
                runs: Runs::of(entries.iter().map(|entry| entry.term)),
            },
            Write::Snapshot(at) => What::Covered { position: *at },
            Write::Synced => What::Synced,
        });
    }
}

impl Cluster {
    /// Records that a life of `server` begins with `persisted`; from now on, records its writes.
    pub(super) fn tell_start(&self, server: ServerId, persisted: &Persisted, disk: &Persister) {
        if !record::on() {
            return;
        }
        tell(server, || What::Started {
            disk: Disk {
                term: persisted.current_term,
                vote: persisted.voted_for,
                base: persisted.last_included,
                runs: Runs::of(persisted.entries.iter().map(|entry| entry.term)),
            },
        });
        disk.watch(Arc::new(Writes(server)));
    }

    /// Records that the link from `from` to `to` is open or cut, unless it already was.
    pub(super) fn tell_link(&self, from: ServerId, to: ServerId, up: bool) {
        if !record::on() || from == to {
            return;
        }
        let news = self.inner.cut_links.with(|cut| match up {
            true => cut.remove(&(from, to)),
            false => cut.insert((from, to)),
        });
        if news {
            tell(from, || What::Linked { to: Host::Server(to), up });
        }
    }
}

/// Records that the scenario's story is over.
pub(super) fn tell_over() {
    record::emit(|| Event { who: None, what: What::Over });
}

/// Records that `server` has crashed.
pub(super) fn tell_crash(server: ServerId) {
    tell(server, || What::Crashed);
}

/// Records that the service of `server` has received `message`.
pub(super) fn tell_applied(server: ServerId, message: &ApplyMsg) {
    tell(server, || match message {
        ApplyMsg::Command { index, term, command, .. } => What::Applied {
            position: crate::api::Position { term: *term, index: *index },
            command: shown(command),
        },
        ApplyMsg::Snapshot { last_included, .. } => What::Installed { position: *last_included },
    });
}

fn tell(server: ServerId, what: impl FnOnce() -> What) {
    record::emit(|| Event { who: Some(Host::Server(server)), what: what() });
}
