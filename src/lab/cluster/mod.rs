//! The cluster that a scenario runs on: servers, the network between them, and their service.
//!
//! A [`Cluster`] is a handle: all its clones, in any task, refer to one cluster. Its calls form two
//! layers. The 28 scenarios of the course use the course's own calls, with the course's exact
//! numbers ([`one`](Cluster::one), [`check_one_leader`](Cluster::check_one_leader), …). A few verbs
//! on top of them ([`agree`](Cluster::agree), [`isolate`](Cluster::isolate), …) are for scenarios
//! of our own.
//!
//! Two kinds of checks end a scenario. A *wait* that takes too long, or an exceeded limit on calls,
//! bytes or time, is a `FailureKind::Limit`: under the hostile schedule it only cuts the run short,
//! and nothing has failed. A wrong value is always a `FailureKind::Assertion`.

mod applier;
mod apply_log;
mod check;
mod graves;
mod ledger;
mod power;
mod servers;
mod told;
mod verbs;

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;

pub use graves::KILLED_FOR_MAX;
pub use verbs::LONG;

use super::kv::{Clients, Recorder};
use super::narrate::Narrator;
use super::observe::{self, Observers};
use super::service::{ServiceContext, ServiceInstance};
use super::{Design, KvDesign, Scenario};
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started};
use crate::labrpc::{Counters, Host, Network};
use crate::persister::Persister;
use crate::record;
use crate::runtime::rand::{Chance, stream};
use crate::runtime::sync::Quiet;
use crate::runtime::{self, Clock, FailureKind, RunConfig, Schedule, thread};
use applier::{Pace, checked_by};
pub(in crate::lab) use apply_log::ApplyLog;
pub(in crate::lab) use check::{CHECKED_EVERYWHERE, WAITS_IN_VAIN, waits_on};
use graves::Graves;
use ledger::Ledger;
use servers::OnConsensus;
pub(in crate::lab) use servers::{Life, ServerKind, Storage};

/// Time that killed servers have, at the end of a scenario, to end by themselves.
const AFTER_KILL: Duration = Duration::from_millis(1);

/// Servers, the network between them, and the entries they applied.
///
/// A handle: all clones refer to one cluster.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    design: Design,
    clock: Clock,
    schedule: Schedule,
    network: Network,
    /// Whether the network began without faults.
    reliable: bool,
    /// One slot per server.
    slots: Quiet<Vec<Slot>>,
    /// The kind of the servers, once it is chosen.
    server_kind: Quiet<Option<Arc<dyn ServerKind>>>,
    /// How fast the suite's own services are.
    pace: Arc<Pace>,
    /// The entries that the suite's own service received.
    ledger: Arc<Ledger>,
    /// Replaces the ledger if S0 is the only real server.
    apply_log: Option<Arc<ApplyLog>>,
    chance: Quiet<Chance>,
    observers: Option<Arc<Observers>>,
    /// Servers that were killed.
    graves: Graves,
    clients: Arc<Clients>,
    tally: Arc<Tally>,
    /// The links that are cut according to the record.
    cut_links: told::CutLinks,
}

/// One server of the cluster, across its lives. A life lasts from a start to the next crash.
#[derive(Default)]
struct Slot {
    connected: bool,
    /// `None` until the kind of servers is chosen.
    storage: Option<Box<dyn Storage>>,
    /// `None` while the server is down.
    running: Option<Arc<dyn Consensus>>,
    /// The service of the running server.
    service: Option<Box<dyn ServiceInstance>>,
    /// The observers' view of the present life.
    observed: Option<Arc<observe::Life>>,
}

impl Slot {
    fn storage_as<S: Storage>(&self) -> &S {
        let storage: &dyn Any = self.storage.as_deref().expect("the kind of servers is chosen");
        storage.downcast_ref().expect("the servers have this type of storage")
    }
}

/// The results of a run; outlives the cluster, even if the run fails.
#[derive(Default)]
pub(in crate::lab) struct Tally {
    state: Quiet<TallyState>,
    /// The clients' operations.
    pub(super) recorder: Arc<Recorder>,
}

#[derive(Default)]
struct TallyState {
    counters: Counters,
    commits: u64,
    traces: Vec<Traces>,
}

/// Weak references that tell whether any part of a server in one of its lives still exists.
struct Traces {
    instance: Weak<dyn Consensus>,
    storage: Weak<dyn Send + Sync>,
}

impl Traces {
    fn are_left(&self) -> bool {
        self.instance.strong_count() > 0 || self.storage.strong_count() > 0
    }
}

impl Tally {
    /// Remembers an instance and its storage, without keeping either alive.
    fn born(&self, instance: &Arc<dyn Consensus>, storage: &dyn Storage) {
        let (instance, storage) = (Arc::downgrade(instance), storage.downgrade());
        self.state.with(|state| state.traces.push(Traces { instance, storage }));
    }

    /// Records that `server` has applied `message`, and shows it to the observers of its `life`.
    pub(in crate::lab) fn applied(
        &self,
        server: ServerId,
        message: &ApplyMsg,
        life: Option<&observe::Life>,
    ) {
        let index = match message {
            ApplyMsg::Command { index, .. } => *index,
            ApplyMsg::Snapshot { last_included, .. } => last_included.index,
        };
        self.state.with(|state| state.commits = state.commits.max(index.0));
        told::tell_applied(server, message);
        if let Some(life) = life {
            // With the server's label, so that a report names the server.
            thread::with_label(Some(server.0), || life.applied(message));
        }
    }

    /// Calls and bytes of the whole run.
    pub(super) fn counters(&self) -> Counters {
        self.state.with(|state| state.counters)
    }

    /// The highest index that any server applied.
    pub(super) fn commits(&self) -> u64 {
        self.state.with(|state| state.commits)
    }

    /// Number of lives of servers whose memory is not completely freed: something still holds the
    /// instance or its storage, or its parts hold each other. After a run, any number but 0 is a
    /// leak.
    pub(super) fn servers_left(&self) -> usize {
        self.state.with(|state| state.traces.iter().filter(|traces| traces.are_left()).count())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let counters = self.network.counters();
        self.tally.state.with(|state| state.counters = counters);
    }
}

impl Cluster {
    /// Makes the cluster of `scenario`. Its servers are up unless the scenario chooses the service.
    /// Works only inside a run.
    pub(super) fn new(
        scenario: &Scenario,
        design: Design,
        config: &RunConfig,
        observers: Option<Arc<Observers>>,
        tally: Arc<Tally>,
    ) -> Cluster {
        let network = Network::new();
        network.set_reliable(!scenario.unreliable);
        network.set_long_delays(!scenario.part.chooses_service());
        // First the record: an observer may end the run at a message, which must be in it.
        if config.record {
            let real = if scenario.puppets { 1 } else { scenario.servers };
            network.tap(Arc::new(Narrator::new(design.facts, real)));
        }
        if let Some(observers) = &observers {
            network.tap(observers.clone());
        }
        let slots = (0..scenario.servers).map(|_| Slot::default()).collect();
        // With puppets, the service is the log of what was applied.
        let takes_snapshots = scenario.part.takes_snapshots() && !scenario.puppets;
        let ledger = Ledger::new(scenario.servers, takes_snapshots);
        let pace = Arc::new(Pace::default());
        let cluster = Cluster {
            inner: Arc::new(Inner {
                pace: pace.clone(),
                design,
                clock: config.clock,
                schedule: config.schedule,
                network,
                reliable: !scenario.unreliable,
                slots: Quiet::new(slots),
                server_kind: Quiet::default(),
                ledger: Arc::new(ledger),
                apply_log: scenario.puppets.then(Arc::default),
                chance: Quiet::new(stream("scenario")),
                clients: Clients::new(tally.recorder.clone(), observers.is_some()),
                observers,
                graves: Graves::default(),
                tally,
                cut_links: told::CutLinks::default(),
            }),
        };
        match &cluster.inner.apply_log {
            _ if scenario.part.chooses_service() => {}
            Some(log) => cluster.start_servers(Arc::new(OnConsensus(checked_by(log, pace))), 1),
            None => cluster.serve(checked_by(&cluster.inner.ledger, pace)),
        }
        cluster
    }

    /// Boots all servers, with the service that `start` starts in each of their lives, and connects
    /// them. Call this once, in a scenario of a part that
    /// [chooses its service](super::Part::chooses_service).
    ///
    /// The cluster holds `start`, so `start` must not hold the cluster: the cycle would keep both
    /// alive. The schedule may stall only tasks that are started inside
    /// [`under_test`](crate::runtime::thread::under_test). A service that cannot start from its
    /// storage ends the run with [`fail`](crate::runtime::fail).
    pub fn serve(
        &self,
        start: impl Fn(ServiceContext) -> Box<dyn ServiceInstance> + Send + Sync + 'static,
    ) {
        self.start_servers(Arc::new(OnConsensus(start)), self.server_count());
    }

    /// Makes all servers of this `kind`, boots the first `real` of them, and connects all.
    pub(in crate::lab) fn start_servers(&self, kind: Arc<dyn ServerKind>, real: usize) {
        self.inner.slots.with(|slots| {
            slots.iter_mut().for_each(|slot| slot.storage = Some(kind.new_storage()));
        });
        let earlier = self.inner.server_kind.with(|slot| slot.replace(kind));
        assert!(earlier.is_none(), "a cluster has one kind of servers");
        self.servers().take(real).for_each(|server| self.boot(server));
        self.servers().for_each(|server| self.link(server));
    }

    /// Ends a scenario: stops all servers.
    pub(super) fn finish(&self) {
        self.look_for_killed_servers();
        if let Some(observers) = &self.inner.observers {
            observers.finish();
        }
        told::tell_over();
        for server in self.servers() {
            self.crash(server);
        }
        thread::let_others_end(AFTER_KILL);
    }

    /// All servers, up or down.
    pub fn servers(&self) -> impl Iterator<Item = ServerId> + use<> {
        let count = self.inner.slots.with(|slots| slots.len());
        (0..count).map(ServerId::from_slot)
    }

    /// Number of servers.
    pub fn server_count(&self) -> usize {
        self.inner.slots.with(|slots| slots.len())
    }

    /// The server that comes `distance` steps after `server`, in a circle of all servers.
    pub fn after(&self, server: ServerId, distance: usize) -> ServerId {
        ServerId::from_slot((server.slot() + distance) % self.server_count())
    }

    /// The network, for cutting links and adding rules.
    pub fn network(&self) -> &Network {
        &self.inner.network
    }

    /// The design under test.
    pub fn design(&self) -> Design {
        self.inner.design
    }

    /// The key/value service under test.
    pub(in crate::lab) fn kv_design(&self) -> KvDesign {
        let kv = self.inner.design.kv;
        kv.expect("a design without a service does not play tests of services")
    }

    /// The state that the clients of the key/value service share.
    pub(in crate::lab) fn clients(&self) -> &Arc<Clients> {
        &self.inner.clients
    }

    /// The messages of the only real server to its service; `None` if all servers are real.
    pub(super) fn apply_log(&self) -> Option<Arc<ApplyLog>> {
        self.inner.apply_log.clone()
    }

    /// Whether the network of the scenario loses nothing.
    pub fn is_reliable(&self) -> bool {
        self.inner.reliable
    }

    /// The persister of `server` in its present life.
    pub fn persister(&self, server: ServerId) -> Persister {
        self.storage(server)
    }

    /// The storage of `server` in its present life. All servers of a cluster have the same type of
    /// storage, which is `S`.
    pub(in crate::lab) fn storage<S: Storage + Clone>(&self, server: ServerId) -> S {
        self.inner.slots.with(|slots| slots[server.slot()].storage_as::<S>().clone())
    }

    /// The kind of the servers.
    fn server_kind(&self) -> Arc<dyn ServerKind> {
        let kind = self.inner.server_kind.with(|kind| kind.clone());
        kind.expect("the kind of servers was chosen before the first boot")
    }

    /// The observers of the run, if it has any.
    pub(in crate::lab) fn observers(&self) -> Option<&Arc<Observers>> {
        self.inner.observers.as_ref()
    }

    /// The results of the run.
    pub(in crate::lab) fn tally(&self) -> &Arc<Tally> {
        &self.inner.tally
    }

    /// Makes a function that runs `act` if the cluster still exists, and that does not keep it
    /// alive.
    #[cfg(feature = "store")]
    pub(in crate::lab) fn later(
        &self,
        act: impl FnOnce(&Cluster) + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let inner = Arc::downgrade(&self.inner);
        move || {
            if let Some(inner) = inner.upgrade() {
                act(&Cluster { inner });
            }
        }
    }

    /// Submits `command` to `server`, which accepts it if it leads.
    ///
    /// # Errors
    /// [`NotLeader`]: the server refused, or is down.
    pub fn start(&self, server: ServerId, command: &[u8]) -> Result<Started, NotLeader> {
        self.start_bytes(server, Bytes::copy_from_slice(command))
    }

    /// Submits `command` to `server` like [`Cluster::start`], without copying the command.
    ///
    /// # Errors
    /// [`NotLeader`]: the server refused, or is down.
    pub fn start_bytes(&self, server: ServerId, command: Bytes) -> Result<Started, NotLeader> {
        let shown = record::on().then(|| ledger::shown(&command));
        let result = self.submit(server, command);
        if let Some(shown) = shown {
            record::step(|| match &result {
                Ok(Started { term, index }) => {
                    format!("starts {shown} at {server}: index {index} of term {term}")
                }
                Err(_) => format!("starts {shown} at {server}: it does not lead"),
            });
        }
        result
    }

    /// Submits `command` to `server` without a step in the record.
    fn submit(&self, server: ServerId, command: Bytes) -> Result<Started, NotLeader> {
        let refused = NotLeader { term: crate::api::Term(0), leader_hint: None };
        let consensus = self.running(server).ok_or(refused)?;
        thread::under_test(server.0, || consensus.start(command))
    }

    /// Draws a number in `0..bound` from the scenario's own random stream.
    pub fn draw(&self, bound: u64) -> u64 {
        self.inner.chance.with(|chance| chance.random_range(0..bound))
    }

    /// Draws one of the servers.
    pub fn draw_server(&self) -> ServerId {
        let servers = self.server_count();
        ServerId::from_slot(self.inner.chance.with(|chance| chance.random_range(0..servers)))
    }

    /// Draws a command that is most likely unique.
    pub fn draw_command(&self) -> Vec<u8> {
        self.inner.chance.with(|chance| chance.random::<u32>()).to_string().into_bytes()
    }

    /// Draws `size` letters.
    pub fn draw_text(&self, size: usize) -> Vec<u8> {
        self.inner
            .chance
            .with(|chance| (0..size).map(|_| chance.random_range(b'a'..=b'z')).collect())
    }

    /// Sleeps for `span_ms` milliseconds. In virtual time this costs nothing.
    #[track_caller]
    pub fn sleep_ms(&self, span_ms: u64) {
        self.run_for(Duration::from_millis(span_ms));
    }

    /// Fails if a server that was killed more than [`KILLED_FOR_MAX`] ago still has tasks. The
    /// cluster's own waits and crashes check this too.
    ///
    /// Under the hostile schedule, which may stall a task for longer, nothing is checked.
    pub fn look_for_killed_servers(&self) {
        if self.inner.schedule != Schedule::Hostile {
            self.inner.graves.look();
        }
    }

    /// Whether `server` is up.
    pub fn is_running(&self, server: ServerId) -> bool {
        self.inner.slots.with(|slots| slots[server.slot()].running.is_some())
    }

    /// Whether `server` is connected, up or down.
    pub fn is_connected(&self, server: ServerId) -> bool {
        self.inner.slots.with(|slots| slots[server.slot()].connected)
    }

    /// The term of `server`, and whether it leads; `None` while it is down.
    pub fn state_of(&self, server: ServerId) -> Option<Leadership> {
        self.running(server).map(|consensus| consensus.get_state())
    }

    /// Asks `server` for a read index, and waits until the server answers; `None` while it is down.
    pub fn read_index(&self, server: ServerId) -> Option<Result<Option<Index>, NotLeader>> {
        let consensus = self.running(server)?;
        Some(thread::under_test(server.0, || consensus.read_index()))
    }

    /// Makes each of the suite's own services pause before each message from now on.
    pub fn slow_services(&self, pause: Duration) {
        self.inner.pace.set(pause);
    }

    /// The present instance of `server`; `None` while it is down.
    pub(in crate::lab) fn running(&self, server: ServerId) -> Option<Arc<dyn Consensus>> {
        self.inner.slots.with(|slots| slots[server.slot()].running.clone())
    }

    /// The servers that are up, with their instances.
    fn all_running(&self) -> Vec<(ServerId, Arc<dyn Consensus>)> {
        self.servers().filter_map(|server| Some((server, self.running(server)?))).collect()
    }

    fn connected_and_running(&self) -> Vec<(ServerId, Arc<dyn Consensus>)> {
        let mut running = self.all_running();
        running.retain(|(server, _)| self.is_connected(*server));
        running
    }
}

/// Ends the run because a wait took too long or a limit was exceeded.
#[track_caller]
fn limit(name: &'static str, message: String) -> ! {
    runtime::fail(FailureKind::Limit, name, message)
}

fn host(server: ServerId) -> Host {
    Host::Server(server)
}
