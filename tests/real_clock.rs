//! A few scenarios on the real clock, so that the suite works on both clocks.
//!
//! Runs with real threads and wall time are slow and cannot be repeated, so the whole suite runs on
//! the virtual clock, in `lab.rs`.

mod support;

use raftlab::runtime::{Clock, RunConfig};

fn check(name: &str) {
    let config = RunConfig { clock: Clock::Real, ..RunConfig::default() };
    support::expect_ok(&support::run(name, &config));
}

#[test]
fn a_leader_is_elected_2a() {
    check("initial_election_2a");
}

#[test]
fn commands_are_agreed_on_2b() {
    check("basic_agree_2b");
}

#[test]
fn wrong_logs_are_put_right_2b() {
    check("backup_2b");
}

#[test]
fn servers_come_and_go_2c() {
    check("reliable_churn_2c");
}

#[test]
fn logs_are_trimmed_2d() {
    check("snapshot_basic_2d");
}

#[test]
fn operations_are_fast_3a() {
    check("speed_3a");
}

#[test]
fn an_old_leader_gives_its_clients_up_3a() {
    check("one_partition_3a");
}

#[test]
fn a_server_that_lags_gets_a_snapshot_3b() {
    check("snapshot_rpc_3b");
}
