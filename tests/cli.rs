//! The command line, as scripts and people see it.
//!
//! What it says without running anything stands in `tests/cmd`; `scripts/fix --expected` writes
//! it anew. The rest is here.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::{Command, Output};

/// The program, as a student has it who did not start it through cargo.
fn raftlab(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raftlab"));
    command.args(arguments.split_whitespace()).env_remove("CARGO").env_remove("NO_COLOR");
    command
}

fn run(arguments: &str) -> Output {
    raftlab(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_it_says_is_as_written() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

#[test]
fn the_list_has_every_test() {
    let tests = raftlab::lab::SCENARIOS;
    let plain = text(&run("list").stdout);
    assert_eq!(plain.lines().count(), tests.len() + 1, "a heading and a line per test: {plain}");
    let json: serde_json::Value = serde_json::from_slice(&run("list --json").stdout).unwrap();
    let names: Vec<_> = json.as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, tests.iter().map(|test| test.name).collect::<Vec<_>>());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = raftlab("list").stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
