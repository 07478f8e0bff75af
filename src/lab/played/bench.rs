//! The bench: services above played consensus modules, and who calls them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::consensus::Played;
use crate::api::{ApplyMsg, Index, Position, RsmConfig, ServerId, SubmitError, Term};
use crate::lab::application::Living;
use crate::lab::service::{Below, Count, Counted, Counting, KvClient};
use crate::lab::{Cluster, KvDesign};
use crate::labrpc::Host;
use crate::persister::{Persister, Stored, Unsynced};
use crate::runtime::thread::JoinHandle;
use crate::runtime::time::Instant;
use crate::runtime::{self, FailureKind, thread};

/// How long a service may take for what needs nobody else: long, since only waiting in vain
/// costs time.
const SOON: Duration = Duration::from_secs(5);

/// Makes services above played consensus modules. There is no cluster but its network.
pub struct Bench<'a> {
    cluster: &'a Cluster,
    clients: Cell<u32>,
}

/// A service, above the consensus module that is played for it.
pub struct Replica<'a, T: Above> {
    /// What the scenario plays.
    pub played: Arc<Played>,
    /// The service.
    pub above: T,
    bench: &'a Bench<'a>,
}

/// What can stand above a consensus module.
pub trait Above {
    /// Ends it.
    fn end(&self);
}

impl Above for Arc<dyn Counting> {
    fn end(&self) {
        self.kill();
    }
}

impl Above for Box<dyn Living> {
    fn end(&self) {
        Living::end(&**self);
    }
}

/// An operation that was submitted by a task of its own.
pub struct Submission<'a, T> {
    task: JoinHandle<T>,
    bench: &'a Bench<'a>,
}

impl Bench<'_> {
    /// A bench in a scenario that does not choose a service for its cluster.
    pub fn new(cluster: &Cluster) -> Bench<'_> {
        // A call to a server that is cut off ends within 100 ms.
        cluster.network().set_long_delays(false);
        Bench { cluster, clients: Cell::default() }
    }

    fn design(&self) -> KvDesign {
        self.cluster.kv_design()
    }

    /// Starts a counter on a server that has stored what `persister` has.
    pub fn counter(
        &self,
        persister: Persister,
        config: RsmConfig,
    ) -> Replica<'_, Arc<dyn Counting>> {
        let (played, above) = self.start(ServerId(0), persister, config, self.design().counter);
        Replica { played, above, bench: self }
    }

    /// Starts the key/value server `me`, and lets all clients reach it.
    pub fn server(
        &self,
        me: ServerId,
        persister: Persister,
        config: RsmConfig,
    ) -> Replica<'_, Box<dyn Living>> {
        let (played, above) = self.start(me, persister, config, self.design().server);
        self.cluster.network().add_server(Host::Server(me), above.services());
        self.reached(me, true);
        Replica { played, above, bench: self }
    }

    fn start<T>(
        &self,
        me: ServerId,
        persister: Persister,
        config: RsmConfig,
        start: fn(Below) -> Result<T, String>,
    ) -> (Arc<Played>, T) {
        let (played, apply_ch) = Played::new(me, persister.clone());
        let consensus = played.clone();
        let stored = Stored::read(persister).map_err(|error| error.to_string());
        let below = stored.map(|stored| Below { consensus, apply_ch, stored, config });
        let above = below
            .and_then(|below| thread::under_test(me.0, || start(below)))
            .unwrap_or_else(|error| runtime::fail(FailureKind::Assertion, "service_start", error));
        (played, above)
    }

    /// A client of all servers of the cluster, whether they are there or not.
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

    /// Whether `server` can be reached by the clients that are there. A call that waits for its
    /// answer when the way is cut gets none.
    pub fn reached(&self, server: ServerId, on: bool) {
        for client in 0..self.clients.get() {
            self.cluster.network().enable(Host::Client(client), Host::Server(server), on);
        }
    }

    /// What the log of a leader has when its service is asked for `op`.
    pub fn command(&self, op: Count) -> Bytes {
        let donor = self.counter(Persister::new(), RsmConfig::default());
        donor.played.leads(1);
        let submission = donor.submit(op);
        donor.wait_started(1);
        let command = donor.played.command(Index(1));
        donor.above.kill();
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

    /// Takes `server` out of the network: calls that wait for it get no answer.
    pub fn retire(&self, server: ServerId) {
        self.cluster.network().delete_server(Host::Server(server));
    }

    /// Waits until `done`, for `limit` at most. Whether it came to that.
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

    /// Waits until `done`; ends the run if that takes more than five seconds. `what` says what.
    pub fn soon(&self, what: &str, done: impl FnMut() -> bool) {
        self.within(SOON, what, done);
    }

    /// As [`soon`](Bench::soon), with another limit.
    pub fn within(&self, limit: Duration, what: &str, done: impl FnMut() -> bool) {
        if !self.happens(limit, done) {
            let message = format!("{what} takes more than {limit:?}");
            self.cluster.end_by_limit("service_stuck", message);
        }
    }
}

impl<'a, T> Submission<'a, T> {
    /// Whether it has not returned.
    pub fn is_open(&self) -> bool {
        !self.task.is_finished()
    }

    /// What it returns; it must do so within five seconds.
    pub fn outcome(self) -> T {
        self.outcome_within(SOON)
    }

    /// What it returns; it must do so within `limit`.
    pub fn outcome_within(self, limit: Duration) -> T {
        let Submission { task, bench } = self;
        bench.within(limit, "the return of an operation", || task.is_finished());
        task.join()
    }

    /// Asserts that it has not returned after `span`: what it waits for has not happened.
    pub fn stays_open(&self, span: Duration, why: &str) {
        thread::sleep(span);
        assert!(self.is_open(), "{why}");
    }
}

impl<'a, T: Above> Replica<'a, T> {
    /// Waits until `count` commands are in the log.
    pub fn wait_started(&self, count: u64) {
        let what = format!("starting command {count}");
        self.bench.soon(&what, || self.played.last_index() >= Index(count));
    }

    /// Sends the service the next entry of the log: it is committed.
    ///
    /// # Panics
    /// When there is none.
    pub fn commit(&self) {
        let message = self.played.next_message().map(|(message, _)| message);
        self.deliver(message.expect("there is an entry that was not delivered"));
    }

    /// Sends the service all entries of the log.
    pub fn commit_all(&self) {
        while self.played.delivered() < self.played.last_index() {
            self.commit();
        }
    }

    /// A leader of `term` has put `command` into the log behind what was delivered, and has
    /// committed it.
    pub fn commit_other(&self, term: u64, command: &Bytes) {
        self.played.overwrite(term, command.clone());
        self.commit();
    }

    /// A leader has sent its snapshot, which ends at `index`, with an entry of `term`.
    pub fn install(&self, term: u64, index: Index, data: &Bytes) {
        let last_included = Position { term: Term(term), index };
        self.played.replace(last_included, data);
        self.deliver(ApplyMsg::Snapshot { last_included, data: data.clone() });
    }

    fn deliver(&self, message: ApplyMsg) {
        let sender = self.played.sender().expect("a killed module delivers nothing");
        if sender.send_timeout(message, SOON).is_err() {
            let message = format!("the service does not take what is committed for {SOON:?}");
            self.bench.cluster.end_by_limit("apply_channel_not_read", message);
        }
    }

    /// Ends the service, which loses what was not stored, and everything that it holds.
    ///
    /// What the server stored, for the next life.
    pub fn crash(self) -> Persister {
        let stored = self.played.persister().crash(Unsynced::LoseAll);
        self.above.end();
        assert!(self.played.is_killed(), "a service that ends kills its consensus module");
        stored
    }
}

impl<'a> Replica<'a, Arc<dyn Counting>> {
    /// Submits `op` in a task of its own.
    pub fn submit(&self, op: Count) -> Submission<'a, Result<Counted, SubmitError>> {
        let counter = self.above.clone();
        let submit = move || counter.submit(&op);
        let task = thread::under_test(0, || thread::spawn("submit", submit));
        Submission { task, bench: self.bench }
    }

    /// Waits until the counter has come to `value`.
    pub fn wait_value(&self, value: i64) {
        let what = format!("counting to {value}, from {}", self.above.value());
        self.bench.soon(&what, || self.above.value() == value);
    }
}
