//! Runs one scenario once, or a story that is no test.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::{Cluster, Tally};
use super::kv::{Judgement, judge};
use super::observe::{Liveness, Observers};
use super::{Design, Numbering, Part, Report, Rules, Scenario};
use crate::api::{Host, ServerId};
use crate::history::History;
use crate::labrpc;
use crate::record::{self, Event, Stamped, What};
use crate::runtime::{
    self, Clock, Failure, FailureKind, Outcome, RunConfig, Schedule, SchedulerNotes, Stall,
};

/// Maximum time that a scenario may take, on its own clock: the course's limit.
const SCENARIO_MAX: Duration = Duration::from_secs(120);

/// The limit under the hostile schedule, where no time is judged: long enough for stories to end.
const HOSTILE_SCENARIO_MAX: Duration = Duration::from_secs(600);

/// Maximum number of scheduling points that a run may pass: some thirty times as many as the
/// reference needs in the most expensive scenario. Tasks that loop instead of waiting exceed it
/// within seconds of virtual time.
const SCENARIO_POINTS_MAX: u64 = 10_000_000;

/// Whether observers watch a run. They do not change it; `Off` exists to prove that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observing {
    /// Every observer watches.
    On,
    /// No observer watches.
    Off,
}

/// Runs `scenario` once on `design`, with every observer on.
pub fn run_scenario(scenario: &Scenario, design: &Design, config: &RunConfig) -> Report {
    run_scenario_observing(scenario, design, config, Observing::On)
}

/// Runs `scenario` once; if it fails, runs it again with a record, so that the report has the
/// last events.
///
/// A failure is not repeated on the real clock, where no run can be repeated. Nor is it repeated
/// after a run that left an OS thread behind: the repetition would leave another one.
pub fn run_and_explain(scenario: &Scenario, design: &Design, config: &RunConfig) -> Report {
    let report = run_scenario(scenario, design, config);
    if report.ok || config.record || config.clock == Clock::Real || report.thread_left {
        return report;
    }
    let recorded = RunConfig { record: true, ..config.clone() };
    let again = run_scenario(scenario, design, &recorded);
    // The record changes nothing, so this is the same failure. If it is not, report the first
    // failure.
    if again.hash == report.hash { again } else { report }
}

/// Runs `scenario` once on `design`, with observers on or off.
pub fn run_scenario_observing(
    scenario: &Scenario,
    design: &Design,
    config: &RunConfig,
    observing: Observing,
) -> Report {
    // Made before the run, since making it reads the real clock.
    labrpc::context();
    let began = runtime::time::since_start();
    let scenario_max = if is_hostile(config) { HOSTILE_SCENARIO_MAX } else { SCENARIO_MAX };
    let config = RunConfig {
        elapsed_max: config.elapsed_max.min(scenario_max),
        points_max: config.points_max.min(SCENARIO_POINTS_MAX),
        ..config.clone()
    };
    let log = Arc::new(record::Log::default());
    let tally = Arc::new(Tally::default());
    let unfit = design.unfit_for(scenario);
    assert!(unfit.is_none(), "{} is not for the design {}: {unfit:?}", scenario.name, design.name);
    let observers = observers(scenario, design, &config, observing);
    let main = {
        let (scenario, design, config) = (*scenario, *design, config.clone());
        let (log, tally, observers) = (log.clone(), tally.clone(), observers.clone());
        move || {
            record::attach(log);
            let mut cluster = Cluster::new(&scenario, design, &config, observers, tally);
            (scenario.story)(&mut cluster);
            cluster.finish();
        }
    };
    let mut outcome = runtime::run(&config, main);
    let histories = tally.recorder.take();
    let cpu_began = runtime::cpu_used();
    let verdict = Verdict::of(&outcome, &config, &tally).with(&histories, outcome.elapsed);
    let cpu = outcome.cpu + (runtime::cpu_used() - cpu_began);
    let wall = runtime::time::since_start() - began;
    Report {
        test: scenario.name,
        part: scenario.part,
        servers: scenario.servers,
        design: design.name,
        strict: design.rules == Rules::AllOnDemand,
        clock: config.clock,
        schedule: config.schedule,
        seed: config.seed,
        kept: config.kept,
        choices: outcome.choices,
        missed_turns: config.turns.iter().count() - outcome.notes.turns_taken,
        turns: config.turns,
        pending: std::mem::take(&mut outcome.notes.pending),
        ok: verdict.failure.is_none() && verdict.undecided.is_none(),
        undecided: verdict.undecided,
        cut_short: verdict.cut_short,
        elapsed: outcome.elapsed,
        wall,
        cpu,
        rpcs: tally.counters().calls,
        bytes: tally.counters().bytes,
        commits: tally.commits(),
        hash: outcome.hash,
        thread_left: outcome.thread_left,
        record: told(log.with(std::mem::take), outcome.notes, verdict.failure.as_ref()),
        failure: verdict.failure,
        situations: observers.map(|it| it.situations().iter().collect()).unwrap_or_default(),
        histories,
    }
}

/// The events of a run and those that the scheduler adds; the failure, if any, is the last event.
fn told(
    mut events: Vec<Stamped>,
    notes: SchedulerNotes,
    failure: Option<&Failure>,
) -> Vec<Stamped> {
    if events.is_empty() {
        return events;
    }
    let host = |label| Some(Host::Server(ServerId(label)));
    events.extend(notes.stalls.into_iter().map(|Stall { label, at, span, place }| Stamped {
        at,
        event: Event { who: host(label), what: What::Stalled { span, place } },
    }));
    // The sort is stable: events of the same moment stay in their order.
    events.sort_by_key(|stamped| stamped.at);
    let Some(failure) = failure else { return events };
    let at = failure.at.max(events.last().map_or(Duration::ZERO, |last| last.at));
    events.extend(notes.tasks.into_iter().map(|(label, tasks)| {
        let tasks = tasks.lines().map(|line| line.trim().to_string()).collect();
        Stamped { at, event: Event { who: host(label), what: What::Waiting { tasks } } }
    }));
    let (rule, message) = (failure.name.clone(), failure.message.clone());
    let who = failure.label.and_then(host);
    events.push(Stamped { at, event: Event { who, what: What::Broken { rule, message } } });
    events
}

/// Runs `story` on `servers` servers of `design`, and returns its result. No observer watches, and
/// tasks that outlive the run do not fail it: this is for measurements, not for tests.
///
/// The network is reliable; the story may add rules to it. The servers are down until the story
/// chooses their service with [`Cluster::serve`].
///
/// # Errors
/// The [`Failure`] that ended the run.
pub fn run_unjudged<T: Send + 'static>(
    servers: usize,
    design: &Design,
    config: &RunConfig,
    story: impl FnOnce(&Cluster) -> T + Send + 'static,
) -> Result<T, Failure> {
    // Made before the run, since making it reads the real clock.
    labrpc::context();
    // The name ends in 3A, because in that part the story chooses the service.
    let scenario = Scenario::new("unjudged_3a", |_| {}).servers(servers);
    let main = {
        let (design, config) = (*design, config.clone());
        move || {
            let cluster = Cluster::new(&scenario, design, &config, None, Arc::default());
            let result = story(&cluster);
            cluster.finish();
            result
        }
    };
    runtime::run(config, main).result
}

/// The observers of a run; `None` with puppets, which may send what no real server would.
fn observers(
    scenario: &Scenario,
    design: &Design,
    config: &RunConfig,
    observing: Observing,
) -> Option<Arc<Observers>> {
    if scenario.puppets || observing == Observing::Off {
        return None;
    }
    // On the real clock it is unknown when the operating system delayed a server.
    let unfair = is_hostile(config) || config.clock == Clock::Real;
    let liveness = if unfair { Liveness::Ignored } else { Liveness::Judged };
    let numbering = match scenario.part {
        // A server with a database applies every entry of its log itself.
        Part::Store => Numbering::Entries,
        _ => design.numbering,
    };
    let until = match design.rules {
        Rules::OfThePart => scenario.part,
        Rules::AllOnDemand | Rules::All => Part::LAST,
    };
    Some(Observers::new(scenario.servers, design.facts, numbering, liveness, until))
}

/// Whether the schedule may stall any server for long, so that no wait and no limit is judged.
fn is_hostile(config: &RunConfig) -> bool {
    config.clock == Clock::Virtual && config.schedule == Schedule::Hostile
}

/// The judgement of a run.
#[derive(Default)]
struct Verdict {
    failure: Option<Failure>,
    cut_short: Option<String>,
    undecided: Option<String>,
}

impl Verdict {
    /// The verdict from the run itself, without the clients' histories.
    fn of(outcome: &Outcome<()>, config: &RunConfig, tally: &Tally) -> Verdict {
        match &outcome.result {
            Ok(()) => Verdict { failure: leak(outcome, tally), ..Verdict::default() },
            Err(limit) if limit.kind == FailureKind::Limit && is_hostile(config) => {
                let cut_short = Some(format!("{}: {}", limit.name, limit.message));
                Verdict { failure: leak(outcome, tally), cut_short, ..Verdict::default() }
            }
            Err(failure) => Verdict { failure: Some(failure.clone()), ..Verdict::default() },
        }
    }

    /// Adds the checker's judgement of the clients' histories.
    ///
    /// The checker runs if nothing failed, and after a wait that took too long, since a wrong
    /// answer may be its cause. Any other failure says more than the checker could.
    fn with(mut self, histories: &[History], elapsed: Duration) -> Verdict {
        if self.failure.as_ref().is_some_and(|failure| failure.kind != FailureKind::Limit) {
            return self;
        }
        match judge(histories) {
            Judgement::Legal => {}
            Judgement::Illegal(message) => {
                let (kind, name) = (FailureKind::Observer, "Linearizability");
                self.failure = Some(afterwards(kind, name, message, elapsed));
            }
            Judgement::Undecided(why) => {
                self.undecided = self.failure.is_none().then_some(why);
            }
        }
        self
    }
}

/// The failure for tasks, servers or a thread that outlive the run, if any do.
fn leak(outcome: &Outcome<()>, tally: &Tally) -> Option<Failure> {
    let (tasks, servers) = (outcome.tasks_left, tally.servers_left());
    let message = match (tasks, servers) {
        (0, 0) if outcome.thread_left => {
            "the run's thread does not end: a value that the code under test keeps \
            in a thread_local! waits or panics when it is dropped"
                .to_string()
        }
        (0, 0) => return None,
        _ => format!("{tasks} tasks and {servers} servers are left after the run"),
    };
    Some(afterwards(FailureKind::Assertion, "leak", message, outcome.elapsed))
}

/// A failure that is found when the run is over.
fn afterwards(kind: FailureKind, name: &str, message: String, at: Duration) -> Failure {
    Failure {
        kind,
        name: name.to_string(),
        message,
        task: "main".to_string(),
        label: None,
        place: String::new(),
        at,
    }
}
