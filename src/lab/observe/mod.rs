//! Observers: they watch a running cluster and end the run when a rule of Raft is broken.
//!
//! A scenario notices a mistake only when it ends, if at all. An observer ends the run at the
//! moment of the mistake, and names the broken rule and the server. It sees only what every
//! implementation shows from outside, so it works for every design. It does not see a server's
//! memory:
//!
//! ```text
//!  server ── request ──► Tap ──► sent, delivered           ─┐
//!         ◄── reply ──── Tap ──► answered, ended            │   World      shared knowledge:
//!                                                           ├─► (updated)  storage, lives, calls
//!  server ── write ───► Watch ─► voted, appended, covered,  │     │
//!                                deleted, synced            │     ▼
//!  server ── apply_ch ► reader ► applied                   ─┘   the hook of each rule
//! ```
//!
//! Each design translates its messages into [`Facts`], which are the same for all designs. A rule
//! sees a reply together with its request. From the writes the observers build a *shadow* of each
//! server's storage: its content as written, and its content at the last sync. A shadow does not
//! have the commands of the log, only the terms, as runs of equal terms.
//!
//! | Part | Rule | Source | Fails when |
//! | --- | --- | --- | --- |
//! | 2A | `ElectionSafety` | Figure 3 | two servers act as leader in one term |
//! | 2A | `ElectedByMajority` | §5.2 | a leader acts with too few votes given |
//! | 2A | `OneVotePerTerm` | §5.2 | two candidates get a server's vote, or its vote is rewritten |
//! | 2A | `MonotonicTerm` | §5.1 | the term in a server's storage goes down |
//! | 2A | `StaleTermRefused` | §5.1 | a vote or `success` answers an older term's request |
//! | 2A | `ReplyHasNewestTerm` | Figure 2 | a reply's term is below its request's or the server's |
//! | 2B | `VoteOnlyUpToDate` | §5.4.1 | a vote goes to a log that is behind the voter's |
//! | 2B | `CandidateNamesOwnLog` | Figure 2 | a candidate names another end than its log has |
//! | 2B | `LogMatching` | Figure 3 | entries of one index and term differ, or those before do |
//! | 2B | `SendsOwnLog` | §5.3 | a leader sends other entries than it stored, or out of order |
//! | 2B | `LeaderAppendOnly` | Figure 3 | a leader deletes durable entries |
//! | 2B | `AcknowledgedStays` | Figure 2 | entries are deleted that the leader cannot contradict |
//! | 2B | `CommittedStays` | Figure 3 | a committed entry is deleted |
//! | 2B | `MatchingPrefixAccepted` | Figure 2 | entries are refused although the one before fits |
//! | 2B | `StateMachineSafety` | Figure 3 | two servers apply different entries at one index |
//! | 2B | `CommitOnlyOwnTerm` | §5.4.2 | an older term's entry is committed by counting |
//! | 2B | `CommitMonotonic` | Figure 2 | a new leader's commit index is lower than it was before |
//! | 2B | `CommitNeedsAcknowledgements` | §5.3 | a commit that no majority acknowledged |
//! | 2B | `AppliedPromptly` | Figure 2 | nothing is applied for a second though more is committed |
//! | 2C | `PersistBeforeReply` | Figure 2 | a promised vote, log or term is not durable |
//! | 2C | `PersistBeforeRequest` | ours | a candidate's vote, or a leader's term, is not durable |
//! | 2C | `LeaderCompleteness` | Figure 3 | a leader lacks an entry that was committed before |
//! | 2C | `CommitNeedsMajority` | §5.3 | a commit of an entry that no majority stored |
//! | 2D | `SnapshotCoversCommitted` | §7 | a snapshot covers an entry that no majority stored |
//! | 2D | `SnapshotForward` | §7 | a snapshot is replaced by an older one |
//! | 2D | `SnapshotOfCurrentLeader` | Figure 13 | a deposed leader's snapshot is installed |
//! | 2D | `SnapshotTermCorrect` | Figure 13 | a snapshot is sent with a wrong last included term |
//!
//! A run is judged by the rules of its scenario's part and of the parts before it, so that a server
//! can be built in the order of the course: before 2C it need not store anything. In 2C
//! `CommitNeedsMajority` replaces `CommitNeedsAcknowledgements`, which can see less. Our own
//! designs are judged by all rules in every part, and so is any design with `--strict`.
//!
//! The clients of a key/value service have observers of their own ([`kv`]), which see operations
//! begin and end:
//!
//! | Rule | Fails when |
//! | --- | --- |
//! | `ExactlyOnce` | an operation's text is in a value twice, or although it was refused |
//! | `ClientOrder` | a client's texts are in a value in another order than it sent them |
//! | `NoReadFromThePast` | an answer misses an operation that had returned before the call |
//!
//! Promised: the observers never blame a server that follows the paper, however late, repeated or
//! reordered its messages are and whenever it crashes. Each rule allows for the time between a
//! server's decision under its lock and the visible effect: it is enough that a reply was right at
//! some moment between the request's arrival and the reply's departure.
//!
//! Not promised: observers do not see what stays in a server's memory, and they do not judge a vote
//! or a message that is not shown to them.
//!
//! A design must translate a message that is not in the paper, such as a pre-vote or its reply,
//! into `Facts::None`: the observers count every vote that they are shown.
//!
//! An observer runs in the task that causes the event, under a [`Quiet`] lock, without a scheduling
//! point, random numbers or virtual time. So a run with observers takes the same course as a run
//! without.
//!
//! # How to add a rule
//!
//! 1. Write the rule: a type that implements `Observer`. Implement the hooks of the events that the
//!    rule looks at; the end of `observer.rs` lists all hooks. An `Err` ends the run as a failure
//!    with the name of the type, and blames the server whose task is running. This is all of
//!    `MonotonicTerm`, in `terms.rs`:
//!
//!    ```text
//!    pub(super) struct MonotonicTerm;
//!
//!    impl Observer for MonotonicTerm {
//!        fn voted(&mut self, Voted { server, before, after }: Voted, _: &World) -> Judged {
//!            if after.term >= before.term {
//!                return Ok(());
//!            }
//!            Err(format!(
//!                "{server} wrote term {} after term {}: its term went down",
//!                after.term, before.term
//!            ))
//!        }
//!    }
//!    ```
//!
//!    The fields of a rule have only what no other rule needs. The `World` knows the rest:
//!
//!    | Question | Answer |
//!    | --- | --- |
//!    | a server's term, vote and log, as written or after a crash | `written(id)`, `durable(id)` |
//!    | whether a server is alive, leads, or hears of a newer term | `server(id)` |
//!    | the last index that a server's service has received | `server(id).delivered` |
//!    | how far the log is committed, as of each term | `committed` |
//!    | which servers durably have an entry; a majority | `holders(position)`, `quorum()` |
//! | which requests a server is handling now | a method of `Server`, such as `hears_of_entries` |
//!    | the time | `now` |
//!
//!    The hook `answered` also gets the `Handling` of the request: when it came, and what was true
//!    at some moment since then. `facts.rs` has what several rules ask about a message.
//!
//!    What a server has not acknowledged need not be stored yet. So a rule that compares a message
//!    with the storage must excuse a server that is handling a leader's request, or that led. The
//!    order of the writes between two syncs is the server's choice. In a scenario with puppets
//!    nothing is judged.
//! 2. Add the rule to its part in `rules.rs`, and to the table above. The rules of a part judge
//!    from that part on, so a rule of 2B must not blame a server that stores nothing. A rule that
//!    blames a server for being slow must excuse a stalled server, and must not judge at all under
//!    [`Liveness::Ignored`]: see `applied_promptly.rs`.
//! 3. Test it in `tests/observers`, where a script plays the servers. `breaks("MonotonicTerm", ..)`
//!    has the shortest story that breaks the rule; `holds(..)` has stories of servers that keep the
//!    rule but are late, repeat a message, or crash in between. Then plant a bug that the rule
//!    finds: a patch in `tests/zoo` that names the rule in its header, with a row in
//!    `docs/coverage.md`; and write the rule's section of `docs/hints.md`. The correct servers of
//!    `tests/fair` must keep the rule.
//!
//! Read next: `election.rs` for two rules with a memory, then `world.rs`.

mod accepts;
mod acknowledged;
mod applied_promptly;
mod commit;
mod committed;
mod durability;
mod election;
mod facts;
mod kept;
pub mod kv;
mod leader_completeness;
mod life;
mod log_matching;
mod numbered;
mod observer;
mod own_log;
mod rules;
mod shadow;
mod snapshots;
mod standing;
mod state_machine_safety;
mod tally;
mod terms;
mod together;
mod votes;
mod world;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use observer::{Judged, Observer, Sent};
use rules::rules;
use standing::Standing;
use tally::Tally;
use together::Together;
use world::World;

pub use life::Life;
pub use standing::Wanted;

use super::situations::Situations;
use super::{Facts, Numbering, Part};
use crate::api::{Position, ServerId, Term};
use crate::labrpc::{Call, Host, Tap};
use crate::persister::Persisted;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind};

/// All observers of one run. The lab makes one and gives it to the network as a tap.
pub struct Observers {
    facts: fn(&dyn Any) -> Facts,
    state: Quiet<State>,
}

/// Whether the observers judge liveness besides safety.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The schedule is mild, so a server that does nothing is at fault.
    Judged,
    /// The schedule may stall any server for long, so only safety is judged.
    Ignored,
}

struct State {
    world: World,
    rules: Box<dyn Observer>,
    tally: Tally,
    together: Together,
    standing: Standing,
    /// The request of each call that has not ended.
    calls: BTreeMap<u64, Facts>,
    /// The first violation; after it nothing is judged.
    broken: Option<Broken>,
}

/// A broken rule.
#[derive(Clone)]
struct Broken {
    rule: &'static str,
    message: String,
    /// The server at fault, if it is not the server whose task is running.
    blamed: Option<ServerId>,
}

impl Observers {
    /// Makes observers with the rules of the parts up to `until`, for a cluster of `servers`.
    ///
    /// `facts` translates the servers' messages; `numbering` says how their services number
    /// commands.
    pub fn new(
        servers: usize,
        facts: fn(&dyn Any) -> Facts,
        numbering: Numbering,
        liveness: Liveness,
        until: Part,
    ) -> Arc<Observers> {
        let state = State {
            world: World::new(servers, numbering),
            rules: rules(servers, liveness, until),
            tally: Tally::default(),
            together: Together::default(),
            standing: Standing::new(servers),
            calls: BTreeMap::new(),
            broken: None,
        };
        Arc::new(Observers { facts, state: Quiet::new(state) })
    }

    /// Begins a life of `server`, which starts from `persisted`. Call it before you make the
    /// server.
    ///
    /// Give the returned life to the new persister as its watch. The server's earlier life, if any,
    /// ends. `calls` is the number of calls that the network has counted so far: on the real clock
    /// an observer may see one of those calls late, and must not count it as a call of the new
    /// life.
    ///
    /// # Panics
    /// If the cluster has no such server.
    pub fn boot(
        self: &Arc<Observers>,
        server: ServerId,
        persisted: &Persisted,
        calls: u64,
    ) -> Arc<Life> {
        let life = self.update(|state| {
            let servers = state.world.servers.len();
            assert!(server.slot() < servers, "{server} is not one of {servers} servers");
            let life = state.world.boot(server, persisted, calls);
            state.show(|rule, world| rule.booted(server, world));
            life
        });
        Arc::new(Life::new(self.clone(), server, life))
    }

    /// Judges, at the end of the run, everything that is still open. Call this once.
    pub fn finish(&self) {
        self.update(|state| state.show(|rule, world| rule.finished(world)));
    }

    /// A remark on the elections for the report of a missing leader; empty if there is none.
    pub fn on_elections(&self) -> String {
        self.state.with(|state| state.together.remark())
    }

    /// Describes the cluster, in lines, for the report of a command that was not committed: the
    /// leaders, the end of each log, and the last refusal of each follower.
    pub fn on_agreement(&self, wanted: &Wanted) -> String {
        self.state.with(|state| state.standing.describe(&state.world, wanted))
    }

    /// The counts of the run's situations so far.
    pub fn situations(&self) -> Situations {
        self.state.with(|state| state.tally.counts.clone())
    }

    /// Changes the state. If the change breaks a rule, ends the run after releasing the lock.
    fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (result, broken) = self.state.with(|state| {
            let before = state.broken.is_some();
            state.world.now = runtime::time::since_start();
            let result = change(state);
            (result, state.broken.clone().filter(|_| !before))
        });
        if let Some(Broken { rule, message, blamed }) = broken {
            match blamed {
                Some(server) => {
                    runtime::fail_for(server.0, FailureKind::Observer, rule, message);
                }
                None => runtime::fail(FailureKind::Observer, rule, message),
            }
        }
        result
    }
}

impl State {
    /// Calls one hook of each observer, until one finds a mistake.
    fn show(&mut self, hook: impl Fn(&mut dyn Observer, &World) -> Judged) {
        if self.broken.is_some() {
            return;
        }
        let (rules, world) = (&mut *self.rules, &self.world);
        match hook(rules, world).and_then(|()| rules.happened(world)) {
            Ok(()) => drop(hook(&mut self.tally, world)),
            Err(message) => {
                let (rule, blamed) = (rules.name(), rules.blamed());
                self.broken = Some(Broken { rule, message, blamed });
            }
        }
    }

    /// Records that `by`, in term `term`, reports the log up to `position` as committed.
    fn committed(&mut self, by: ServerId, term: Term, position: Position) {
        if self.world.committed.note(term, position) {
            self.show(|rule, world| rule.committed(by, term, position, world));
        }
    }

    fn sent(&mut self, from: ServerId, to: ServerId, facts: &Facts) {
        self.world.sent(from, facts);
        self.together.sent(facts, self.world.now);
        self.standing.sent(from, facts, self.world.now);
        self.show(|rule, world| rule.sent(Sent { from, to, facts }, world));
        match facts {
            Facts::Append { term, commit, .. } | Facts::Heartbeat { term, commit, .. } => {
                if let Some(of) = self.world.written(from).log.term_at(*commit) {
                    self.committed(from, *term, Position { term: of, index: *commit });
                }
            }
            Facts::Snapshot { term, last_included, .. } => {
                self.committed(from, *term, *last_included);
            }
            _ => {}
        }
    }
}

/// The two servers of a call between servers of the cluster.
fn servers(call: &Call<'_>, state: &State) -> Option<(ServerId, ServerId)> {
    match (call.from, call.to) {
        (Host::Server(from), Host::Server(to)) => {
            let known = |server: ServerId| server.slot() < state.world.servers.len();
            (known(from) && known(to)).then_some((from, to))
        }
        _ => None,
    }
}

impl Tap for Observers {
    fn sent(&self, call: &Call<'_>, request: &dyn Any) {
        let facts = (self.facts)(request);
        if facts == Facts::None {
            return;
        }
        self.update(|state| {
            let Some((from, to)) = servers(call, state) else { return };
            if state.world.server(from).makes(call.id) {
                state.calls.insert(call.id, facts);
                state.sent(from, to, &facts);
            }
        });
    }

    fn dispatched(&self, call: &Call<'_>, request: &dyn Any) {
        if !matches!((call.from, call.to), (Host::Server(_), Host::Server(_))) {
            return;
        }
        self.update(|state| {
            let Some((from, to)) = servers(call, state) else { return };
            // The request was translated when it was sent, unless its caller is gone.
            let known = state.calls.get(&call.id).copied();
            let facts = known.unwrap_or_else(|| (self.facts)(request));
            if facts != Facts::None && state.world.server(to).alive {
                state.world.delivered(to, from, call.id, &facts);
                state.show(|rule, world| rule.delivered(to, &facts, world));
            }
        });
    }

    fn answered(&self, call: &Call<'_>, reply: &dyn Any) {
        let facts = (self.facts)(reply);
        if facts == Facts::None {
            return;
        }
        self.update(|state| {
            let Some((_, by)) = servers(call, state) else { return };
            if let Some((handling, reply)) = state.world.answered(by, call.id, &facts) {
                state.standing.answered(by, &handling.request, &reply, state.world.now);
                state.show(|rule, world| rule.answered(by, &handling, &reply, world));
            }
        });
    }

    fn ended(&self, call: &Call<'_>, got_reply: bool) {
        self.update(|state| {
            let Some(request) = state.calls.remove(&call.id) else { return };
            let Some((caller, _)) = servers(call, state) else { return };
            if state.world.server(caller).alive {
                state.show(|rule, world| rule.ended(caller, &request, got_reply, world));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rule_in_the_module_doc_is_that_of_the_source() {
        let mut fences = include_str!("mod.rs").split("```");
        let shown = fences.find(|text| text.contains("struct MonotonicTerm")).unwrap_or_default();
        let shown: Vec<_> =
            shown.lines().map(|line| line.trim_start_matches("//!").trim()).collect();
        // Without the fence's language and the indentation of its end.
        let rule = &shown[1..shown.len() - 1];
        let source: Vec<_> = include_str!("terms.rs").lines().map(str::trim).collect();
        assert!(source.windows(rule.len()).any(|lines| lines == rule), "{rule:#?}");
    }
}
