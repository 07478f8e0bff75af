//! The course's checkers, with the course's exact numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ledger::shown;
use super::{Cluster, limit};
use crate::api::{Consensus, Index, Position, ServerId, Started, Term};
use crate::lab::observe::Wanted;
use crate::persister::Persister;
use crate::record;
use crate::runtime::time::{self, Instant};
use crate::runtime::{self, Choice, Clock, FailureKind, Schedule, keeps, thread};

/// Maximum time for which [`Cluster::one`] keeps trying.
const AGREEMENT_MAX: Duration = Duration::from_secs(10);

/// Maximum time that [`Cluster::one`] waits for one command that a leader accepted.
const COMMIT_MAX: Duration = Duration::from_secs(2);

/// The time that each of its waits usually lasts: five heartbeats show what is repeated in vain.
const USUAL_WAIT: Duration = Duration::from_millis(500);

/// Pause of [`Cluster::one`] between two checks whether a command is committed.
const COMMIT_POLL: Duration = Duration::from_millis(20);

/// Pause of [`Cluster::one`] when no server accepts the command.
const LEADER_POLL: Duration = Duration::from_millis(50);

/// Number of rounds, of 450 to 549 ms each, in which [`Cluster::check_one_leader`] asks.
const LEADER_ROUNDS: u32 = 10;

/// Number of rounds in which it usually finds a leader.
const LEADER_ROUNDS_USUAL: u32 = 1;

/// Maximum number of times that [`Cluster::check_terms`] gives stalled servers more time.
const TERM_ROUNDS: u32 = 20;

/// The time that it gives them.
const TERM_POLL: Duration = Duration::from_millis(50);

/// Number of checks of [`Cluster::wait`]; the pauses double from 10 to 1280 ms, 30.7 s in all.
const WAIT_ROUNDS: u32 = 30;

/// Number of checks, in 0.63 s, after which it is usually over.
const WAIT_ROUNDS_USUAL: u32 = 6;

impl Cluster {
    /// A remark on the elections for the report of a missing leader; empty if there is none.
    fn on_elections(&self) -> String {
        self.inner.observers.as_ref().map(|it| it.on_elections()).unwrap_or_default()
    }

    /// Waits up to about five seconds until a connected server leads, and returns it; if there are
    /// several, the one with the highest term. Two leaders in one term fail the run at once.
    pub fn check_one_leader(&self) -> ServerId {
        let _step = record::begin_step(|| "waits for a leader".to_string());
        let mut rounds = 0;
        while rounds < LEADER_ROUNDS && waits_on(rounds < LEADER_ROUNDS_USUAL) {
            rounds += 1;
            self.pause_before_a_look();
            self.look_for_killed_servers();
            let mut leaders: BTreeMap<Term, ServerId> = BTreeMap::new();
            for (server, consensus) in self.connected_and_running() {
                let state = consensus.get_state();
                if !state.is_leader {
                    continue;
                }
                if let Some(other) = leaders.insert(state.term, server) {
                    runtime::fail(
                        FailureKind::Assertion,
                        "two_leaders",
                        format!("{other} and {server} both lead in term {}", state.term),
                    );
                }
            }
            if let Some((term, leader)) = leaders.pop_last() {
                record::step(|| format!("finds that {leader} leads in term {term}"));
                return leader;
            }
        }
        let remark = self.on_elections();
        let message = format!("no connected server led in {rounds} checks, one each 0.5 s{remark}");
        limit("no_leader", message)
    }

    /// Sleeps for 450 to 549 ms; only until a server leads, if the run does not keep this pause.
    fn pause_before_a_look(&self) {
        let pause = Duration::from_millis(450 + self.draw(100));
        if keeps(Choice::Pause) {
            return thread::sleep(pause);
        }
        let begun = Instant::now();
        let leads = |(_, consensus): &(_, Arc<dyn Consensus>)| consensus.get_state().is_leader;
        while begun.elapsed() < pause && !self.connected_and_running().iter().any(leads) {
            thread::sleep(COMMIT_POLL);
        }
    }

    /// Returns the term of all connected servers; fails if their terms differ.
    ///
    /// The caller has given the servers time to hear of a new term. If the schedule stalled one of
    /// them meanwhile, they get more.
    pub fn check_terms(&self) -> Term {
        for _ in 0..TERM_ROUNDS {
            let now = time::since_start();
            match self.common_term() {
                Ok(term) => return term,
                Err(_) if self.was_stalled_since(now.saturating_sub(TERM_POLL)) => {
                    thread::sleep(TERM_POLL);
                }
                Err(message) => limit("terms_differ", message),
            }
        }
        self.common_term().unwrap_or_else(|message| limit("terms_differ", message))
    }

    /// The term of all connected servers, or which of them differ.
    fn common_term(&self) -> Result<Term, String> {
        let mut agreed: Option<(ServerId, Term)> = None;
        for (server, consensus) in self.connected_and_running() {
            let term = consensus.get_state().term;
            match agreed {
                Some((other, other_term)) if other_term != term => {
                    return Err(format!(
                        "{other} is in term {other_term}, {server} in term {term}"
                    ));
                }
                _ => agreed = Some((server, term)),
            }
        }
        Ok(agreed.map_or(Term(0), |(_, term)| term))
    }

    /// Fails if a connected server leads right now.
    pub fn check_no_leader(&self) {
        record::step(|| "asserts that no connected server leads".to_string());
        for (server, consensus) in self.connected_and_running() {
            let state = consensus.get_state();
            if state.is_leader {
                limit(
                    "leader_without_majority",
                    format!("{server} leads in term {} without a majority", state.term),
                );
            }
        }
    }

    /// Whether a change of the term since `since` is certainly a fault of a server. Ask only on a
    /// reliable network without cut links. The answer is yes in virtual time, if the schedule is
    /// not hostile and has stalled no server since then.
    ///
    /// The course only warns, since on a busy machine the operating system may have delayed a
    /// heartbeat. In virtual time only the schedule can delay a heartbeat, and it is known which
    /// servers it has stalled.
    ///
    /// A story that measures times discards those for which the answer is no. On the real clock the
    /// answer is always no, so the story must not fail because too few times are left.
    pub fn was_undisturbed_since(&self, since: Duration) -> bool {
        self.inner.clock == Clock::Virtual
            && self.inner.schedule != Schedule::Hostile
            && !self.was_stalled_since(since)
    }

    /// Whether the schedule has stalled a server at `since` or later.
    fn was_stalled_since(&self, since: Duration) -> bool {
        let stalled =
            |server: ServerId| runtime::last_stall(server.0).is_some_and(|until| until >= since);
        self.servers().any(stalled)
    }

    /// Returns how many servers, connected or not, have applied the entry at `index`, and the
    /// command of this entry.
    pub fn n_committed(&self, index: Index) -> (usize, Option<Bytes>) {
        self.inner.ledger.n_committed(index)
    }

    /// Fails if any server has ever applied an entry at `index`.
    pub fn check_not_committed(&self, index: Index) {
        if let (servers, Some(command)) = self.n_committed(index) {
            runtime::fail(
                FailureKind::Assertion,
                "committed_without_majority",
                format!(
                    "{servers} servers applied {} at index {index}; no command may be applied there",
                    shown(&command)
                ),
            );
        }
    }

    /// Waits until `servers` servers have applied the entry at `index`, and returns its command.
    ///
    /// With a `start_term`, returns `None` as soon as some server is in a later term, since the
    /// entry may then be gone.
    pub fn wait(&self, index: Index, servers: usize, start_term: Option<Term>) -> Option<Bytes> {
        let _step = record::begin_step(|| {
            format!("waits until {servers} servers have applied index {index}")
        });
        let mut pause = Duration::from_millis(10);
        for round in 0..WAIT_ROUNDS {
            if self.n_committed(index).0 >= servers || !waits_on(round < WAIT_ROUNDS_USUAL) {
                break;
            }
            thread::sleep(pause);
            if pause < Duration::from_secs(1) {
                pause *= 2;
            }
            if start_term.is_some_and(|term| self.someone_is_past(term)) {
                return None;
            }
        }
        let (count, command) = self.n_committed(index);
        if count < servers {
            limit("wait", format!("only {count} servers applied index {index}; wanted {servers}"));
        }
        command
    }

    /// Whether some running server is in a term after `term`.
    pub fn someone_is_past(&self, term: Term) -> bool {
        self.all_running().iter().any(|(_, consensus)| consensus.get_state().term > term)
    }

    /// Whether some running server is in a term other than `term`.
    pub fn someone_is_not_in(&self, term: Term) -> bool {
        self.all_running().iter().any(|(_, consensus)| consensus.get_state().term != term)
    }

    /// Gets `command` committed by at least `servers` servers, within ten seconds, and returns its
    /// index.
    ///
    /// With `retry`, a command that is not committed within two seconds is submitted again, and so
    /// may be committed twice; without `retry`, the run fails. Looks every 20 ms whether the
    /// command is committed.
    pub fn one(&self, command: &[u8], servers: usize, retry: bool) -> Index {
        let _step =
            record::begin_step(|| format!("gets {} applied by {servers} servers", shown(command)));
        let begun = Instant::now();
        let since = time::since_start();
        let mut last_tried = ServerId(0);
        let mut last_started = None;
        while begun.elapsed() < AGREEMENT_MAX && waits_on(begun.elapsed() < USUAL_WAIT) {
            let Some(started) = self.start_at_any(command, &mut last_tried) else {
                thread::sleep(LEADER_POLL);
                continue;
            };
            last_started = Some(started);
            if self.is_committed_soon(started.index, command, servers) {
                return started.index;
            }
            if !retry {
                break;
            }
        }
        let standing = self.on_agreement(since, last_started);
        let (command, remark) = (shown(command), self.on_elections());
        let taken = match last_started {
            Some(Started { term, index }) => format!("last logged in term {term} at index {index}"),
            None => "no connected server accepted it".into(),
        };
        let message = format!("{command} was not committed by {servers} servers: {taken}{remark}");
        limit("no_agreement", message + &standing)
    }

    /// Describes the cluster after a failed wait for a command, in lines that each begin with a
    /// line break; empty without observers.
    fn on_agreement(&self, since: Duration, started: Option<Started>) -> String {
        let Some(observers) = &self.inner.observers else { return String::new() };
        let entry = started.map(|Started { term, index }| Position { term, index });
        let cut_off = self.servers().filter(|server| !self.is_connected(*server)).collect();
        format!("\n{}", observers.on_agreement(&Wanted { since, entry, cut_off }))
    }

    /// Offers `command` to each connected server in turn, after `last_tried`, until one accepts it.
    fn start_at_any(&self, command: &[u8], last_tried: &mut ServerId) -> Option<Started> {
        for _ in self.servers() {
            *last_tried = self.after(*last_tried, 1);
            if self.is_connected(*last_tried)
                && let Ok(started) = self.submit(*last_tried, Bytes::copy_from_slice(command))
            {
                let Started { term, index } = started;
                let leader = *last_tried;
                record::step(|| {
                    format!("starts {} at {leader}: index {index} of term {term}", shown(command))
                });
                return Some(started);
            }
        }
        None
    }

    /// Whether `servers` servers apply `command` at `index` within two seconds.
    fn is_committed_soon(&self, index: Index, command: &[u8], servers: usize) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < COMMIT_MAX && waits_on(begun.elapsed() < USUAL_WAIT) {
            let (count, committed) = self.n_committed(index);
            if count >= servers && committed.is_some_and(|committed| committed == command) {
                return true;
            }
            thread::sleep(COMMIT_POLL);
        }
        false
    }

    /// The most bytes that any server stores for its term, vote and log, without the snapshot.
    pub fn log_size(&self) -> usize {
        self.most_stored(Persister::raft_state_size)
    }

    /// The size of the largest stored snapshot of any server, in bytes; 0 if there is none.
    pub fn snapshot_size(&self) -> usize {
        self.most_stored(Persister::snapshot_size)
    }

    fn most_stored(&self, size: impl Fn(&Persister) -> usize) -> usize {
        self.inner
            .slots
            .with(|slots| slots.iter().map(|slot| size(slot.storage_as())).max().unwrap_or(0))
    }

    /// Fails when some server's stored log is not smaller than `bytes_max`.
    pub fn check_log_size(&self, bytes_max: usize) {
        let size = self.log_size();
        if size >= bytes_max {
            limit(
                "log_size",
                format!("a stored log has {size} bytes; it must stay below {bytes_max}"),
            );
        }
    }

    /// Number of calls that were delivered to all servers in their present lives.
    pub fn rpc_count(&self) -> u64 {
        self.servers().map(|server| self.inner.network.dispatched_to(super::host(server))).sum()
    }

    /// Bytes of all calls so far, and of the replies that arrived.
    pub fn rpc_bytes(&self) -> u64 {
        self.inner.network.counters().bytes
    }

    /// Ends the run because the limit `name` was exceeded or a wait took too long.
    pub fn end_by_limit(&self, name: &'static str, message: String) -> ! {
        limit(name, message)
    }

    /// Fails with the limit `name` if `used` is more than `allowed`.
    pub fn check_at_most(&self, name: &'static str, used: u64, allowed: u64) {
        if used > allowed {
            limit(name, format!("{used} used; at most {allowed} are allowed"));
        }
    }
}

/// The names of the limits that end a wait in vain. What is waited for must happen from any state
/// of a cluster with a connected majority, so the failure does not rely on a pause before it.
pub(in crate::lab) const WAITS_IN_VAIN: [&str; 3] = ["no_agreement", "no_leader", "wait"];

/// The names of the checks that the suite makes in every test: what a server delivers, and that it
/// ends once it is killed.
pub(in crate::lab) const CHECKED_EVERYWHERE: [&str; 8] = [
    "applied_values_differ",
    "apply_order",
    "outlives_kill",
    "snapshot_again",
    "snapshot_damaged",
    "snapshot_from_nowhere",
    "snapshot_index",
    "snapshot_moves_backwards",
];

/// Whether to keep waiting: if the wait is still of the usual length, or if the run keeps what is
/// longer.
pub(in crate::lab) fn waits_on(is_usual: bool) -> bool {
    is_usual || keeps(Choice::Wait)
}
