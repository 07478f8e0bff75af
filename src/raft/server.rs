//! One server: its state behind one lock, and the critical section that every rule runs in.
//!
//! ```text
//! handlers   election   replicators   applier   service
//!     └─────────┴────────────┼───────────┴─────────┘
//!                            ▼
//!                    step(rule): lock
//!                                rule(&mut State, &mut Effects)
//!                                save and sync what the effects name
//!                                wake the tasks that have work
//!                                check the invariants, unlock
//! ```
//!
//! Only `step` changes the state, so a rule never finds a half-changed one, and a reply never
//! leaves before the state that it promises is durable. Under the lock nothing waits for a peer or
//! for the service; only the disk is slow there (`mod.rs` says what that costs).

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use tarpc::client::RpcError;

use super::invariants::Summary;
use super::persist;
use super::replication::Owed;
use super::state::{Effects, State};
use super::timing::ElectionTimer;
use crate::api::ServerId;
use crate::api::raft_rpc::{RaftRpcClient, RaftRpcRequest, RaftRpcResponse};
use crate::labrpc::ClientEnd;
use crate::note;
use crate::persister::{PersistError, Persister};
use crate::runtime::sync::{Condvar, Mutex, MutexGuard};
use crate::runtime::time::Instant;
use crate::runtime::{Stop, block_on, thread};

/// The connection to another server.
pub type Peer = RaftRpcClient<ClientEnd<RaftRpcRequest, RaftRpcResponse>>;

/// The part of one instance that its tasks share.
pub(super) struct Server {
    me: ServerId,
    peers: Vec<Peer>,
    persister: Persister,
    inner: Mutex<Inner>,
    /// Set once, when the instance has to end.
    pub stop: Stop,
    /// Wakes the election task, only to stop it.
    pub election: Condvar,
    /// Wakes the applier when there is something to apply.
    pub applier: Condvar,
    /// Wakes the reads that wait for a majority to confirm that we still lead.
    pub reads: Condvar,
    /// Wakes the replicators when something is owed to their follower. One slot per server; our own
    /// is unused.
    replicators: Vec<Condvar>,
}

/// The reads that wait for a majority to confirm that we still lead; `read_index.rs` has the rules.
///
/// They are counted so that a step does no work for reads while none waits.
#[derive(Debug, Default)]
pub(super) struct WaitingReads {
    /// How many wait.
    pub count: usize,
    /// The state's `confirmed_round` when they were last woken, or when the first of them began to
    /// wait.
    pub seen_round: Option<u64>,
}

struct Inner {
    state: State,
    timer: ElectionTimer,
    waiting_reads: WaitingReads,
    /// Summary of the state when it was last checked.
    last_summary: Summary,
    /// Whether a rule has run since then: only a rule changes the state.
    unchecked: bool,
    /// False while a rule or a check runs. After a panic in one it stays false, and no task checks
    /// again: all tasks are unwound then, and a second panic would abort the process.
    sound: bool,
}

impl Server {
    /// Makes a server that starts, or restarts, with the state in `persister`.
    pub(super) fn new(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
    ) -> Result<Server, PersistError> {
        let state = State::recover(me, peers.len(), persister.load()?);
        let timer = ElectionTimer::new(me, state.current_term);
        let last_summary = Summary::at(&state);
        note!(me, Info, "starts as {last_summary}");
        Ok(Server {
            me,
            replicators: peers.iter().map(|_| Condvar::new()).collect(),
            peers,
            persister,
            inner: Mutex::new(Inner {
                state,
                timer,
                waiting_reads: WaitingReads::default(),
                last_summary,
                unchecked: true,
                sound: true,
            }),
            stop: Stop::default(),
            election: Condvar::new(),
            applier: Condvar::new(),
            reads: Condvar::new(),
        })
    }

    /// Takes the lock, to read the state or to call [`Guard::step`].
    #[track_caller]
    pub(super) fn lock(&self) -> Guard<'_> {
        Guard { inner: self.inner.lock(), server: self, holds_lock: true }
    }

    /// Applies one rule in a critical section of its own. See [`Guard::step`].
    #[track_caller]
    pub(super) fn step<T>(&self, rule: impl FnOnce(&mut State, &mut Effects) -> T) -> Option<T> {
        self.lock().step(rule)
    }

    /// Ends the instance: its tasks end soon, whatever they wait for. Idempotent.
    pub(super) fn kill(&self) {
        let _guard = self.lock();
        self.end();
    }

    /// Ends the instance. Called with the lock held: otherwise a task could read `stop` before this
    /// call, wait after it, and miss the wake-up.
    fn end(&self) {
        self.stop.stop();
        self.election.notify_all();
        self.reads.notify_all();
        self.applier.notify_all();
        self.replicators.iter().for_each(Condvar::notify_all);
    }

    /// Iterates over all servers but this one.
    pub(super) fn peers(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.me;
        (0..self.peers.len()).map(ServerId::from_slot).filter(move |&server| server != me)
    }

    /// Returns the connection to another server.
    pub(super) fn peer(&self, peer: ServerId) -> Peer {
        self.peers[peer.slot()].clone()
    }

    /// Returns the condition that wakes the replicator of `follower`.
    pub(super) fn replicator(&self, follower: ServerId) -> &Condvar {
        &self.replicators[follower.slot()]
    }

    /// Makes one call to a peer in a new task, and passes the reply, if one comes, to `on_reply`.
    ///
    /// While the task waits it keeps no part of this instance alive, and it stops waiting when the
    /// instance ends.
    pub(super) fn call<R: Send + 'static>(
        self: &Arc<Server>,
        call: impl Future<Output = Result<R, RpcError>> + Send + 'static,
        on_reply: impl FnOnce(&Server, R) + Send + 'static,
    ) {
        let (server, stop) = (Arc::downgrade(self), self.stop.clone());
        thread::go(move || {
            if let Some(Ok(reply)) = block_on(stop.or(call))
                && let Some(server) = server.upgrade()
            {
                on_reply(&server, reply);
            }
        });
    }
}

/// The held lock of a [`Server`]. It gives access to the state; only [`Guard::step`] changes it.
///
/// On every release after a rule, also for a wait, it checks the invariants.
pub(super) struct Guard<'a> {
    inner: MutexGuard<'a, Inner>,
    server: &'a Server,
    /// False during a wait. If the run ends there it stays false, and `drop` checks nothing.
    holds_lock: bool,
}

impl Guard<'_> {
    /// Applies one rule, and carries out its effects before any other task can see what it did.
    ///
    /// Returns `None` if the instance has stopped, or if its storage just failed, which stops it.
    /// Then the caller must promise nothing.
    #[track_caller]
    pub(super) fn step<T>(
        &mut self,
        rule: impl FnOnce(&mut State, &mut Effects) -> T,
    ) -> Option<T> {
        if self.server.stop.is_stopped() {
            return None;
        }
        let mut effects = Effects::default();
        self.inner.unchecked = true;
        let sound = std::mem::replace(&mut self.inner.sound, false);
        let outcome = rule(&mut self.inner.state, &mut effects);
        let saved = persist::save(&self.server.persister, &self.inner.state, &effects);
        self.inner.sound = sound;
        if let Err(error) = saved {
            note!(self.server.me, Error, "stops: its storage failed: {error}");
            self.server.end();
            return None;
        }
        if effects.reset_election_timer {
            self.reset_election_timer();
        }
        self.wake();
        Some(outcome)
    }

    /// Wakes the tasks that have work. This is decided from the state, so no rule can forget a
    /// wake-up; a spurious one is harmless.
    #[track_caller]
    fn wake(&mut self) {
        let inner = &mut *self.inner;
        if inner.waiting_reads.take_news(&inner.state) {
            self.server.reads.notify_all();
        }
        let state = &self.inner.state;
        if state.has_more_to_apply() {
            self.server.applier.notify_one();
        }
        if state.is_leader() {
            for follower in state.peers().filter(|&peer| state.owed_to(peer) != Owed::Nothing) {
                self.server.replicator(follower).notify_one();
            }
        }
    }

    /// Returns the reads that wait.
    pub(super) fn waiting_reads(&mut self) -> &mut WaitingReads {
        &mut self.inner.waiting_reads
    }

    /// Waits a whole election timeout again.
    pub(super) fn reset_election_timer(&mut self) {
        self.inner.timer.reset();
    }

    /// Returns the moment to start an election.
    pub(super) fn election_deadline(&self) -> Instant {
        self.inner.timer.election_deadline()
    }

    /// Releases the lock and waits until `condvar` wakes it.
    #[track_caller]
    pub(super) fn wait(&mut self, condvar: &Condvar) {
        self.check();
        self.holds_lock = false;
        condvar.wait(&mut self.inner);
        self.holds_lock = true;
    }

    /// Releases the lock and waits until `condvar` wakes it, at the latest to `deadline`.
    #[track_caller]
    pub(super) fn wait_until(&mut self, condvar: &Condvar, deadline: Instant) {
        self.check();
        self.holds_lock = false;
        condvar.wait_until(&mut self.inner, deadline);
        self.holds_lock = true;
    }

    /// Checks the invariants, if a rule has run since the last check.
    fn check(&mut self) {
        let inner = &mut *self.inner;
        if inner.unchecked && std::mem::replace(&mut inner.sound, false) {
            inner.last_summary.update(&inner.state);
            (inner.unchecked, inner.sound) = (false, true);
        }
    }
}

impl Deref for Guard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.inner.state
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.holds_lock {
            self.check();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::*;
    use crate::api::Term;
    use crate::labrpc::{Host, Network};
    use crate::raft::Raft;
    use crate::raft::testing::{ME, entries};
    use crate::raft::timing::ELECTION_TIMEOUT_MIN;
    use crate::runtime::{self, Clock, RunConfig, channel};

    /// One slot, our own, which is never called.
    fn nobody_else() -> Vec<Peer> {
        let me = Host::Server(ME);
        vec![Network::new().end(me, me).into()]
    }

    /// A server of a cluster of one, without any of its tasks.
    fn alone() -> Server {
        Server::new(nobody_else(), ME, Persister::new()).unwrap()
    }

    fn in_a_run(main: impl FnOnce() + Send + 'static) {
        let outcome = runtime::run(&RunConfig::default(), main);
        assert_eq!(outcome.tasks_left, 0, "some tasks did not end");
        outcome.result.unwrap();
    }

    #[test]
    fn what_a_rule_names_is_durable_when_its_step_ends() {
        in_a_run(|| {
            let server = alone();
            server.step(State::start_election).unwrap();
            let durable = server.persister.durable_vote();
            assert_eq!(durable, (server.lock().current_term, Some(ME)));
        });
    }

    #[test]
    fn a_reset_timer_waits_a_whole_timeout_again() {
        in_a_run(|| {
            let server = alone();
            let before = server.lock().election_deadline();
            thread::sleep(Duration::from_millis(100));
            server.step(|_, _| ()).unwrap();
            assert_eq!(server.lock().election_deadline(), before, "no rule asked for a reset");
            server.step(|_, effects| effects.reset_election_timer = true).unwrap();
            let whole = server.lock().election_deadline() - Instant::now();
            let almost = ELECTION_TIMEOUT_MIN - Duration::from_millis(1);
            assert!(whole > almost, "{whole:?} is not a whole timeout");
        });
    }

    #[test]
    fn a_stopped_server_applies_no_rule() {
        in_a_run(|| {
            let server = alone();
            server.kill();
            server.kill();
            assert_eq!(server.step(State::start_election), None, "it may promise nothing");
            assert_eq!(server.persister.durable_vote().1, None);
        });
    }

    #[test]
    fn a_stop_ends_every_wait_for_an_answer() {
        in_a_run(|| {
            let stop = Stop::default();
            let (theirs, never) = (stop.clone(), pending::<()>());
            let waits = thread::spawn("waits", move || block_on(theirs.or(never)));
            thread::sleep(Duration::from_millis(1));
            stop.stop();
            assert_eq!(waits.join(), None);
            assert_eq!(block_on(stop.clone().or(pending::<()>())), None, "a later wait ends, too");
            assert_eq!(block_on(stop.or(async { 7 })), Some(7), "a reply that is there counts");
        });
    }

    #[test]
    fn a_call_neither_keeps_its_server_alive_nor_outlives_it() {
        in_a_run(|| {
            let (server, waits) = (Arc::new(alone()), Arc::new(()));
            let held = waits.clone();
            let call = async move {
                let _held = held;
                pending::<Result<(), RpcError>>().await
            };
            server.call(call, |_, ()| ());
            thread::sleep(Duration::from_millis(1));
            assert_eq!((Arc::strong_count(&server), Arc::strong_count(&waits)), (1, 2));
            server.kill();
            thread::sleep(Duration::from_millis(1));
            assert_eq!(Arc::strong_count(&waits), 1, "the call outlived its server");
        });
    }

    #[test]
    fn an_answer_reaches_its_rule() {
        in_a_run(|| {
            let server = Arc::new(alone());
            server.call(async { Ok::<_, RpcError>(5) }, |server, term| {
                server.step(|state, effects| state.observe_term(Term(term), ME, effects));
            });
            thread::sleep(Duration::from_millis(1));
            assert_eq!(server.lock().current_term, Term(5));
        });
    }

    #[test]
    fn a_broken_invariant_fails_the_run_and_nothing_more() {
        for clock in [Clock::Virtual, Clock::Real] {
            let config = RunConfig { clock, ..RunConfig::default() };
            let outcome = runtime::run(&config, || {
                // An entry of term 3 in storage whose current term is 0.
                let persister = Persister::new();
                persister.append(&entries(1, &[3]));
                persister.sync().expect("memory does not fail");
                let (apply_sender, _apply_ch) = channel::bounded(0);
                let _raft = Raft::make(nobody_else(), ME, persister, apply_sender);
                thread::sleep(Duration::from_secs(2));
            });
            let failure = outcome.result.expect_err("the invariant was not checked");
            assert!(failure.message.contains("current_term=0"), "{failure}");
        }
    }
}
