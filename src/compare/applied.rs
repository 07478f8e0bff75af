//! The service of a measurement: it records when each server applied each entry.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;

use crate::api::{ApplyMsg, Consensus, Index, ServerId};
use crate::lab::{Alive, ServiceContext, ServiceInstance};
use crate::runtime::channel::{Receiver, Sender, bounded};
use crate::runtime::sync::Quiet;
use crate::runtime::{thread, time};

/// What every server applied, and when. One object is the service of all servers of a cluster.
#[derive(Default)]
pub(super) struct Applied {
    state: Quiet<State>,
    /// After how many commands each server takes a snapshot; `None`: never.
    snapshot_interval: Option<u64>,
}

#[derive(Default)]
struct State {
    /// Per server, in its present life: when it had applied each index, from index 1 on.
    times: BTreeMap<ServerId, Vec<Duration>>,
    waiting: BTreeMap<(ServerId, Index), Vec<Sender<()>>>,
}

impl Applied {
    /// The service of servers that take a snapshot after this many commands each.
    pub(super) fn with_snapshots(snapshot_interval: Option<u64>) -> Arc<Applied> {
        Arc::new(Applied { state: Quiet::default(), snapshot_interval })
    }

    /// When `server` applied `index`, in its present life.
    pub(super) fn time(&self, server: ServerId, index: Index) -> Option<Duration> {
        self.state.with(|state| state.time(server, index))
    }

    /// A channel that says when `server` applies `index`; `None` if it already has.
    pub(super) fn notice(&self, server: ServerId, index: Index) -> Option<Receiver<()>> {
        let (sender, receiver) = bounded(1);
        self.state.with(|state| {
            if state.time(server, index).is_some() {
                return None;
            }
            state.waiting.entry((server, index)).or_default().push(sender);
            Some(receiver)
        })
    }

    /// Records that `server` has applied all entries up to `index`.
    fn reach(&self, server: ServerId, index: Index) {
        let now = time::since_start();
        let due = self.state.with(|state| {
            let times = state.times.entry(server).or_default();
            let first = Index(0).plus(times.len()).next();
            let indices = (first.0..=index.0).map(Index);
            let mut due = Vec::new();
            for index in indices {
                times.push(now);
                due.extend(state.waiting.remove(&(server, index)).into_iter().flatten());
            }
            due
        });
        for sender in due {
            // An error: the task that waited has gone.
            let _ = sender.try_send(());
        }
    }

    /// The snapshot up to `index`, if one is due: as large as that of a service with little state.
    fn snapshot_due(&self, index: Index) -> Option<Bytes> {
        let due = index.0.is_multiple_of(self.snapshot_interval?);
        due.then(|| Bytes::from(vec![0; SNAPSHOT_BYTES]))
    }
}

/// Size of a snapshot in bytes.
///
/// It is larger than the entries that it replaces, so that it is worth sending only if they are
/// gone.
const SNAPSHOT_BYTES: usize = 4096;

impl State {
    fn time(&self, server: ServerId, index: Index) -> Option<Duration> {
        let slot = usize::try_from(index.0.checked_sub(1)?).ok()?;
        self.times.get(&server)?.get(slot).copied()
    }
}

impl Applied {
    /// Starts the service in a new life of a server.
    pub(super) fn start(self: &Arc<Applied>, context: ServiceContext) -> Box<dyn ServiceInstance> {
        let ServiceContext { server, consensus, apply_ch, stored } = context;
        let applied = self.clone();
        applied.state.with(|state| state.times.insert(server, Vec::new()));
        applied.reach(server, stored.snapshot.map_or(Index(0), |(at, _)| at.index));
        let (alive, consensus) = (Alive::new(), Arc::downgrade(&consensus));
        let lives = alive.clone();
        thread::spawn(format!("service{}", server.0), move || {
            for message in apply_ch.iter() {
                if lives.is_alive() {
                    applied.take(server, &message, &consensus);
                }
            }
        });
        Box::new(alive)
    }

    fn take(&self, server: ServerId, message: &ApplyMsg, consensus: &Weak<dyn Consensus>) {
        match message {
            ApplyMsg::Command { index, .. } => {
                self.reach(server, *index);
                let due = self.snapshot_due(*index).zip(consensus.upgrade());
                if let Some((data, consensus)) = due {
                    thread::under_test(server.0, || consensus.snapshot(*index, data));
                }
            }
            ApplyMsg::Snapshot { last_included, .. } => self.reach(server, last_included.index),
        }
    }
}
