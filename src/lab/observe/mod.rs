//! Observers: they look on while a cluster runs, and end the run when a rule of Raft is broken.
//!
//! A scenario finds that something went wrong at its end, if at all; an observer says which rule
//! was broken, by whom, and ends the run at that moment. It looks only at what any implementation
//! shows, so it holds for every design, and knows nothing of what a server thinks:
//!
//! ```text
//!  server ── request ──► Tap ──► Event::{Sent, Delivered}  ─┐
//!         ◄── reply ──── Tap ──► Event::{Answered, Ended}   │   World      what everybody knows:
//!                                                           ├─► (updated)  storage, lives, calls
//!  server ── write ───► Watch ─► Event::{Voted, Appended,   │     │
//!                                Covered, Synced}           │     ▼
//!  server ── apply_ch ► reader ► Event::Applied            ─┘   each Observer: a rule, or a Tally
//! ```
//!
//! Messages arrive as [`Facts`], the neutral words that each design translates into;
//! a reply's are joined with its request's. Writes make a shadow of each server's storage, once as
//! written and once as of the last sync, in which a log is only its runs of terms.
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
//! | 2B | `LogMatching` | Figure 3 | entries of one index and term differ, or what precedes them |
//! | 2B | `SendsOwnLog` | §5.3 | a leader sends other entries than it stored, or out of order |
//! | 2B | `LeaderAppendOnly` | Figure 3 | a leader's durable entries vanish |
//! | 2B | `AcknowledgedStays` | Figure 2 | entries vanish with which the leader's cannot conflict |
//! | 2B | `CommittedStays` | Figure 3 | a committed entry vanishes |
//! | 2B | `MatchingPrefixAccepted` | Figure 2 | a follower refuses what follows an entry it has |
//! | 2B | `StateMachineSafety` | Figure 3 | two servers apply different entries at one index |
//! | 2B | `CommitOnlyOwnTerm` | §5.4.2 | an older term's entry is committed by counting |
//! | 2B | `CommitMonotonic` | Figure 2 | a new leader has forgotten what it knew as committed |
//! | 2B | `CommitNeedsAcknowledgements` | §5.3 | a commit that no majority acknowledged |
//! | 2B | `AppliedPromptly` | Figure 2 | nothing is applied for a second though more is committed |
//! | 2C | `PersistBeforeReply` | Figure 2 | a promised vote, log or term is not durable |
//! | 2C | `PersistBeforeRequest` | ours | a candidate's vote, or a leader's term, is not durable |
//! | 2C | `LeaderCompleteness` | Figure 3 | a leader lacks what an earlier term committed |
//! | 2C | `CommitNeedsMajority` | §5.3 | an entry is taken for committed that no majority stored |
//! | 2D | `SnapshotCoversCommitted` | §7 | a snapshot covers what no majority stored |
//! | 2D | `SnapshotForward` | §7 | a snapshot is replaced by an older one |
//! | 2D | `SnapshotOfCurrentLeader` | Figure 13 | a deposed leader's snapshot is installed |
//! | 2D | `SnapshotEndsTruly` | Figure 13 | a snapshot is offered with another term than it has |
//!
//! A run is judged by the rules of its scenario's part and of the parts before it, so that a
//! server can be built in the order of the course: before 2C it need not store anything. In 2C
//! `CommitNeedsMajority` takes the place of `CommitNeedsAcknowledgements`, which knows less. Our
//! own designs are judged by all rules in every part, and so is any design with `--strict`.
//!
//! The clients of a key/value service are looked at in the same way, by observers of their own
//! ([`kv`]), which see operations begin and end:
//!
//! | Rule | Fails when |
//! | --- | --- |
//! | `ExactlyOnce` | what one operation wrote is there twice, or though it was refused |
//! | `ClientOrder` | what a client wrote is there in another order |
//! | `NoReadFromThePast` | an answer misses what had returned before its operation was called |
//!
//! What they promise: a server that follows the paper is never blamed, however late, repeated or
//! reordered its messages are and whenever it crashes. Each rule allows for the time between what
//! a server decides under its lock and what can be seen of it: a reply is judged by all moments
//! between the request's arrival and its own departure. What they do not: to see what never leaves
//! a server's memory, or to judge a vote or a message that no hook shows.
//!
//! A design must translate into `Facts::None` what is no act of the protocol as the paper has it,
//! such as a pre-vote and its answer: a vote counts here as soon as it is shown.
//!
//! They run in place, under a [`Quiet`] lock: no scheduling point, no chance, no virtual time. So
//! a run with observers takes the same course as one without.
//!
//! Read next: `event.rs` for what a rule is told, `election.rs` for the simplest two.

mod accepts;
mod acknowledged;
mod applied_promptly;
mod commit;
mod committed;
mod durability;
mod election;
mod event;
mod kept;
pub mod kv;
mod leader_completeness;
mod life;
mod log_matching;
mod numbered;
mod own_log;
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

use event::{Event, Observer};
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

/// Whether what ought to happen soon is judged, beside what must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The schedule is mild, so that a server that does nothing is at fault.
    Judged,
    /// The schedule may hold up any server for long: safety only.
    Ignored,
}

struct State {
    world: World,
    rules: Vec<Rule>,
    tally: Tally,
    together: Together,
    standing: Standing,
    /// What each call that has not ended asks for.
    calls: BTreeMap<u64, Facts>,
    /// The first violation; after it nothing is judged.
    broken: Option<Broken>,
}

/// A rule that was broken.
#[derive(Clone)]
struct Broken {
    rule: &'static str,
    message: String,
    /// The server at fault, where that is not the one at work.
    blamed: Option<ServerId>,
}

/// A rule, with the [bits](event::Kind::bit) of what it looks at.
struct Rule {
    kinds: u16,
    observer: Box<dyn Observer>,
}

impl Rule {
    fn new(observer: Box<dyn Observer>) -> Rule {
        let kinds = observer.kinds().iter().fold(0, |bits, kind| bits | kind.bit());
        Rule { kinds, observer }
    }
}

impl Observers {
    /// Observers of a cluster of `servers` whose messages `facts` translates and whose services
    /// count by `numbering`: those of the parts up to `until`.
    pub fn new(
        servers: usize,
        facts: fn(&dyn Any) -> Facts,
        numbering: Numbering,
        liveness: Liveness,
        until: Part,
    ) -> Arc<Observers> {
        let state = State {
            world: World::new(servers, numbering),
            rules: rules(servers, liveness, until).into_iter().map(Rule::new).collect(),
            tally: Tally::default(),
            together: Together::default(),
            standing: Standing::new(servers),
            calls: BTreeMap::new(),
            broken: None,
        };
        Arc::new(Observers { facts, state: Quiet::new(state) })
    }

    /// `server` starts a life from `persisted`: call it before the server is made.
    ///
    /// Give the life to the new persister as its watch. The server's earlier life, if any, is over;
    /// `calls` is how many calls the network has counted so far. On the real clock one of those may
    /// be shown only now, and must not be taken for the new life's.
    ///
    /// # Panics
    /// When the cluster has no such server.
    pub fn boot(
        self: &Arc<Observers>,
        server: ServerId,
        persisted: &Persisted,
        calls: u64,
    ) -> Arc<Life> {
        let life = self.look(|state| {
            let servers = state.world.servers.len();
            assert!(server.slot() < servers, "{server} is not one of {servers} servers");
            let life = state.world.boot(server, persisted, calls);
            state.show(&Event::Booted { server });
            life
        });
        Arc::new(Life::new(self.clone(), server, life))
    }

    /// The run is at its end: judges what was left open. Call it once.
    pub fn finish(&self) {
        self.look(|state| state.show(&Event::Finished));
    }

    /// What is to be said of the elections where no leader was found; empty if nothing is.
    pub fn on_elections(&self) -> String {
        self.state.with(|state| state.together.remark())
    }

    /// Who led, where each log ends and what each follower last refused, as lines: what is to be said
    /// of a command that was not committed.
    pub fn on_agreement(&self, wanted: &Wanted) -> String {
        self.state.with(|state| state.standing.describe(&state.world, wanted))
    }

    /// What happened in the run so far, counted.
    pub fn situations(&self) -> Situations {
        self.state.with(|state| state.tally.counts.clone())
    }

    /// Changes what is known; ends the run, once nothing is locked, if that broke a rule.
    fn look<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
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

/// One of each that belongs to `until` or to a part before it. Of several that an event breaks the
/// first is named.
fn rules(servers: usize, liveness: Liveness, until: Part) -> Vec<Box<dyn Observer>> {
    let mut rules: Vec<Box<dyn Observer>> = of_elections();
    if until >= Part::P2B {
        rules.extend(of_logs(servers));
    }
    if until >= Part::P2C {
        rules.extend(of_durability());
    } else if until == Part::P2B {
        rules.push(Box::new(acknowledged::CommitNeedsAcknowledgements::new(servers)));
    }
    if until >= Part::P2D {
        rules.extend(of_snapshots());
    }
    if until >= Part::P2B && liveness == Liveness::Judged {
        rules.push(Box::new(applied_promptly::AppliedPromptly::new(servers)));
    }
    rules
}

/// The rules of part 2A.
fn of_elections() -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(election::ElectionSafety::default()),
        Box::new(election::ElectedByMajority::default()),
        Box::new(votes::OneVotePerTerm::default()),
        Box::new(terms::MonotonicTerm),
        Box::new(terms::StaleTermRefused),
        Box::new(terms::ReplyHasNewestTerm),
    ]
}

/// The rules of part 2B. Where they look at what is stored, they see nothing of a server that
/// stores nothing yet, and blame it for nothing.
fn of_logs(servers: usize) -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(votes::VoteOnlyUpToDate),
        Box::new(log_matching::LogMatching::default()),
        Box::new(own_log::SendsOwnLog::default()),
        Box::new(kept::LeaderAppendOnly),
        Box::new(kept::AcknowledgedStays::new(servers)),
        Box::new(kept::CommittedStays),
        Box::new(accepts::MatchingPrefixAccepted),
        Box::new(state_machine_safety::StateMachineSafety::default()),
        Box::new(commit::CommitOnlyOwnTerm::default()),
        Box::new(commit::CommitMonotonic),
    ]
}

/// The rules of part 2C: what was promised is on disk.
fn of_durability() -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(durability::PersistBeforeReply),
        Box::new(durability::PersistBeforeRequest),
        Box::new(leader_completeness::LeaderCompleteness::default()),
        Box::new(commit::CommitNeedsMajority::default()),
    ]
}

/// The rules of part 2D.
fn of_snapshots() -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(snapshots::SnapshotForward),
        Box::new(snapshots::SnapshotOfCurrentLeader::default()),
        Box::new(snapshots::SnapshotCoversCommitted),
        Box::new(snapshots::SnapshotEndsTruly),
    ]
}

impl State {
    fn show(&mut self, event: &Event<'_>) {
        if self.broken.is_some() {
            return;
        }
        let kind = event.kind().bit();
        for Rule { kinds, observer } in &mut self.rules {
            if *kinds & kind == 0 {
                continue;
            }
            if let Err(message) = observer.see(event, &self.world) {
                let (rule, blamed) = (observer.name(), observer.blamed());
                self.broken = Some(Broken { rule, message, blamed });
                return;
            }
        }
        self.tally.see(event, &self.world);
    }

    /// `by`, in term `term`, says that the log up to `position` is committed.
    fn committed(&mut self, by: ServerId, term: Term, position: Position) {
        if self.world.committed.note(term, position) {
            self.show(&Event::Committed { by, term, position });
        }
    }

    fn sent(&mut self, from: ServerId, to: ServerId, facts: &Facts) {
        self.world.sent(from, facts);
        self.together.sent(facts, self.world.now);
        self.standing.sent(from, facts, self.world.now);
        self.show(&Event::Sent { from, to, facts });
        match facts {
            Facts::Acts { term, commit, .. } | Facts::Beats { term, commit, .. } => {
                if let Some(of) = self.world.written(from).log.term_at(*commit) {
                    self.committed(from, *term, Position { term: of, index: *commit });
                }
            }
            Facts::Installs { term, last_included, .. } => {
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
        self.look(|state| {
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
        self.look(|state| {
            let Some((from, to)) = servers(call, state) else { return };
            // What it says was found out when it left, unless its caller is gone.
            let known = state.calls.get(&call.id).copied();
            let facts = known.unwrap_or_else(|| (self.facts)(request));
            if facts != Facts::None && state.world.server(to).alive {
                state.world.delivered(to, from, call.id, &facts);
                state.show(&Event::Delivered { to, facts: &facts });
            }
        });
    }

    fn answered(&self, call: &Call<'_>, reply: &dyn Any) {
        let facts = (self.facts)(reply);
        if facts == Facts::None {
            return;
        }
        self.look(|state| {
            let Some((_, by)) = servers(call, state) else { return };
            if let Some((handling, reply)) = state.world.answered(by, call.id, &facts) {
                state.standing.answered(by, &handling.request, &reply, state.world.now);
                state.show(&Event::Answered { by, handling: &handling, reply: &reply });
            }
        });
    }

    fn ended(&self, call: &Call<'_>, got_reply: bool) {
        self.look(|state| {
            let Some(request) = state.calls.remove(&call.id) else { return };
            let Some((caller, _)) = servers(call, state) else { return };
            if state.world.server(caller).alive {
                state.show(&Event::Ended { caller, request: &request, got_reply });
            }
        });
    }
}
