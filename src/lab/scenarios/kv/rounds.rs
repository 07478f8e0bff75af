//! The rounds of most tests of the key/value service: clients work while faults happen.
//!
//! A test has three rounds like this one; only some tests have partitions or crashes:
//!
//! ```text
//! second      0     1     2     3     4     5     6     7     8
//! clients     ├──────────────── working ──────────┤  their last operation
//! partitions        ├─ another one every second ──┤ heal
//! crash                                                 ├ all down ┤ up
//! ```
//!
//! The times are those of 2022: partitions begin while clients work, and all servers crash while an
//! operation that got stuck in a minority may still be in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::api::ServerId;
use crate::lab::kv::Client;
use crate::lab::{Cluster, steps};
use crate::runtime::rand::{Chance, stream};
use crate::runtime::thread::{self, JoinHandle};
use crate::runtime::{Choice, keeps};

/// Number of rounds.
const ROUNDS: u32 = 3;

/// How long clients work in a round, in milliseconds.
const ROUND_MS: u64 = 5000;

/// How long the cluster is left alone after a change, in milliseconds.
///
/// One second is the course's limit for an election.
pub(super) const ELECTION_MS: u64 = 1000;

/// Limit of the raft state for a service with snapshots, in bytes.
pub(super) const RAFT_STATE_MAX: usize = 1000;

/// By what factor a raft state may exceed the service's limit.
///
/// Commands continue to arrive while the service takes a snapshot.
const RAFT_STATE_FACTOR: usize = 8;

/// Average pause between two operations of a client, in milliseconds per client of the round.
///
/// See `docs/decisions/pace.md`.
const PACE_MS: u64 = 13;

/// With more clients than this, the pauses do not grow any more.
const PACED_CLIENTS_MAX: usize = 5;

/// The clients of a test, and the faults that they must bear.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// How many clients work at a time.
    pub(super) clients: usize,
    /// Whether all servers crash at the end of each round.
    pub(super) crash: bool,
    /// Whether partitions come and go.
    pub(super) partitions: bool,
    /// The service's limit for the raft state, in bytes; `None`: it takes no snapshots.
    pub(super) raft_state_max: Option<usize>,
}

/// The load of `count` clients without faults, on a service without snapshots.
pub(super) fn clients(count: usize) -> Load {
    Load { clients: count, crash: false, partitions: false, raft_state_max: None }
}

impl Load {
    /// And all servers crash at the end of each round.
    pub(super) fn crashes(self) -> Load {
        Load { crash: true, ..self }
    }

    /// And partitions come and go.
    pub(super) fn partitions(self) -> Load {
        Load { partitions: true, ..self }
    }

    /// And the service takes snapshots, so that its raft state stays within [`RAFT_STATE_MAX`].
    pub(super) fn snapshots(self) -> Load {
        Load { raft_state_max: Some(RAFT_STATE_MAX), ..self }
    }
}

/// A client's turns: when it may do an operation, and its own stream of chance.
pub(in crate::lab::scenarios) struct Turns {
    stop: Arc<AtomicBool>,
    pub(in crate::lab::scenarios) chance: Chance,
    pause_ms: u64,
}

impl Turns {
    /// Waits for the next turn; false if there are no more turns.
    ///
    /// Half of all turns follow at once, so that operations also come in bursts.
    pub(in crate::lab::scenarios) fn next(&mut self) -> bool {
        loop {
            if self.chance.below(2) == 0 {
                thread::sleep(Duration::from_millis(self.chance.below(4 * self.pause_ms)));
            }
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            if keeps(Choice::Step) {
                return true;
            }
        }
    }
}

/// Runs all rounds of a test.
///
/// In each round, every client does `work` as long as it has turns, given its place among the
/// clients; `check` gets the results, by place.
pub(super) fn rounds<T: Send + 'static>(
    cluster: &Cluster,
    load: &Load,
    work: impl Fn(usize, &mut Client, &mut Turns) -> T + Clone + Send + 'static,
    mut check: impl FnMut(Vec<T>),
) {
    for _ in steps(0..ROUNDS) {
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

/// The tasks of working clients.
pub(in crate::lab::scenarios) struct Workers<T> {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<T>>,
}

impl<T: Send + 'static> Workers<T> {
    /// Starts the work of `count` new clients, each with its place and its turns.
    pub(super) fn start(
        cluster: &Cluster,
        count: usize,
        work: &(impl Fn(usize, &mut Client, &mut Turns) -> T + Clone + Send + 'static),
    ) -> Workers<T> {
        Workers::of((0..count).map(|_| cluster.client()), |client| client.number(), work)
    }

    /// Starts the work of `clients` of any type; no two of them have the same `number`.
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

    /// Divides the servers again and again, as long as there are turns.
    ///
    /// A coin decides the side of each server. A partition lasts `least_ms` milliseconds, or up to
    /// 200 more.
    pub(in crate::lab::scenarios) fn start_partitioner(
        &self,
        cluster: &Cluster,
        least_ms: u64,
    ) -> JoinHandle<()> {
        let (cluster, stop) = (cluster.clone(), self.stop.clone());
        thread::spawn("partitioner", move || {
            while !stop.load(Ordering::Relaxed) {
                if !keeps(Choice::Step) {
                    cluster.sleep_ms(least_ms);
                    continue;
                }
                let (one, other): (Vec<ServerId>, Vec<ServerId>) =
                    cluster.servers().partition(|_| cluster.draw(2) == 0);
                cluster.partition(&[&one, &other]);
                cluster.sleep_ms(least_ms + cluster.draw(200));
            }
        })
    }

    /// Ends the turns of all clients.
    pub(in crate::lab::scenarios) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until all clients have ended, and returns their results, by place.
    pub(in crate::lab::scenarios) fn join(self) -> Vec<T> {
        self.tasks.into_iter().map(JoinHandle::join).collect()
    }
}

/// Crashes all servers, and starts them again a second later.
pub(super) fn restart_all(cluster: &Cluster) {
    cluster.servers().for_each(|server| cluster.crash(server));
    cluster.sleep_ms(ELECTION_MS);
    cluster.servers().for_each(|server| cluster.boot(server));
    cluster.heal();
}

/// Fails if a raft state is far above its limit, or if a service without a limit took a snapshot.
pub(super) fn check_sizes(cluster: &Cluster, raft_state_max: Option<usize>) {
    match raft_state_max {
        Some(bytes) => {
            let allowed = bytes * RAFT_STATE_FACTOR;
            cluster.check_at_most("raft_state", cluster.log_size() as u64, allowed as u64);
        }
        None => assert_eq!(cluster.snapshot_size(), 0, "a snapshot without a limit"),
    }
}
