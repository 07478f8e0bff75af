//! The command line, as scripts and people see it.
//!
//! `tests/cmd` has the commands that run no test, with their expected output, which
//! `scripts/fix --expected` regenerates. This file tests the others.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The program, started without cargo.
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

/// Readers of the book type its commands: in every edition, each prints what the page shows. Lines
/// that begin with `cargo` build something, and run elsewhere.
#[test]
fn the_book_shows_what_the_program_prints() {
    trycmd::TestCases::new()
        .register_bin("cargo", trycmd::schema::Bin::Ignore)
        .case("../docs/book/*/*.md");
}

#[test]
fn the_list_has_every_test() {
    let tests = raftlab::lab::SCENARIOS;
    let plain = text(&run("list").stdout);
    assert_eq!(plain.lines().count(), tests.len() + 1, "a heading and a line per test: {plain}");
    let json: Value = serde_json::from_slice(&run("list --json").stdout).unwrap();
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

/// The objects of a report file.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_report_has_a_line_per_run_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let output = raftlab("test INITIAL_election_2a --runs 3 --seed 5 --jobs 2 --report")
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let mut report = lines(&path);
    let summary = report.pop().unwrap()["summary"].clone();
    assert_eq!((&summary["runs"], &summary["failed"]), (&3.into(), &0.into()), "{summary}");
    report.sort_by_key(|run| run["seed"].as_u64());
    let seeds: Vec<_> = report.iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [5, 6, 7]);
    for run in &report {
        assert_eq!(run["test"], "initial_election_2a", "{run}");
        assert_eq!((&run["ok"], &run["failure"]), (&true.into(), &Value::Null), "{run}");
        assert_eq!(run["hash"].as_str().unwrap().len(), 16, "{run}");
        assert!(run["rpcs"].as_u64().unwrap() > 0, "{run}");
        assert!(run["virtual_s"].as_f64().unwrap() > 0.0, "{run}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_status_4() {
    for arguments in ["test initial_election_2a --report /dev/full", "list"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = raftlab(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments}: {}", text(&output.stderr));
        let words = text(&output.stderr);
        assert!(words.contains("No space left"), "{arguments}: {words}");
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_shows_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let child = raftlab("test 2A --until-fail 18446744073709551615 --report")
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        pause();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success(), "the signal was not sent");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stdout));
    assert!(text(&output.stdout).starts_with("test "), "no table: {}", text(&output.stdout));
    let report = lines(&path);
    let summary = &report.last().unwrap()["summary"];
    assert_eq!(summary["interrupted"], true, "{summary}");
    assert_eq!(summary["runs"], report.len() - 1, "the summary counts other runs: {summary}");
}

/// Waits a moment for a child process to make progress.
#[allow(clippy::disallowed_methods, reason = "this process has no run")]
fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

#[test]
fn a_replay_is_the_same_run_every_time() {
    let shown = |seed| {
        let output = run(&format!("replay basic_agree_2b --seed {seed}"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        text(&output.stdout)
    };
    let first = shown(7);
    assert_eq!(first, shown(7), "the same seed gave another run");
    assert_ne!(first, shown(8), "another seed gave the same run");
    let (record, verdict) = first.trim_end().rsplit_once("\n\n").unwrap();
    for line in record.lines() {
        let mut words = line.split_whitespace();
        let at: f64 = words.next().unwrap().parse().unwrap();
        assert!((0.0..120.0).contains(&at), "{line}");
        assert_eq!(line.as_bytes()[12..14], *b"  ", "time has the first column: {line}");
    }
    assert!(verdict.starts_with("basic_agree_2b, seed 7: nothing failed"), "{verdict}");
}

#[test]
fn the_report_and_the_replay_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.jsonl");
    let arguments = "test basic_agree_2b --runs 1 --seed 7 --schedule hostile --report";
    raftlab(arguments).arg(&path).output().unwrap();
    let hash = lines(&path)[0]["hash"].as_str().unwrap().to_string();
    let replay = text(&run("replay basic_agree_2b --seed 7 --schedule hostile").stdout);
    assert!(replay.contains(&format!("hash {hash}")), "{hash} is not the hash of {replay}");
}

/// Judges a history that is written to standard input.
fn check(arguments: &str, history: &str) -> Output {
    let mut child = raftlab(&format!("check - {arguments}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(history.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Two writes, one after the other, and a read of the first: lines 1, 2 and 3.
const STALE: &str = r#"{"client":0,"call":0,"return":1,"op":"write","value":"é"}
{"client":0,"call":2,"return":3,"op":"write","value":"b"}
{"client":1,"call":4,"return":5,"op":"read","answer":"é"}
"#;

#[test]
fn a_verdict_can_be_read_by_programs() {
    let output = check("--json", STALE);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["verdict"], "not linearizable", "{verdict}");
    assert_eq!((&verdict["model"], &verdict["operations"]), (&"register".into(), &3.into()));
    let odd = &verdict["contradiction"]["cannot_be_placed"];
    assert_eq!((&odd["operation"]["line"], &odd["right_answer"]), (&3.into(), &"\"b\"".into()));
    let lines = |which: &str| -> Vec<u64> {
        let operations = verdict["contradiction"][which].as_array().unwrap();
        operations.iter().map(|operation| operation["line"].as_u64().unwrap()).collect()
    };
    // The answer of the first write does not matter, but it returned before the second was called.
    assert_eq!((lines("conflict"), lines("context")), (vec![2, 3], vec![1]), "{verdict}");

    let output = check("--json", &STALE.replace("answer\":\"é", "answer\":\"b"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&verdict["verdict"], &verdict["contradiction"]),
        (&"linearizable".into(), &Value::Null)
    );
}

#[test]
fn bad_input_has_its_place_and_status_2() {
    let output = check("", &STALE.replace("\"call\":2", "\"call\":-2"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let words = "error: standard input:2:20: \"call\" is expected to be a whole number from 0\n";
    assert_eq!(text(&output.stderr), words);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let output = run("check .");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).starts_with("error: cannot read .: "), "{}", text(&output.stderr));
}

#[test]
fn no_verdict_in_time_is_status_3() {
    let output = check("--timeout 0s", STALE);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("undecided: no verdict within 0s"));
}

#[test]
fn colours_are_for_terminals_only() {
    let output = check("", STALE);
    assert!(text(&output.stdout).contains("✗"), "{}", text(&output.stdout));
    assert!(!output.stdout.contains(&0x1b), "{}", text(&output.stdout));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let output = run("test initial_election_2a --runs 1");
    assert!(!output.stdout.contains(&0x1b), "{}", text(&output.stdout));
    assert!(!output.stderr.contains(&0x1b), "{}", text(&output.stderr));
}

/// The JSON output of `raftlab compare`, without the figures that depend on the machine.
fn repeatable_figures(arguments: &str) -> Value {
    let output = run(&format!("compare --json {arguments}"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    let metrics = figures["metrics"].as_array_mut().unwrap();
    metrics.retain(|metric| metric["repeatable"] == true);
    figures
}

#[test]
fn a_comparison_follows_from_its_seeds() {
    let once = repeatable_figures("--runs 2 --jobs 1");
    assert_eq!(once, repeatable_figures("--runs 2 --jobs 3"), "with other jobs");
    let requests = &once["metrics"][0]["rows"][0];
    assert_eq!(requests["name"], "requests, 1 in flight");
    assert!(requests["figures"]["rpc"]["median"].as_f64().unwrap() < 2.1, "{requests}");
    assert_ne!(once, repeatable_figures("--runs 2 --seed 5"), "with other seeds");
}

#[test]
fn a_comparison_has_the_designs_that_were_asked_for() {
    let figures = repeatable_figures("--runs 1 --designs tick");
    assert_eq!(figures["designs"], serde_json::json!(["tick"]));
    let plain = text(&run("compare --runs 1 --designs tick").stdout);
    assert!(plain.starts_with("a command committed"), "{plain}");
    assert!(!plain.contains("–\n"), "every figure is there: {plain}");
}

#[test]
fn a_comparison_writes_its_page_and_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("new/folder");
    let output = raftlab("compare --runs 1 --out").arg(&inner).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains(inner.join("index.html").to_str().unwrap()), "{said}");
    let page = fs::read_to_string(inner.join("index.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    let figures = fs::read_to_string(inner.join("figures.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    assert_eq!(figures["runs"], 1);
    let again = raftlab("compare --runs 1 --designs rpc --out").arg(&inner).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "an earlier page is overwritten");
    let shorter = fs::read_to_string(inner.join("index.html")).unwrap();
    assert!(shorter.ends_with("</html>") && shorter.len() < page.len(), "{shorter}");
}
