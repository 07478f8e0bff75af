//! The bench: services that run on played consensus modules, and their callers.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::consensus::Played;
use crate::api::{ApplyMsg, Index, Position, RsmConfig, ServerId, SubmitError, Term};
use crate::lab::service::{Count, Counted, Counting, KvClient, ServiceContext, ServiceInstance};
use crate::lab::{Cluster, KvDesign};
use crate::labrpc::Host;
use crate::persister::{Persister, Stored, Unsynced};
use crate::runtime::thread::JoinHandle;
use crate::runtime::time::Instant;
use crate::runtime::{self, FailureKind, thread};

/// Maximum time that a service may take for a step that depends on no other server. The limit can
/// be long: only a wait that fails takes that long.
const SOON: Duration = Duration::from_secs(5);

/// Makes services that run on played consensus modules. It uses only the network of the cluster.
pub struct Bench<'a> {
    cluster: &'a Cluster,
    clients: Cell<u32>,
}

/// A service, and the played consensus module that it runs on.
pub struct Replica<'a, S: ServiceInstance + ?Sized> {
    /// The consensus module, which the scenario controls.
    pub played: Arc<Played>,
    /// The service.
    pub service: Arc<S>,
    bench: &'a Bench<'a>,
}

/// An operation that a task of its own submitted.
pub struct Submission<'a, T> {
    task: JoinHandle<T>,
    bench: &'a Bench<'a>,
}

impl Bench<'_> {
    /// A bench for a scenario that does not choose a service for its cluster.
    pub fn new(cluster: &Cluster) -> Bench<'_> {
        // A call to a server that is cut off ends within 100 ms.
        cluster.network().set_long_delays(false);
        Bench { cluster, clients: Cell::default() }
    }

    fn design(&self) -> KvDesign {
        self.cluster.kv_design()
    }

    /// Starts a counter on a server with the storage `persister`.
    pub fn counter(&self, persister: Persister, config: RsmConfig) -> Replica<'_, dyn Counting> {
        let (played, service) = self.start(ServerId(0), persister, config, self.design().counter);
        Replica { played, service, bench: self }
    }

    /// Starts the key/value server `me`, and lets all clients reach it.
    pub fn server(
        &self,
        me: ServerId,
        persister: Persister,
        config: RsmConfig,
    ) -> Replica<'_, dyn ServiceInstance> {
        let (played, service) = self.start(me, persister, config, self.design().server);
        self.cluster.network().add_server(Host::Server(me), service.services());
        self.reached(me, true);
        Replica { played, service: Arc::from(service), bench: self }
    }

    fn start<T>(
        &self,
        me: ServerId,
        persister: Persister,
        config: RsmConfig,
        start: fn(ServiceContext, RsmConfig) -> Result<T, String>,
    ) -> (Arc<Played>, T) {
        let (played, apply_ch) = Played::new(me, persister.clone());
        let consensus = played.clone();
        let stored = Stored::read(persister).map_err(|error| error.to_string());
        let context =
            stored.map(|stored| ServiceContext { server: me, consensus, apply_ch, stored });
        let service = context
            .and_then(|context| thread::under_test(me.0, || start(context, config)))
            .unwrap_or_else(|error| runtime::fail(FailureKind::Assertion, "service_start", error));
        (played, service)
    }

    /// Makes a client of all servers of the cluster, whether or not they are running.
    pub fn client(&self) -> Box<dyn KvClient> {
        let id = self.clients.replace(self.clients.get() + 1);
        let host = Host::Client(id);
        let servers = self.cluster.server_count();
        let client = (self.design().client)(id.into(), self.cluster.network(), host, servers);
        for server in self.cluster.servers() {
            self.cluster.network().enable(host, Host::Server(server), true);
        }
        client
    }

    /// Sets whether the present clients can reach `server`. A call that waits for its reply when
    /// the link is cut gets no reply.
    pub fn reached(&self, server: ServerId, on: bool) {
        for client in 0..self.clients.get() {
            self.cluster.network().enable(Host::Client(client), Host::Server(server), on);
        }
    }

    /// The command that a leader's service puts into the log for `op`.
    pub fn command(&self, op: Count) -> Bytes {
        let donor = self.counter(Persister::new(), RsmConfig::default());
        donor.played.leads(1);
        let submission = donor.submit(op);
        donor.wait_started(1);
        let command = donor.played.command(Index(1));
        donor.service.end();
        let outcome = submission.outcome();
        assert!(outcome.is_err(), "nothing was committed: {outcome:?}");
        command
    }

    /// Runs `call`, which waits for the service, in a task of its own.
    pub fn runs<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Submission<'_, T> {
        Submission { task: thread::spawn("caller", call), bench: self }
    }

    /// Removes `server` from the network: calls that wait for it get no reply.
    pub fn retire(&self, server: ServerId) {
        self.cluster.network().delete_server(Host::Server(server));
    }

    /// Waits until `done`, for at most `limit`. Returns whether `done` became true.
    pub fn happens(&self, limit: Duration, mut done: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while !done() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Waits until `done`; ends the run if that takes more than five seconds. `what` names the
    /// step for the failure text.
    pub fn must_happen(&self, what: &str, done: impl FnMut() -> bool) {
        self.within(SOON, what, done);
    }

    /// Waits until `done`, like [`must_happen`](Bench::must_happen) but for at most `limit`.
    pub fn within(&self, limit: Duration, what: &str, done: impl FnMut() -> bool) {
        if !self.happens(limit, done) {
            let message = format!("{what} takes more than {limit:?}");
            self.cluster.end_by_limit("service_stuck", message);
        }
    }
}

impl<'a, T> Submission<'a, T> {
    /// Whether the operation has not returned.
    pub fn is_open(&self) -> bool {
        !self.task.is_finished()
    }

    /// Waits for the operation's result, which must come within five seconds.
    pub fn outcome(self) -> T {
        self.outcome_within(SOON)
    }

    /// Waits for the operation's result, which must come within `limit`.
    pub fn outcome_within(self, limit: Duration) -> T {
        let Submission { task, bench } = self;
        bench.within(limit, "the return of an operation", || task.is_finished());
        task.join()
    }

    /// Asserts that the operation has not returned after `span`; `why` says what it must wait for.
    pub fn stays_open(&self, span: Duration, why: &str) {
        thread::sleep(span);
        assert!(self.is_open(), "{why}");
    }
}

impl<'a, S: ServiceInstance + ?Sized> Replica<'a, S> {
    /// Waits until `count` commands are in the log.
    pub fn wait_started(&self, count: u64) {
        let what = format!("starting command {count}");
        self.bench.must_happen(&what, || self.played.last_index() >= Index(count));
    }

    /// Commits the next entry of the log: sends it to the service.
    ///
    /// # Panics
    /// If there is no such entry.
    pub fn commit(&self) {
        let message = self.played.next_message().map(|(message, _)| message);
        self.deliver(message.expect("there is an entry that was not delivered"));
    }

    /// Commits all entries of the log: sends them to the service.
    pub fn commit_all(&self) {
        while self.played.delivered() < self.played.last_index() {
            self.commit();
        }
    }

    /// Commits `command` as another leader's entry of `term`, right after the last delivered
    /// entry.
    pub fn commit_other(&self, term: u64, command: &Bytes) {
        self.played.overwrite(term, command.clone());
        self.commit();
    }

    /// Installs another leader's snapshot, whose last entry is at `index` and of `term`.
    pub fn install(&self, term: u64, index: Index, data: &Bytes) {
        let last_included = Position { term: Term(term), index };
        self.played.replace(last_included, data);
        self.deliver(ApplyMsg::Snapshot { last_included, data: data.clone() });
    }

    fn deliver(&self, message: ApplyMsg) {
        let sender = self.played.sender().expect("a killed module delivers nothing");
        if sender.send_timeout(message, SOON).is_err() {
            let message = format!("the service did not receive a committed entry for {SOON:?}");
            self.bench.cluster.end_by_limit("apply_channel_not_read", message);
        }
    }

    /// Ends the service, which loses its memory and its unsynced writes.
    ///
    /// Returns the server's storage for the next life.
    pub fn crash(self) -> Persister {
        let stored = self.played.persister().crash(Unsynced::LoseAll);
        self.service.end();
        assert!(self.played.is_killed(), "a service that ends must kill its consensus module");
        stored
    }
}

impl<'a> Replica<'a, dyn Counting> {
    /// Submits `op` in a task of its own.
    pub fn submit(&self, op: Count) -> Submission<'a, Result<Counted, SubmitError>> {
        let counter = self.service.clone();
        let submit = move || counter.submit(&op);
        let task = thread::under_test(0, || thread::spawn("submit", submit));
        Submission { task, bench: self.bench }
    }

    /// Waits until the counter has reached `value`.
    pub fn wait_value(&self, value: i64) {
        let what = format!("counting to {value}, from {}", self.service.value());
        self.bench.must_happen(&what, || self.service.value() == value);
    }
}
