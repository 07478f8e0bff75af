//! What most tests of the key/value service go through: clients at work, and trouble meanwhile.
//!
//! Three rounds, each of them like this, where only some tests have the middle lines:
//!
//! ```text
//! second      0     1     2     3     4     5     6     7     8
//! clients     ├──────────────── at work ──────────┤  their last operation
//! partitions        ├─ another one every second ──┤ heal
//! crash                                                 ├ all down ┤ up
//! ```
//!
//! The times are those of 2022: partitions begin while clients work, and all servers crash while
//! an operation that got stuck in a minority may still be under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::rand::{Chance, stream};
use crate::runtime::thread::{self, JoinHandle};

/// How often clients are set to work.
const ROUNDS: u32 = 3;

/// How long they work, in milliseconds.
const ROUND_MS: u64 = 5000;

/// How long the cluster is left alone where something has just changed: a second, the course's
/// bound for an election.
pub(super) const ELECTION_MS: u64 = 1000;

/// A raft state may have so many times the bytes that the service allows it, since commands go on
/// coming in while it takes a snapshot.
const RAFT_STATE_FACTOR: usize = 8;

/// How long a client pauses between two operations, on average and in milliseconds, for each client
/// that there is; see `docs/decisions/pace.md`.
const PACE_MS: u64 = 13;

/// More clients than this do not make each other pause longer.
const PACED_CLIENTS_MAX: usize = 5;

/// What a test does to the clients of a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// How many clients work at a time.
    pub(super) clients: usize,
    /// Whether all servers crash at the end of each round.
    pub(super) crash: bool,
    /// Whether partitions come and go.
    pub(super) partitions: bool,
    /// What the service was told about the size of the raft state.
    pub(super) raft_state_max: Option<usize>,
}

/// A client's turns: when it may do something, and its own chance.
pub(in crate::lab::scenarios) struct Turns {
    stop: Arc<AtomicBool>,
    pub(in crate::lab::scenarios) chance: Chance,
    pause_ms: u64,
}

impl Turns {
    /// Whether there is a next turn; comes back when it is there.
    ///
    /// Half of all turns follow at once, so that operations also come in bursts.
    pub(in crate::lab::scenarios) fn next(&mut self) -> bool {
        if self.chance.below(2) == 0 {
            thread::sleep(Duration::from_millis(self.chance.below(4 * self.pause_ms)));
        }
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Puts the service through its rounds. In each, `work` is what every client does as long as it
/// has turns, given its place among the clients; `check` is given what became of them, by place.
pub(super) fn rounds<T: Send + 'static>(
    cluster: &Cluster,
    load: &Load,
    work: impl Fn(usize, &mut Client, &mut Turns) -> T + Clone + Send + 'static,
    mut check: impl FnMut(Vec<T>),
) {
    for _ in 0..ROUNDS {
        let workers = Workers::start(cluster, load.clients, &work);
        let partitioner = load.partitions.then(|| {
            cluster.sleep_ms(ELECTION_MS);
            workers.start_partitioner(cluster, ELECTION_MS)
        });
        cluster.sleep_ms(ROUND_MS);
        workers.stop();
        if let Some(partitioner) = partitioner {
            partitioner.join();
            cluster.heal();
            cluster.sleep_ms(ELECTION_MS);
        }
        if load.crash {
            restart_all(cluster);
        }
        check(workers.join());
        check_sizes(cluster, load.raft_state_max);
    }
}

/// Clients at work.
pub(in crate::lab::scenarios) struct Workers<T> {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<T>>,
}

impl<T: Send + 'static> Workers<T> {
    /// Sets `count` new clients to work, each of which is given its place and its turns.
    pub(super) fn start(
        cluster: &Cluster,
        count: usize,
        work: &(impl Fn(usize, &mut Client, &mut Turns) -> T + Clone + Send + 'static),
    ) -> Workers<T> {
        Workers::of((0..count).map(|_| cluster.client()), |client| client.number(), work)
    }

    /// Sets `clients` of any sort to work; no two of them have one `number`.
    pub(in crate::lab::scenarios) fn of<C: Send + 'static>(
        clients: impl ExactSizeIterator<Item = C>,
        number: impl Fn(&C) -> u32,
        work: &(impl Fn(usize, &mut C, &mut Turns) -> T + Clone + Send + 'static),
    ) -> Workers<T> {
        let stop = Arc::new(AtomicBool::new(false));
        let pause_ms = PACE_MS * clients.len().min(PACED_CLIENTS_MAX) as u64;
        let start = |(place, mut client)| {
            let name = format!("client{}", number(&client));
            let chance = stream(&name);
            let mut turns = Turns { stop: stop.clone(), chance, pause_ms };
            let work = work.clone();
            thread::spawn(name, move || work(place, &mut client, &mut turns))
        };
        let tasks = clients.enumerate().map(start).collect();
        Workers { stop, tasks }
    }

    /// As long as there are turns, divides the servers anew every `least_ms` milliseconds, or up to
    /// 200 more, each by the flip of a coin.
    pub(in crate::lab::scenarios) fn start_partitioner(
        &self,
        cluster: &Cluster,
        least_ms: u64,
    ) -> JoinHandle<()> {
        let (cluster, stop) = (cluster.clone(), self.stop.clone());
        thread::spawn("partitioner", move || {
            while !stop.load(Ordering::Relaxed) {
                let (one, other): (Vec<ServerId>, Vec<ServerId>) =
                    cluster.servers().partition(|_| cluster.draw(2) == 0);
                cluster.partition(&[&one, &other]);
                cluster.sleep_ms(least_ms + cluster.draw(200));
            }
        })
    }

    /// There are no more turns.
    pub(in crate::lab::scenarios) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until all have ended. What became of them, by place.
    pub(in crate::lab::scenarios) fn join(self) -> Vec<T> {
        self.tasks.into_iter().map(JoinHandle::join).collect()
    }
}

/// All servers go down, and a second later up again.
pub(super) fn restart_all(cluster: &Cluster) {
    cluster.servers().for_each(|server| cluster.crash(server));
    cluster.sleep_ms(ELECTION_MS);
    cluster.servers().for_each(|server| cluster.boot(server));
    cluster.heal();
}

/// Fails when some raft state is far larger than it may be, or when a service took a snapshot that
/// was not to take any.
pub(super) fn check_sizes(cluster: &Cluster, raft_state_max: Option<usize>) {
    match raft_state_max {
        Some(bytes) => {
            let allowed = bytes * RAFT_STATE_FACTOR;
            cluster.check_at_most("raft_state", cluster.log_size() as u64, allowed as u64);
        }
        None => assert_eq!(cluster.snapshot_size(), 0, "no snapshot was to be taken"),
    }
}
