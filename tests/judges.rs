//! The suite's own checks: which failure each flaw of a server gets.
//!
//! The design has no protocol: its servers share one log, and S0 leads for ever. Each flaw breaks
//! the contract with the service above in one way.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use raftlab::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started, Term};
use raftlab::lab::{self, Boot, Cluster, Design, Facts, Instance, Observing, Report, Scenario};
use raftlab::persister::PersistError;
use raftlab::runtime::sync::{Condvar, Mutex};
use raftlab::runtime::{self, FailureKind, RunConfig, Schedule, thread};

raftlab::guard!();

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    SkipsAnIndex,
    ChangesACommand,
    AllLead,
    NobodyLeads,
    PanicsInStart,
    IsNeverDropped,
    ItsPartsStay,
}

/// The log that all servers share.
struct Shared {
    log: Mutex<Vec<Bytes>>,
    grown: Condvar,
}

struct Server {
    me: ServerId,
    flaw: Flaw,
    shared: Arc<Shared>,
}

impl Consensus for Server {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        assert!(self.flaw != Flaw::PanicsInStart, "a planted panic");
        if !self.get_state().is_leader {
            return Err(NotLeader { term: Term(1), leader_hint: None });
        }
        let mut log = self.shared.log.lock();
        log.push(command);
        self.shared.grown.notify_all();
        Ok(Started { term: Term(1), index: Index(log.len() as u64) })
    }

    fn get_state(&self) -> Leadership {
        let is_leader = match self.flaw {
            Flaw::AllLead => true,
            Flaw::NobodyLeads => false,
            _ => self.me == ServerId(0),
        };
        Leadership { term: Term(1), is_leader }
    }

    fn snapshot(&self, _index: Index, _data: Bytes) {}

    fn kill(&self) {}
}

fn make(boot: Boot<'_>, flaw: Flaw) -> Result<Instance, PersistError> {
    if runtime::local::<Shared>().is_none() {
        runtime::set_local(Arc::new(Shared { log: Mutex::default(), grown: Condvar::new() }));
    }
    let shared = runtime::local::<Shared>().expect("it was just set");
    if flaw == Flaw::ItsPartsStay && boot.me == ServerId(2) {
        std::mem::forget(boot.persister.clone());
    }
    let (me, apply_ch, theirs) = (boot.me, boot.apply_ch, shared.clone());
    thread::spawn(format!("server{}", me.0), move || {
        for place in 0.. {
            let mut log = theirs.log.lock();
            while log.len() <= place {
                theirs.grown.wait(&mut log);
            }
            let mut command = log[place].clone();
            drop(log);
            let mut index = Index(0).plus(place + 1);
            match flaw {
                Flaw::SkipsAnIndex if place == 1 && me == ServerId(1) => index = index.next(),
                Flaw::ChangesACommand if place == 1 => command = Bytes::from(me.to_string()),
                _ => {}
            }
            if apply_ch.send(ApplyMsg::Command { index, term: Term(1), command }).is_err() {
                return;
            }
        }
    });
    let server = Arc::new(Server { me, flaw, shared });
    if flaw == Flaw::IsNeverDropped && me == ServerId(2) {
        std::mem::forget(server.clone());
    }
    Ok(Instance { consensus: server, services: Vec::new() })
}

fn no_facts(_message: &dyn Any) -> Facts {
    Facts::None
}

fn two_commands(cluster: &mut Cluster) {
    cluster.check_one_leader();
    assert_eq!(cluster.one(b"first", 3, false), Index(1), "the first command has index 1");
    assert_eq!(cluster.one(b"second", 3, false), Index(2), "the second command has index 2");
}

const STORY: Scenario = Scenario::new("two_commands_2b", two_commands);

/// Runs the story on a design with `flaw`, as the suite runs any other design.
fn judged(flaw: Flaw, schedule: Schedule) -> Report {
    macro_rules! designs {
        ($($flaw:ident),*) => {
            match flaw {
                $(Flaw::$flaw => {
                    let make = |boot: Boot<'_>| make(boot, Flaw::$flaw);
                    Design::new(stringify!($flaw), make, no_facts)
                },)*
            }
        };
    }
    let design = designs!(
        None,
        SkipsAnIndex,
        ChangesACommand,
        AllLead,
        NobodyLeads,
        PanicsInStart,
        IsNeverDropped,
        ItsPartsStay
    );
    // Without observers, which would fail it first.
    let config = RunConfig { schedule, ..RunConfig::default() };
    lab::run_scenario_observing(&STORY, &design, &config, Observing::Off)
}

/// Returns kind and name of the failure of a design with `flaw`.
fn blamed(flaw: Flaw) -> (FailureKind, String) {
    let report = judged(flaw, Schedule::Random);
    assert!(!report.ok, "a report with a failure is not ok");
    let failure = report.failure.expect("the suite notices the flaw");
    (failure.kind, failure.name)
}

fn assertion(name: &str) -> (FailureKind, String) {
    (FailureKind::Assertion, name.to_string())
}

#[test]
fn a_flawless_server_passes() {
    let report = judged(Flaw::None, Schedule::Random);
    assert!(report.ok, "{}", report.render());
    assert_eq!((report.commits, report.rpcs), (2, 0), "two commands, and no call was made");
    assert_eq!(report.render(), "", "there is nothing to explain");
}

#[test]
fn an_index_that_is_left_out_fails() {
    assert_eq!(blamed(Flaw::SkipsAnIndex), assertion("apply_order"));
}

#[test]
fn servers_that_disagree_fail() {
    assert_eq!(blamed(Flaw::ChangesACommand), assertion("applied_values_differ"));
}

#[test]
fn two_leaders_in_one_term_fail() {
    assert_eq!(blamed(Flaw::AllLead), assertion("two_leaders"));
}

#[test]
fn a_panic_of_the_code_under_test_is_told_from_a_failed_check() {
    assert_eq!(blamed(Flaw::PanicsInStart), (FailureKind::Panic, "panic".to_string()));
}

#[test]
fn an_instance_that_outlives_its_run_fails() {
    assert_eq!(blamed(Flaw::IsNeverDropped), assertion("leak"));
    assert_eq!(blamed(Flaw::ItsPartsStay), assertion("leak"));
}

#[test]
fn a_wait_fails_except_under_the_hostile_schedule_where_it_cuts_short() {
    assert_eq!(blamed(Flaw::NobodyLeads), (FailureKind::Limit, "no_leader".to_string()));

    let report = judged(Flaw::NobodyLeads, Schedule::Hostile);
    assert!(report.ok, "{}", report.render());
    let cut_short = report.cut_short.expect("the story did not end");
    assert!(cut_short.starts_with("no_leader"), "it was cut short by {cut_short}");
}

#[test]
fn a_wrong_value_fails_under_every_schedule() {
    for schedule in [Schedule::Fifo, Schedule::Random, Schedule::Hostile] {
        let failure = judged(Flaw::SkipsAnIndex, schedule).failure.expect("the suite notices it");
        assert_eq!(failure.name, "apply_order", "under the schedule {schedule}");
    }
}

#[test]
fn a_failure_says_what_where_and_how_to_repeat_it() {
    let text = judged(Flaw::SkipsAnIndex, Schedule::Fifo).render();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "broken   apply_order: S1 applied out of order: expected index 2, got 3");
    assert!(lines[1].starts_with("where    S1; task service1; virtual time "), "{}", lines[1]);
    assert!(lines[2].starts_with("hint     "), "{}", lines[2]);
    let [.., more, again] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(*more, "         more: raftlab hint apply_order --more");
    assert_eq!(
        *again,
        "again    raftlab replay two_commands_2b --seed 1 --design SkipsAnIndex --schedule fifo"
    );
}
