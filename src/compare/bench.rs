//! The bench of a measurement: a cluster on a network with a fixed delay, and its meters.

use std::sync::Arc;
use std::time::Duration;

use super::applied::Applied;
use super::disk::Writes;
use super::metric::Value;
use super::traffic::{Losing, Traffic};
use super::{Experiment, Rig};
use crate::api::{Index, ServerId, Started};
use crate::lab::{Cluster, Design, run_unjudged};
use crate::runtime::{self, Clock, Failure, FailureKind, RunConfig, Schedule};
use crate::runtime::{thread, time};

/// Size of a command in bytes, in every measurement.
pub(super) const COMMAND_BYTES: usize = 100;

/// Longer than any election or repair takes: a wait that takes longer never ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two checks of a wait; on average it notices its end half of this span too late.
const LOOK: Duration = Duration::from_micros(200);

/// A cluster, its meters, and the steps of experiments. A clone is the same bench.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) cluster: Cluster,
    pub(super) traffic: Arc<Traffic>,
    pub(super) applied: Arc<Applied>,
}

/// Runs `experiment` once.
pub(super) fn run(
    experiment: &Experiment,
    design: &Design,
    seed: u64,
) -> Result<Vec<Value>, Failure> {
    let config = RunConfig {
        clock: Clock::Virtual,
        seed,
        // A measurement is about the design alone; the suite tests it on a busy machine.
        schedule: Schedule::Fifo,
        elapsed_max: Duration::from_secs(600),
        ..RunConfig::default()
    };
    let (rig, story) = (experiment.rig, experiment.story);
    run_unjudged(rig.servers, design, &config, move |cluster| story(&Bench::new(rig, cluster)))
}

impl Bench {
    fn new(rig: Rig, cluster: &Cluster) -> Bench {
        let traffic = Arc::new(Traffic::new(&cluster.design(), rig.leg));
        cluster.network().tap(traffic.clone());
        cluster.network().add_rule("compare", traffic.clone());
        cluster.network().add_rule("compare-losses", Arc::new(Losing(traffic.clone())));
        let applied = Applied::with_snapshots(rig.snapshot_interval);
        let service = applied.clone();
        cluster.serve(move |context| service.start(context));
        Bench { cluster: cluster.clone(), traffic, applied }
    }

    /// Waits until a connected server leads; of several the one with the highest term.
    pub(super) fn leader(&self) -> ServerId {
        self.wait_for("a leader", || self.leader_now())
    }

    /// The connected server that leads in the highest term.
    pub(super) fn leader_now(&self) -> Option<ServerId> {
        let servers = self.cluster.servers().filter(|server| self.cluster.is_connected(*server));
        let states = servers.filter_map(|server| Some((self.cluster.state_of(server)?, server)));
        let leaders = states.filter(|(state, _)| state.is_leader);
        leaders.max_by_key(|(state, _)| state.term).map(|(_, server)| server)
    }

    /// Waits for a leader that all others follow, and until nothing is in flight.
    pub(super) fn settled_leader(&self) -> ServerId {
        let leader = self.leader();
        self.agree();
        thread::sleep(Duration::from_millis(500));
        leader
    }

    /// Calls `found` again and again until it finds something.
    pub(super) fn wait_for<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let deadline = time::since_start() + PATIENCE;
        loop {
            if let Some(value) = found() {
                return value;
            }
            if time::since_start() >= deadline {
                self.give_up(what);
            }
            thread::sleep(LOOK);
        }
    }

    pub(super) fn give_up(&self, what: &str) -> ! {
        let message = format!("waited for {what} for {PATIENCE:?}");
        runtime::fail(FailureKind::Limit, "compare", message)
    }

    /// Hands a command to `leader`, which must lead.
    pub(super) fn start(&self, leader: ServerId) -> Started {
        self.cluster.start_at_leader(leader, &[7; COMMAND_BYTES])
    }

    /// Waits until `server` has applied `index`, and returns when that was.
    pub(super) fn wait_applied(&self, server: ServerId, index: Index) -> Duration {
        if let Some(notice) = self.applied.notice(server, index)
            && notice.recv_timeout(PATIENCE).is_err()
        {
            self.give_up(&format!("{server} to apply {index}"));
        }
        self.applied.time(server, index).expect("the notice came after it was applied")
    }

    /// Waits until all servers have applied `index`, and returns when the last one had.
    pub(super) fn wait_applied_by_all(&self, index: Index) -> Duration {
        let servers = self.cluster.servers();
        servers.map(|server| self.wait_applied(server, index)).max().unwrap_or_default()
    }

    /// Hands `count` commands to `leader` at once, and waits until it has applied them.
    ///
    /// Returns the index of the last one.
    pub(super) fn commit(&self, leader: ServerId, count: u64) -> Index {
        let last = (0..count).fold(Index(0), |_, _| self.start(leader).index);
        self.wait_applied(leader, last);
        last
    }

    /// Starts a command, and starts it again at each new leader, until every server has applied it.
    ///
    /// Returns when the last server did.
    pub(super) fn agree(&self) -> Duration {
        let mut started: Option<Started> = None;
        self.wait_for("agreement", || {
            let leader = self.leader_now()?;
            let term = self.cluster.state_of(leader)?.term;
            if started.is_none_or(|started| started.term != term) {
                started = self.cluster.start(leader, &[7; COMMAND_BYTES]).ok();
            }
            let index = started?.index;
            let times: Option<Vec<_>> =
                self.cluster.servers().map(|server| self.applied.time(server, index)).collect();
            times?.into_iter().max()
        })
    }

    /// Counts the writes of all servers from now on.
    pub(super) fn watch_disks(&self) -> Arc<Writes> {
        let writes = Arc::new(Writes::default());
        for server in self.cluster.servers() {
            self.cluster.persister(server).watch(writes.clone());
        }
        writes
    }

    /// Bytes of term, vote and log that all servers together have stored.
    pub(super) fn stored_bytes(&self) -> usize {
        self.cluster.servers().map(|server| self.cluster.persister(server).raft_state_size()).sum()
    }

    /// `span` in round trips of the network.
    pub(super) fn round_trips(&self, span: Duration) -> f64 {
        span.as_secs_f64() / self.traffic.round_trip().as_secs_f64()
    }
}
