//! A student can build a server part by part: the tests of a part apply only the rules of this part
//! and of the parts before it.

use std::sync::Arc;

use bytes::Bytes;
use raftlab::api::raft_rpc::RaftRpc as _;
use raftlab::api::{Consensus, Index, Leadership, NotLeader, Started};
use raftlab::lab::{
    Boot, DESIGNS, Design, Instance, Observing, Part, Report, SCENARIOS, Scenario,
    run_scenario_observing,
};
use raftlab::labrpc::Service;
use raftlab::persister::{PersistError, Persister};
use raftlab::raft::Raft;
use raftlab::runtime::{FailureKind, RunConfig, Schedule, thread};

/// The reference with a disk that no later life reads, like a student's server before part 2C.
const FORGETFUL: Design = Design::raft_rpc("forgetful", make);

fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me, Persister::new(), boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}

/// The reference, whose tasks panic once it is killed. No test before 2C kills a server.
const BAD_LOSER: Design = Design::raft_rpc("bad-loser", make_bad_loser);

fn make_bad_loser(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(BadLoser(raft)), services })
}

struct BadLoser(Raft);

impl Consensus for BadLoser {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        self.0.start(command)
    }

    fn get_state(&self) -> Leadership {
        self.0.get_state()
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        self.0.snapshot(index, data);
    }

    fn kill(&self) {
        self.0.kill();
        thread::go(|| panic!("killed"));
    }
}

fn of(part: Part) -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(move |scenario| scenario.part == part)
}

fn run(scenario: &Scenario, design: &Design, seed: u64, schedule: Schedule) -> Report {
    let config = RunConfig { seed, schedule, ..RunConfig::default() };
    run_scenario_observing(scenario, design, &config, Observing::On)
}

#[test]
fn a_server_that_stores_nothing_passes_2a_and_2b() {
    for scenario in of(Part::P2A).chain(of(Part::P2B)) {
        for (seed, schedule) in
            (1..=3).flat_map(|seed| [(seed, Schedule::Random), (seed, Schedule::Hostile)])
        {
            let report = run(scenario, &FORGETFUL, seed, schedule);
            assert!(report.ok, "{} {schedule} {seed}\n{}", scenario.name, report.render());
        }
    }
}

#[test]
fn a_server_that_panics_once_it_is_killed_fails_only_where_a_test_kills() {
    let [elections, persistence] = [Part::P2A, Part::P2C].map(|part| of(part).next().unwrap());
    let report = run(elections, &BAD_LOSER, 1, Schedule::Random);
    assert!(report.ok, "{}", report.render());
    let failure = run(persistence, &BAD_LOSER, 1, Schedule::Random).failure.expect("it crashes");
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Panic, "killed"));
}

#[test]
fn a_server_that_stores_nothing_fails_2c_and_is_told_what_to_do() {
    // In a cluster of one server, no message depends on what the server has stored.
    for scenario in of(Part::P2C).filter(|scenario| !scenario.puppets && scenario.servers > 1) {
        let report = run(scenario, &FORGETFUL, 1, Schedule::Random);
        let failure = report.failure.expect(scenario.name);
        assert_eq!(failure.name, "PersistBeforeRequest", "{}: {failure}", scenario.name);
        assert!(failure.message.contains("save the vote"), "{failure}");
    }
    // With puppets, every test fails except the one that is only about speed.
    let asked = |it: &&Scenario| it.puppets && it.name != "fast_backup_2c";
    for scenario in of(Part::P2C).filter(asked) {
        let report = run(scenario, &FORGETFUL, 1, Schedule::Random);
        assert!(!report.ok, "{} passes without a disk", scenario.name);
    }
}

#[test]
fn strict_takes_the_rules_of_all_parts_and_the_replay_line_says_so() {
    let scenario = of(Part::P2A).next().expect("there is a first test");
    let report = run(scenario, &FORGETFUL.strict(), 1, Schedule::Random);
    let failure = report.failure.as_ref().expect("a server that stores nothing fails");
    assert_eq!(failure.name, "PersistBeforeRequest", "{failure}");
    assert!(report.replay_line().ends_with(" --strict"), "{}", report.replay_line());
    let ours = run(scenario, &DESIGNS[0].strict(), 1, Schedule::Random);
    assert!(
        ours.ok && !ours.strict,
        "the reference must pass; it is always judged by all rules, so no --strict is shown: {}",
        ours.render()
    );
}
