//! One server: its state behind one lock, and the critical section that every rule runs in.
//!
//! ```text
//! handlers   election   replicators   applier   service
//!     └─────────┴────────────┼───────────┴─────────┘
//!                            ▼
//!                    step(rule): lock
//!                                rule(&mut State, &mut Effects)
//!                                save and sync what the effects name
//!                                wake who has something to do
//!                                check the invariants, unlock
//! ```
//!
//! Nothing else changes the state, and nothing slow happens in there: no call to a peer, no
//! message to the service. So a rule never meets a state that is half changed, and the answer that
//! follows from a rule never leaves before what it promises is durable.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use tarpc::client::RpcError;

use super::invariants::Look;
use super::replication::Owed;
use super::state::{Effects, State};
use super::timing::ElectionTimer;
use super::{Peer, persist};
use crate::api::ServerId;
use crate::persister::{PersistError, Persister};
use crate::record::{Event, emit};
use crate::runtime::sync::{Condvar, Mutex, MutexGuard};
use crate::runtime::time::Instant;
use crate::runtime::{Stop, block_on, thread};

/// What the tasks of one instance share.
pub struct Server {
    me: ServerId,
    peers: Vec<Peer>,
    persister: Persister,
    inner: Mutex<Inner>,
    /// Set once, when the instance is to end.
    pub stop: Stop,
    /// Wakes the election task: only to stop.
    pub election: Condvar,
    /// Wakes the applier: there is something to apply.
    pub applier: Condvar,
    /// Wakes reads that wait to hear whether we still lead.
    pub reads: Condvar,
    /// Wakes the replicators: their follower is owed something. One slot per server; our own is
    /// unused.
    replicators: Vec<Condvar>,
}

struct Inner {
    state: State,
    timer: ElectionTimer,
    /// How many reads wait.
    waiting_reads: usize,
    /// The state's `confirmed_round` when they were last woken, or the first of them came.
    seen_round: Option<u64>,
    /// What the state looked like when the lock was last released.
    last_look: Look,
    /// False while a rule or a check is at work. Should that panic, it stays so and nobody looks
    /// again: all tasks are unwound then, and a second panic would abort the process.
    sound: bool,
}

impl Server {
    /// A server that starts, or starts again, with what `persister` has.
    pub fn new(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
    ) -> Result<Server, PersistError> {
        let state = State::recover(me, peers.len(), persister.load()?);
        let timer = ElectionTimer::new(me, state.current_term);
        let last_look = Look::at(&state);
        emit(|| event(me, format!("starts as {last_look}")));
        Ok(Server {
            me,
            replicators: peers.iter().map(|_| Condvar::new()).collect(),
            peers,
            persister,
            inner: Mutex::new(Inner {
                state,
                timer,
                waiting_reads: 0,
                seen_round: None,
                last_look,
                sound: true,
            }),
            stop: Stop::default(),
            election: Condvar::new(),
            applier: Condvar::new(),
            reads: Condvar::new(),
        })
    }

    /// Takes the lock, to look at the state or to [`Guard::step`].
    #[track_caller]
    pub fn lock(&self) -> Guard<'_> {
        Guard { inner: self.inner.lock(), server: self, holds_lock: true }
    }

    /// Applies one rule in a critical section of its own. See [`Guard::step`].
    #[track_caller]
    pub fn step<T>(&self, rule: impl FnOnce(&mut State, &mut Effects) -> T) -> Option<T> {
        self.lock().step(rule)
    }

    /// Ends the instance: its tasks end soon, whatever they wait for. Idempotent.
    pub fn kill(&self) {
        let _guard = self.lock();
        self.end();
    }

    /// Ends the instance. Called with the lock held, so that no task can look at `stop` before
    /// and wait after.
    fn end(&self) {
        self.stop.stop();
        self.election.notify_all();
        self.reads.notify_all();
        self.applier.notify_all();
        self.replicators.iter().for_each(Condvar::notify_all);
    }

    /// All servers but this one.
    pub fn peers(&self) -> impl Iterator<Item = ServerId> + use<> {
        let me = self.me;
        (0..self.peers.len()).map(ServerId::from_slot).filter(move |&server| server != me)
    }

    /// The way to another server.
    pub fn peer(&self, peer: ServerId) -> Peer {
        self.peers[peer.slot()].clone()
    }

    /// What wakes the replicator of `follower`.
    pub fn replicator(&self, follower: ServerId) -> &Condvar {
        &self.replicators[follower.slot()]
    }

    /// Makes one call to a peer in a task of its own, and judges the answer if there is one.
    ///
    /// While it waits the task keeps nothing of this instance alive, and it waits no longer than
    /// the instance lives.
    pub fn call<R: Send + 'static>(
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

/// The lock of a [`Server`], held. Shows the state; changes it by [`Guard::step`] alone.
///
/// On release, also for a wait, the invariants are checked and what changed is recorded.
pub struct Guard<'a> {
    inner: MutexGuard<'a, Inner>,
    server: &'a Server,
    /// False while it waits, and after a wait that the end of the run cut short: nothing is judged
    /// any more then.
    holds_lock: bool,
}

impl Guard<'_> {
    /// Applies one rule, and carries its effects out before anyone can see what it did.
    ///
    /// `None`: the instance has stopped, or its storage just failed, which stops it. Then nothing
    /// may be promised to anyone.
    #[track_caller]
    pub fn step<T>(&mut self, rule: impl FnOnce(&mut State, &mut Effects) -> T) -> Option<T> {
        if self.server.stop.is_stopped() {
            return None;
        }
        let mut effects = Effects::default();
        let sound = std::mem::replace(&mut self.inner.sound, false);
        let outcome = rule(&mut self.inner.state, &mut effects);
        let saved = persist::save(&self.server.persister, &self.inner.state, &effects);
        self.inner.sound = sound;
        if let Err(error) = saved {
            emit(|| event(self.server.me, format!("stops: its storage failed: {error}")));
            self.server.end();
            return None;
        }
        if effects.reset_election_timer {
            self.reset_election_timer();
        }
        self.wake();
        Some(outcome)
    }

    /// Wakes the tasks that have something to do. By what is so, not by what a rule did: a rule
    /// cannot forget it, and one wake-up too many does no harm.
    #[track_caller]
    fn wake(&mut self) {
        self.wake_reads();
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

    /// Wakes the reads that wait, if a round more is confirmed or leadership has ended.
    #[track_caller]
    fn wake_reads(&mut self) {
        let inner = &mut *self.inner;
        if inner.waiting_reads > 0 {
            let confirmed = inner.state.confirmed_round();
            if std::mem::replace(&mut inner.seen_round, confirmed) != confirmed {
                self.server.reads.notify_all();
            }
        }
    }

    /// Gives up the lock and waits until a read may have its answer, or `deadline` has come.
    #[track_caller]
    pub fn wait_for_read(&mut self, deadline: Instant) {
        let inner = &mut *self.inner;
        if inner.waiting_reads == 0 {
            inner.seen_round = inner.state.confirmed_round();
        }
        inner.waiting_reads += 1;
        let server = self.server;
        self.wait_until(&server.reads, deadline);
        self.inner.waiting_reads -= 1;
    }

    /// Waits a whole election timeout again.
    pub fn reset_election_timer(&mut self) {
        self.inner.timer.reset();
    }

    /// The moment to stand for election.
    pub fn election_deadline(&self) -> Instant {
        self.inner.timer.election_deadline()
    }

    /// Gives up the lock and waits to be woken.
    #[track_caller]
    pub fn wait(&mut self, condvar: &Condvar) {
        self.look();
        self.holds_lock = false;
        condvar.wait(&mut self.inner);
        self.holds_lock = true;
    }

    /// As [`Guard::wait`], until `deadline` at the latest.
    #[track_caller]
    pub fn wait_until(&mut self, condvar: &Condvar, deadline: Instant) {
        self.look();
        self.holds_lock = false;
        condvar.wait_until(&mut self.inner, deadline);
        self.holds_lock = true;
    }

    fn look(&mut self) {
        let inner = &mut *self.inner;
        if std::mem::replace(&mut inner.sound, false) {
            inner.last_look.update(&inner.state);
            inner.sound = true;
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
            self.look();
        }
    }
}

/// An event of server `me` for the record.
pub fn event(me: ServerId, what: String) -> Event {
    Event { server: Some(me), what }
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

    /// A server alone, without any of its tasks.
    fn alone() -> Server {
        Server::new(nobody_else(), ME, Persister::new()).unwrap()
    }

    fn in_a_run(main: impl FnOnce() + Send + 'static) {
        let outcome = runtime::run(&RunConfig::default(), main);
        assert_eq!(outcome.tasks_left, 0, "tasks were left");
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
            assert_eq!(server.lock().election_deadline(), before, "nobody asked for a reset");
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
            assert_eq!(block_on(stop.clone().or(pending::<()>())), None, "also a later one");
            assert_eq!(block_on(stop.or(async { 7 })), Some(7), "an answer that is there counts");
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
            assert_eq!(Arc::strong_count(&waits), 1, "it waits for an answer nobody needs");
        });
    }

    #[test]
    fn an_answer_reaches_its_rule() {
        in_a_run(|| {
            let server = Arc::new(alone());
            server.call(async { Ok::<_, RpcError>(5) }, |server, term| {
                server.step(|state, effects| state.observe_term(Term(term), effects));
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
                // An entry of term 3 in storage that says term 0: a log of the future.
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
