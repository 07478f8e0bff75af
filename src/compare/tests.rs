//! Measurements show known counts, and the same figures each time, on any machine.

use super::*;
use crate::lab::DESIGNS;

fn values_of(design: &str, experiment: &str, seed: u64) -> Vec<Value> {
    let design = DESIGNS.iter().find(|it| it.name == design).unwrap();
    let experiment = EXPERIMENTS.iter().find(|it| it.name == experiment).unwrap();
    experiment.run(design, seed).unwrap()
}

fn value(design: &str, experiment: &str, metric: &str) -> f64 {
    let values = values_of(design, experiment, 1);
    values.iter().find(|value| value.metric == metric).unwrap().value
}

#[test]
fn a_single_command_of_rpc_is_one_request_per_follower() {
    let requests = value("rpc", "load of 1", "requests");
    // And the report that the last command is committed, which no other append carries.
    assert!((2.0..=2.01).contains(&requests), "{requests}");
    assert_eq!(requests, value("rpc", "load of 1", "responses"), "each is answered");
}

#[test]
fn a_single_command_of_tick_is_two_requests_per_follower_and_heartbeats() {
    let requests = value("tick", "load of 1", "requests");
    // A heartbeat per follower in 100 ms, which are 50 round trips.
    assert!((4.0 + 1.9 / 50.0..4.1).contains(&requests), "{requests}");
}

#[test]
fn a_command_is_committed_after_one_round_trip() {
    for design in DESIGNS {
        let trips = value(design.name, "latency, 50 ms", "commit_latency");
        assert!((1.0..1.01).contains(&trips), "{}: {trips}", design.name);
    }
}

#[test]
fn each_command_is_stored_once_by_each_server() {
    for design in DESIGNS {
        let bytes = value(design.name, "load of 1", "persisted_bytes");
        let command = bench::COMMAND_BYTES as f64;
        assert!(bytes > command && bytes < 1.3 * command, "{}: {bytes}", design.name);
    }
}

#[test]
fn an_idle_leader_beats_ten_times_a_second_for_each_follower() {
    for design in DESIGNS {
        let requests = value(design.name, "rest", "idle_requests");
        assert!((19.0..=21.0).contains(&requests), "{}: {requests}", design.name);
    }
}

#[test]
fn a_lost_append_takes_longer_than_none() {
    for design in DESIGNS {
        let lost = value(design.name, "append lost unnoticed", "silent_append_ms");
        let none = value(design.name, "append", "append_ms");
        assert!(lost > none, "{}: {lost} and {none}", design.name);
    }
}

#[test]
fn what_follows_from_the_seed_is_the_same_each_time() {
    for design in DESIGNS {
        for experiment in EXPERIMENTS.iter().filter(|it| !it.wants_machine) {
            let run = || experiment.run(design, 7).unwrap();
            assert_eq!(run(), run(), "{} of {}", experiment.name, design.name);
        }
    }
}

#[test]
fn another_seed_is_another_election() {
    let [one, other] = [1, 2].map(|seed| values_of("rpc", "election of 3", seed));
    assert_ne!(one, other);
}

#[test]
fn every_metric_is_measured_at_every_place_and_has_a_reason() {
    let mut comparison = Comparison::new(vec!["rpc"]);
    let rpc = &DESIGNS[0];
    EXPERIMENTS.iter().for_each(|it| comparison.add(0, &it.run(rpc, 1).unwrap()));
    // No experiment counts lines of code; the command `raftlab compare` does.
    let rows = comparison.rows();
    for row in rows.iter().filter(|row| row.metric.group != "code") {
        assert!(row.figures[0].is_some(), "{} is not measured", row.metric.name_at(row.at));
    }
    for metric in METRICS {
        let why = metric.why;
        assert!(why.len() > 40 && why.ends_with('.'), "{}: {why:?}", metric.id);
        let namesakes = METRICS.iter().filter(|other| other.id == metric.id).count();
        assert_eq!(namesakes, 1, "{} is listed more than once", metric.id);
    }
}

/// Checks the reasons of the metrics of a quarter of the experiments, which take a while.
fn the_figures_bear_the_reasons_out(quarter: usize) {
    let mut comparison = Comparison::new(vec!["rpc", "tick"]);
    let all = EXPERIMENTS.iter().filter(|it| !it.wants_machine);
    for experiment in all.skip(quarter).step_by(4) {
        for seed in 1..=10 {
            for (slot, name) in ["rpc", "tick"].into_iter().enumerate() {
                comparison.add(slot, &values_of(name, experiment.name, seed));
            }
        }
    }
    for metric in METRICS {
        assert!(comparison.bears_out(metric), "{}: {}", metric.id, metric.why);
    }
}

#[test]
fn the_figures_bear_the_reasons_of_a_first_quarter_out() {
    the_figures_bear_the_reasons_out(0);
}

#[test]
fn the_figures_bear_the_reasons_of_a_second_quarter_out() {
    the_figures_bear_the_reasons_out(1);
}

#[test]
fn the_figures_bear_the_reasons_of_a_third_quarter_out() {
    the_figures_bear_the_reasons_out(2);
}

#[test]
fn the_figures_bear_the_reasons_of_the_last_quarter_out() {
    the_figures_bear_the_reasons_out(3);
}

#[cfg(feature = "raft-rs")]
#[test]
fn the_figures_bear_out_what_is_said_of_raft_rs() {
    let (lost, name) = ("silent_snapshot_ms", "snapshot lost unnoticed");
    assert!(value("raft-rs", name, lost) > 7000.0, "it waits for the call's end");
    assert!(value("tick", name, lost) < 1000.0, "five heartbeats");
    let heals = |design, seed| values_of(design, "follower returns", seed)[0].value;
    let total = |design| (1..=10).map(|seed| heals(design, seed)).sum::<f64>();
    let (theirs, ours) = (total("raft-rs"), total("tick"));
    assert!(theirs > ours + 10.0 * 200.0, "{theirs} is not {ours} and an election timeout");
}

#[test]
fn a_reason_that_the_figures_contradict_is_noticed() {
    let mut comparison = Comparison::new(vec!["rpc", "tick"]);
    let metric = METRICS.iter().find(|metric| metric.id == "requests").unwrap();
    let requests = |value| [Value { metric: "requests", at: 1, value }];
    comparison.add(0, &requests(2.0));
    assert!(comparison.bears_out(metric), "nothing to compare with yet");
    comparison.add(1, &requests(2.0));
    assert!(!comparison.bears_out(metric), "the reason says twice as many");
}

#[test]
fn a_figure_is_the_middle_the_least_and_the_most() {
    assert_eq!(Figure::of(vec![]), None);
    let odd = Figure { median: 2.0, least: 1.0, most: 9.0, count: 3 };
    assert_eq!(Figure::of(vec![9.0, 1.0, 2.0]), Some(odd));
    let even = Figure { median: 3.0, least: 1.0, most: 9.0, count: 4 };
    assert_eq!(Figure::of(vec![9.0, 1.0, 2.0, 4.0]), Some(even));
}
