//! A run is a function of its seed in every process, with or without the guard.

use std::process::Command;

use raftlab::lab::{self, DESIGNS};
use raftlab::runtime::RunConfig;

/// The program has the guard and runs seeds 1 to 3; this process repeats them without it.
#[test]
fn a_fresh_process_takes_the_same_course() {
    let scenario = lab::find_scenario("backup_2b").expect("a test of the lab");
    for design in &DESIGNS[..2] {
        let runs = runs_of_the_program(&["test", "backup_2b", "--design", design.name]);
        assert_eq!(runs.len(), 3, "three runs were asked for");
        for run in runs {
            let seed = run["seed"].as_u64().expect("a seed is a number");
            let config = RunConfig { seed, ..RunConfig::default() };
            let here = format!("{:016x}", lab::run_scenario(scenario, design, &config).hash);
            assert_eq!(run["hash"], here, "{}, seed {seed}: another run here", design.name);
        }
    }
}

/// The lines of the program's report that describe runs.
fn runs_of_the_program(arguments: &[&str]) -> Vec<serde_json::Value> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("report.jsonl");
    let status = Command::new(env!("CARGO_BIN_EXE_raftlab"))
        .args(arguments)
        .args(["--runs", "3", "--quiet", "--report"])
        .arg(&file)
        .output()
        .expect("the command line starts")
        .status;
    assert!(status.success(), "the command line ended with {status}");
    let text = std::fs::read_to_string(&file).expect("the report was written");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    lines.filter(|it: &serde_json::Value| it["seed"].is_u64()).collect()
}

/// A turn that the run cannot take changes nothing, and the user is told.
#[test]
fn a_turn_that_is_not_taken_is_complained_about() {
    let turns = "100000@0.100000000";
    let output = Command::new(env!("CARGO_BIN_EXE_raftlab"))
        .args(["replay", "vote_rules_2a", "--seed", "1", "--turns", turns])
        .output()
        .expect("the command line starts");
    assert!(output.status.success(), "nothing fails");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("warning: 1 of 1 turns not taken"), "{words}");
}
