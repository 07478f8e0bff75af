//! The suite judges the clients' histories however a run ends; shown with clients that lie.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

use raftlab::api::{PutError, ServerId};
use raftlab::history::History;
use raftlab::lab::{
    self, Cluster, DESIGNS, Design, KV, KvClient, KvDesign, Observing, Report, Scenario,
};
use raftlab::runtime::{FailureKind, RunConfig, Schedule, thread};

raftlab::guard!();

/// A client that reports every value that it read as empty.
struct Forgetful(Box<dyn KvClient>);

impl KvClient for Forgetful {
    fn get(&mut self, key: &str) -> String {
        self.0.get(key);
        String::new()
    }

    fn put(&mut self, key: &str, value: &str) {
        self.0.put(key, value);
    }

    fn append(&mut self, key: &str, value: &str) {
        self.0.append(key, value);
    }

    fn get_versioned(&mut self, key: &str) -> Option<(String, u64)> {
        self.0.get_versioned(key).map(|(_, version)| (String::new(), version))
    }

    fn put_versioned(&mut self, key: &str, value: &str, version: u64) -> Result<(), PutError> {
        self.0.put_versioned(key, value, version)
    }
}

const FORGETFUL: Design = Design {
    kv: Some(KvDesign {
        client: |id, network, host, servers| {
            Box::new(Forgetful((KV.client)(id, network, host, servers)))
        },
        ..KV
    }),
    ..DESIGNS[0]
};

/// Runs a story without observers, which would fail it first.
fn told(design: &Design, schedule: Schedule, run: fn(&mut Cluster)) -> Report {
    let story = Scenario::new("story_3a", run);
    let config = RunConfig { schedule, ..RunConfig::default() };
    lab::run_scenario_observing(&story, design, &config, Observing::Off)
}

fn put_and_get(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut client = cluster.client();
    client.put("k", "v");
    client.get("k");
}

fn put_and_get_versioned(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut client = cluster.client();
    client.put_versioned("k", "v", 0).unwrap();
    client.get_versioned("k");
}

fn put_and_get_and_no_end(cluster: &mut Cluster) {
    put_and_get(cluster);
    cluster.end_by_limit("no_end", "the story does not end".to_string());
}

fn put_that_never_returns(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let alone: Vec<[ServerId; 1]> = cluster.servers().map(|server| [server]).collect();
    cluster.partition(&alone.iter().map(|group| &group[..]).collect::<Vec<_>>());
    let mut client = cluster.client();
    thread::spawn("client", move || client.put("k", "v"));
    cluster.sleep_ms(3000);
}

/// Returns kind and name of the report's failure.
fn blamed(report: Report) -> (FailureKind, String) {
    let failure = report.failure.expect("a read of a value that was never written fails the run");
    (failure.kind, failure.name)
}

#[test]
fn answers_that_no_order_explains_fail_a_run_that_ended_well() {
    assert!(told(&DESIGNS[0], Schedule::Random, put_and_get).ok, "the reference does not lie");
    for story in [put_and_get, put_and_get_versioned] {
        let report = told(&FORGETFUL, Schedule::Random, story);
        assert!(!report.ok && report.undecided.is_none(), "{}", report.render());
        let drawn = report.render().contains(r#"get "k""#);
        assert!(drawn, "{}", report.render());
        assert_eq!(blamed(report), (FailureKind::Observer, "Linearizability".to_string()));
    }
}

#[test]
fn they_fail_a_run_that_was_cut_short_and_say_more_than_a_limit() {
    for schedule in [Schedule::Random, Schedule::Hostile] {
        let honest = told(&DESIGNS[0], schedule, put_and_get_and_no_end);
        assert_eq!(honest.ok, schedule == Schedule::Hostile, "{}", honest.render());
        let report = told(&FORGETFUL, schedule, put_and_get_and_no_end);
        assert_eq!(blamed(report).1, "Linearizability", "under the schedule {schedule}");
    }
}

#[test]
fn an_operation_that_never_returned_is_left_open() {
    let report = told(&DESIGNS[0], Schedule::Random, put_that_never_returns);
    assert!(report.ok, "{}", report.render());
    let [History::Kv(operations)] = &report.histories[..] else {
        panic!("expected one history, of puts and gets, found {:?}", report.histories);
    };
    assert_eq!(operations.len(), 1, "one operation was called");
    assert_eq!(operations[0].returned, None, "no majority could answer");
}

/// The leader that committed the last operation is cut off before a follower hears of the commit.
fn counted_by_a_leader_that_is_cut_off(cluster: &mut Cluster) {
    let counters = cluster.serve_counter(None);
    counters.inc();
    cluster.disconnect(counters.leader());
    cluster.sleep_ms(1000);
    counters.check(2);
}

#[test]
fn the_next_leader_gets_the_command_without_which_it_may_commit_nothing() {
    for seed in 1..=20 {
        let story = Scenario::new("story_3a", counted_by_a_leader_that_is_cut_off);
        let config = RunConfig { seed, ..RunConfig::default() };
        let report = lab::run_scenario(&story, &DESIGNS[0], &config);
        assert!(report.ok, "seed {seed}: {}", report.render());
    }
}
