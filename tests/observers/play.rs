//! A cluster of played servers: a script says what they send, write and apply.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Entry, Index, Position, ServerId, Term};
use raftlab::lab::observe::{Life, Liveness, Observers};
use raftlab::lab::situations::{Situation, Situations};
use raftlab::lab::{Digest, Facts, Numbering, Part};
use raftlab::labrpc::{Call, Host, Tap};
use raftlab::persister::{Persisted, Watch, Write};
use raftlab::runtime::sync::Mutex;
use raftlab::runtime::{self, Failure, FailureKind, RunConfig, Schedule, thread};

pub(crate) const S0: ServerId = ServerId(0);
pub(crate) const S1: ServerId = ServerId(1);
pub(crate) const S2: ServerId = ServerId(2);

/// Three servers, S0 to S2, played by a script.
pub(crate) struct Play {
    observers: Arc<Observers>,
    lives: Vec<Arc<Life>>,
    calls: u64,
}

/// A call between two played servers.
#[derive(Clone, Copy)]
pub(crate) struct Played {
    id: u64,
    from: ServerId,
    to: ServerId,
    request: Facts,
}

/// Plays `script` on the virtual clock; returns the observers' counts or their failure.
fn play(
    liveness: Liveness,
    config: &RunConfig,
    script: impl FnOnce(&mut Play) + Send + 'static,
) -> Result<Situations, Failure> {
    let outcome = runtime::run(config, move || {
        let facts = |message: &dyn Any| *message.downcast_ref::<Facts>().unwrap();
        let observers = Observers::new(3, facts, Numbering::Entries, liveness, Part::LAST);
        let fresh = Persisted::default();
        let lives = [S0, S1, S2].map(|server| observers.boot(server, &fresh, 0)).into();
        let mut play = Play { observers, lives, calls: 0 };
        script(&mut play);
        play.observers.finish();
        play.observers.situations()
    });
    outcome.result
}

fn on(schedule: Schedule) -> RunConfig {
    RunConfig { schedule, ..RunConfig::default() }
}

/// Asserts that `script` breaks the rule `name` and none before it; returns the failure's message.
#[track_caller]
pub(crate) fn breaks(name: &str, script: impl FnOnce(&mut Play) + Send + 'static) -> String {
    broken(name, &on(Schedule::Fifo), script)
}

/// As [`breaks`], in a run that leaves out all long waits, to become smaller.
#[track_caller]
pub(crate) fn breaks_soon(name: &str, script: impl FnOnce(&mut Play) + Send + 'static) -> String {
    let kept = "waits=none".parse().unwrap();
    broken(name, &RunConfig { kept, ..on(Schedule::Fifo) }, script)
}

#[track_caller]
fn broken(
    name: &str,
    config: &RunConfig,
    script: impl FnOnce(&mut Play) + Send + 'static,
) -> String {
    match play(Liveness::Judged, config, script) {
        Ok(_) => panic!("{name} was broken and no observer noticed"),
        Err(failure) => {
            assert_eq!(failure.kind, FailureKind::Observer, "{failure}");
            assert_eq!(failure.name, name, "{failure}");
            failure.message
        }
    }
}

/// Asserts that `script` breaks no rule; returns the situations that it exercised.
#[track_caller]
pub(crate) fn holds(script: impl FnOnce(&mut Play) + Send + 'static) -> Situations {
    play(Liveness::Judged, &on(Schedule::Fifo), script)
        .unwrap_or_else(|failure| panic!("false alarm: {failure}"))
}

/// Asserts that `script` breaks no rule if liveness is not judged, as in hostile runs.
#[track_caller]
pub(crate) fn holds_when_hostile(script: impl FnOnce(&mut Play) + Send + 'static) {
    play(Liveness::Ignored, &on(Schedule::Fifo), script)
        .unwrap_or_else(|failure| panic!("false alarm: {failure}"));
}

/// Asserts that `script` breaks no rule under the hostile schedule, which stalls servers.
#[track_caller]
pub(crate) fn holds_though_stalled(script: impl FnOnce(&mut Play) + Send + 'static) {
    play(Liveness::Judged, &on(Schedule::Hostile), script)
        .unwrap_or_else(|failure| panic!("false alarm: {failure}"));
}

pub(crate) fn at(term: u64, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// Entries of the given terms, from index `first` on; each command names its term and index.
pub(crate) fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    let entry = |(index, term): (u64, &u64)| Entry {
        term: Term(*term),
        index: Index(index),
        data: Bytes::from(format!("{term}/{index}")),
    };
    (first..).zip(terms).map(entry).collect()
}

pub(crate) fn vote_request(candidate: ServerId, term: u64, last: Position) -> Facts {
    Facts::VoteRequest { candidate, term: Term(term), last }
}

pub(crate) fn vote_reply(term: u64, granted: bool) -> Facts {
    Facts::VoteReply { term: Term(term), granted }
}

/// A leader's message with the entries after `prev` up to `last`.
pub(crate) fn append(
    leader: ServerId,
    term: u64,
    commit: u64,
    prev: Position,
    last: Position,
) -> Facts {
    let entries = Digest::default();
    Facts::Append { leader, term: Term(term), commit: Index(commit), prev, last, entries }
}

/// A leader's message that offers `entries` as the entries after `prev`.
pub(crate) fn append_with(leader: ServerId, term: u64, prev: Position, entries: &[Entry]) -> Facts {
    append_with_commit(leader, term, 0, prev, entries)
}

/// The same message as [`append_with`] makes, but with the commit index `commit`.
pub(crate) fn append_with_commit(
    leader: ServerId,
    term: u64,
    commit: u64,
    prev: Position,
    entries: &[Entry],
) -> Facts {
    let last = entries.last().map_or(prev, Entry::position);
    let entries = Digest::of(prev, entries);
    Facts::Append { leader, term: Term(term), commit: Index(commit), prev, last, entries }
}

/// A leader's message without entries.
pub(crate) fn heartbeat(leader: ServerId, term: u64, commit: u64, prev: Position) -> Facts {
    append(leader, term, commit, prev, prev)
}

pub(crate) fn install(leader: ServerId, term: u64, last_included: Position) -> Facts {
    Facts::Snapshot { leader, term: Term(term), last_included }
}

pub(crate) fn append_reply(term: u64, success: bool) -> Facts {
    Facts::AppendReply { term: Term(term), success }
}

pub(crate) fn match_reply(term: u64, index: u64) -> Facts {
    Facts::MatchReply { term: Term(term), index: Index(index) }
}

pub(crate) fn command(term: u64, index: u64) -> ApplyMsg {
    let command = Bytes::from(format!("{term}/{index}"));
    ApplyMsg::Command { index: Index(index), term: Term(term), command }
}

pub(crate) fn snapshot(last_included: Position) -> ApplyMsg {
    ApplyMsg::Snapshot { last_included, data: Bytes::new() }
}

impl Play {
    /// Writes without a sync.
    pub(crate) fn write(&self, server: ServerId, write: &Write<'_>) {
        self.lives[server.slot()].wrote(write);
    }

    pub(crate) fn sync(&self, server: ServerId) {
        self.write(server, &Write::Synced);
    }

    /// Writes and syncs term and vote.
    pub(crate) fn save_vote(&self, server: ServerId, term: u64, voted_for: Option<ServerId>) {
        self.write(server, &Write::Vote { term: Term(term), voted_for });
        self.sync(server);
    }

    /// Writes and syncs entries of the given terms, from index `first` on.
    pub(crate) fn save(&self, server: ServerId, first: u64, terms: &[u64]) {
        self.write(server, &Write::Append(&entries(first, terms)));
        self.sync(server);
    }

    /// Writes and syncs a snapshot.
    pub(crate) fn save_snapshot(&self, server: ServerId, last_included: Position) {
        self.write(server, &Write::Snapshot(last_included));
        self.sync(server);
    }

    pub(crate) fn apply(&self, server: ServerId, msg: &ApplyMsg) {
        self.lives[server.slot()].applied(msg);
    }

    pub(crate) fn set_reading(&self, server: ServerId, reading: bool) {
        self.lives[server.slot()].reads(reading);
    }

    /// The observers' view of a server's current life. It may be used after that life has ended.
    pub(crate) fn life(&self, server: ServerId) -> Arc<Life> {
        self.lives[server.slot()].clone()
    }

    pub(crate) fn crash(&self, server: ServerId) {
        self.lives[server.slot()].end();
    }

    /// Starts a server whose disk has this term, this vote and, from index 1 on, entries of these
    /// terms.
    pub(crate) fn boot(
        &mut self,
        server: ServerId,
        term: u64,
        vote: Option<ServerId>,
        terms: &[u64],
    ) {
        let persisted = Persisted {
            current_term: Term(term),
            voted_for: vote,
            entries: entries(1, terms),
            ..Persisted::default()
        };
        self.lives[server.slot()] = self.observers.boot(server, &persisted, self.calls);
    }

    /// Starts a server whose disk has only this term and a snapshot.
    pub(crate) fn boot_from(&mut self, server: ServerId, term: u64, last_included: Position) {
        let current_term = Term(term);
        let persisted = Persisted { current_term, last_included, ..Persisted::default() };
        self.lives[server.slot()] = self.observers.boot(server, &persisted, self.calls);
    }

    /// A request leaves.
    pub(crate) fn send(&mut self, from: ServerId, to: ServerId, request: Facts) -> Played {
        self.calls += 1;
        let played = Played { id: self.calls, from, to, request };
        self.observers.sent(&call(played), &request);
        played
    }

    /// The network counts a call, but the observers see its request only with [`Play::show`]. On
    /// the real clock, a thread may be delayed between these two steps.
    pub(crate) fn open(&mut self, from: ServerId, to: ServerId, request: Facts) -> Played {
        self.calls += 1;
        Played { id: self.calls, from, to, request }
    }

    /// The observers see the request of a call from [`Play::open`] leave.
    pub(crate) fn show(&self, played: Played) {
        self.observers.sent(&call(played), &played.request);
    }

    /// A request that can arrive although no observer saw it leave.
    pub(crate) fn unsent(&self, from: ServerId, to: ServerId, request: Facts) -> Played {
        Played { id: u64::MAX, from, to, request }
    }

    /// A request arrives.
    pub(crate) fn arrive(&self, played: Played) {
        self.observers.dispatched(&call(played), &played.request);
    }

    /// The reply leaves.
    pub(crate) fn reply(&self, played: Played, reply: Facts) {
        self.observers.answered(&call(played), &reply);
    }

    /// The call is over.
    pub(crate) fn end(&self, played: Played, got_reply: bool) {
        self.observers.ended(&call(played), got_reply);
    }

    /// A request leaves and arrives.
    pub(crate) fn deliver(&mut self, from: ServerId, to: ServerId, request: Facts) -> Played {
        let played = self.send(from, to, request);
        self.arrive(played);
        played
    }

    /// A whole call, in which the server that answers writes nothing.
    pub(crate) fn call(&mut self, from: ServerId, to: ServerId, request: Facts, reply: Facts) {
        let played = self.deliver(from, to, request);
        self.reply(played, reply);
        self.end(played, true);
    }

    /// `candidate` gets the vote of `voter` in `term`, as the rules demand, and sends a first
    /// heartbeat.
    pub(crate) fn elect(
        &mut self,
        candidate: ServerId,
        term: u64,
        voter: ServerId,
        last: Position,
    ) {
        self.win(candidate, term, voter, last);
        self.send(candidate, voter, heartbeat(candidate, term, 0, last));
    }

    /// `candidate` gets the vote of `voter` in `term`, as the rules demand, but does not act as
    /// leader yet.
    pub(crate) fn win(&mut self, candidate: ServerId, term: u64, voter: ServerId, last: Position) {
        self.save_vote(candidate, term, Some(candidate));
        let played = self.deliver(candidate, voter, vote_request(candidate, term, last));
        self.save_vote(voter, term, Some(candidate));
        self.reply(played, vote_reply(term, true));
        self.end(played, true);
    }

    /// S0 leads term 1 by the vote of S1; both have entries of term 1 up to `last`.
    pub(crate) fn let_s0_lead(&mut self, last: u64) {
        self.elect(S0, 1, S1, at(0, 0));
        let terms = vec![1; usize::try_from(last).unwrap()];
        self.save(S0, 1, &terms);
        let played = self.deliver(S0, S1, append(S0, 1, 0, at(0, 0), at(1, last)));
        self.save(S1, 1, &terms);
        self.reply(played, append_reply(1, true));
        self.end(played, true);
    }

    /// Figure 8, (a) to (c): S0 and S2 lead in turn, and each stores an entry at index 1, S0 in
    /// term 1 and S2 in term 2. In term 3 S0 leads again. Its entry has arrived at S1 in the
    /// returned call, which is not answered yet.
    pub(crate) fn let_two_lead(&mut self) -> Played {
        self.elect(S0, 1, S1, at(0, 0));
        self.save(S0, 1, &[1]);
        self.elect(S2, 2, S1, at(0, 0));
        self.save(S2, 1, &[2]);
        self.elect(S0, 3, S1, at(1, 1));
        self.deliver(S0, S1, append(S0, 3, 0, at(0, 0), at(1, 1)))
    }

    /// Tasks of `server` run, and the schedule may stall them.
    pub(crate) fn run_tasks(&self, server: ServerId) {
        let lock = Arc::new(Mutex::new(()));
        for _ in 0..4 {
            let lock = lock.clone();
            // The schedule stalls a task only at a few scheduling points, so there must be many.
            let work = move || loop {
                drop(lock.lock());
                drop(lock.lock());
                thread::yield_now();
                drop(lock.lock());
                thread::yield_now();
                drop(lock.lock());
                thread::sleep(Duration::from_millis(1));
            };
            thread::under_test(server.0, || thread::spawn("works", work));
        }
    }

    pub(crate) fn situation(&self, situation: Situation) -> u64 {
        self.observers.situations().of(situation)
    }

    /// Time passes.
    pub(crate) fn sleep_ms(&self, millis: u64) {
        thread::sleep(Duration::from_millis(millis));
    }
}

fn call(played: Played) -> Call<'static> {
    let (from, to) = (Host::Server(played.from), Host::Server(played.to));
    Call { id: played.id, from, to, method: "Played.call" }
}
