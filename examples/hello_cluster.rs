//! Three servers, a leader, a few commands: in virtual time, so it takes only milliseconds.
//!
//! Run it with `cargo run --example hello_cluster`.

use raftlab::lab::{Cluster, DESIGNS, Scenario, run_scenario};
use raftlab::runtime::{RunConfig, time::since_start};

raftlab::guard!();

fn story(cluster: &mut Cluster) {
    let leader = cluster.wait_for_leader();
    println!("{:.3} s  {leader} leads", since_start().as_secs_f64());
    for command in ["hello", "cluster", "goodbye"] {
        let index = cluster.agree(command);
        println!("{:.3} s  {command:?} is committed at {index}", since_start().as_secs_f64());
    }
    cluster.isolate(leader);
    let next = cluster.wait_for_leader();
    println!("{:.3} s  {leader} is cut off, {next} leads", since_start().as_secs_f64());
}

fn main() {
    let scenario = Scenario::new("hello_2b", story);
    let report = run_scenario(&scenario, &DESIGNS[0], &RunConfig::default());
    println!("{:.3} ms of real time{}", report.wall.as_secs_f64() * 1e3, report.render());
}
