//! Many machines: shards of a campaign, and the merge of their reports.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Five runs of each of three tests in four shards: no number divides another.
const CAMPAIGN: &str =
    "test initial_election_2a basic_agree_2b rpc_bytes_2b --runs 5 --seed 3 --quiet";

/// The program in `folder`, started without cargo.
fn raftlab(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raftlab"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command.env_remove("CARGO").env_remove("NO_COLOR");
    command
}

/// What a command with this exit status prints.
fn said(folder: &Path, arguments: &str, status: i32) -> String {
    let Output { status: ended, stdout, stderr } = raftlab(folder, arguments).output().unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(ended.code(), Some(status), "{arguments}: {text}");
    text
}

/// A folder with the shards of [`CAMPAIGN`] that `which` has.
fn folder(which: impl IntoIterator<Item = u64>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for index in which {
        shard(folder.path(), index, &format!("shard-{index}.jsonl --jobs 1"));
    }
    folder
}

/// Writes a shard to `file`, after which there may be further arguments.
fn shard(folder: &Path, index: u64, file: &str) {
    let arguments = format!("{CAMPAIGN} --job-index {index} --job-count 4 --report {file}");
    said(folder, &arguments, 0);
}

/// The runs of a report, in the order of their seeds, without the machine's times.
fn runs(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut runs: Vec<Value> = lines.filter(|line| line.get("test").is_some()).collect();
    for run in &mut runs {
        for machine in ["wall_ms", "cpu_ms"] {
            run.as_object_mut().unwrap().remove(machine).unwrap();
        }
    }
    runs.sort_by_key(|run| (run["test"].to_string(), run["seed"].as_u64()));
    runs
}

/// The rows of the table of results, without the column of CPU time.
fn table(text: &str) -> Vec<Vec<&str>> {
    let row = |line| {
        let mut words: Vec<&str> = str::split_whitespace(line).collect();
        words.drain(7..10);
        words
    };
    text.lines().skip(1).take(3).map(row).collect()
}

#[test]
fn merged_shards_are_the_campaign_in_whatever_order_and_how_often() {
    let folder = folder(0..4);
    let path = folder.path();
    let whole = said(path, &format!("{CAMPAIGN} --report whole"), 0);
    let merged = said(path, "merge . --report merged", 0);
    assert_eq!(table(&merged), table(&whole), "{merged}{whole}");
    assert!(merged.ends_with("4 shards, none is missing\n"), "{merged}");
    assert_eq!(runs(&path.join("merged")), runs(&path.join("whole")));

    let bytes = fs::read(path.join("merged")).unwrap();
    let shards: Vec<_> = [2, 0, 3, 1].map(|index| format!("shard-{index}.jsonl")).into();
    // A second copy, whose times are others, and perhaps the order of its lines.
    shard(path, 2, "zcopy --jobs 4");
    said(path, &format!("merge {} zcopy --report other", shards.join(" ")), 0);
    said(path, "merge zcopy merged --report again", 0);
    assert_eq!(fs::read(path.join("other")).unwrap(), fs::read(path.join("again")).unwrap());
    said(path, "merge merged --report again", 0);
    assert_eq!(fs::read(path.join("again")).unwrap(), bytes, "merged twice");
    said(path, &format!("merge {} --report again", shards.join(" ")), 0);
    assert_eq!(fs::read(path.join("again")).unwrap(), bytes, "in another order");
    // Parts of the campaign that were merged before.
    said(path, "merge shard-3.jsonl shard-1.jsonl --report odd", 5);
    said(path, "merge odd shard-2.jsonl shard-0.jsonl --report again", 0);
    assert_eq!(fs::read(path.join("again")).unwrap(), bytes, "in two steps");
}

#[test]
fn a_missing_shard_is_named_with_the_command_that_does_it() {
    let folder = folder([0, 2, 3]);
    let path = folder.path();
    let text = said(path, "merge .", 5);
    let (_, missing) = text.split_once("\n4 shards, 1 missing: 1\nagain    raftlab ").unwrap();
    said(path, missing.trim_end(), 0);
    said(path, "merge .", 0);
}

#[test]
fn a_file_without_its_end_counts_for_nothing() {
    let folder = folder(0..4);
    let path = folder.path().join("shard-1.jsonl");
    let text = fs::read(&path).unwrap();
    let (_, summary) = (0..text.len() - 1)
        .map(|at| (at, &text[at..]))
        .find(|(at, _)| text[*at..].starts_with(b"{\"summary\""))
        .unwrap();
    for end in [0, 9, text.len() - summary.len(), text.len() - summary.len() / 2, text.len() - 1] {
        fs::write(&path, &text[..end]).unwrap();
        let said = said(folder.path(), "merge .", 5);
        assert!(said.contains("4 shards, 1 missing: 1\n"), "{end}: {said}");
        assert!(said.contains("\ncut      ./shard-1.jsonl has no summary\n"), "{end}: {said}");
    }
}

#[test]
#[cfg(unix)]
fn a_shard_that_is_killed_leaves_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let arguments = "test 2A --runs 1000000 --job-index 1 --job-count 2 --report shard.jsonl";
    let mut child = raftlab(path, arguments).stdout(Stdio::null()).spawn().unwrap();
    let files = || -> Vec<PathBuf> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let is_written = |file: &PathBuf| fs::metadata(file).is_ok_and(|file| file.len() > 0);
    while !files().iter().any(is_written) {
        pause();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = files();
    let is_part = |file: &PathBuf| file.extension().is_some_and(|ext| ext == "part");
    assert!(left.iter().all(is_part), "{left:?}");

    let child = raftlab(path, arguments).stdout(Stdio::null()).spawn().unwrap();
    while files().len() == left.len() {
        pause();
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(files(), left, "Ctrl-C leaves nothing");
}

/// Waits a moment for a child process to make progress.
#[allow(clippy::disallowed_methods, reason = "this process has no run")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// Writes the file again, changed by `edit`.
fn change(file: &Path, edit: impl Fn(&str) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let changed = edit(&text);
    assert_ne!(changed, text, "nothing has changed");
    fs::write(file, changed).unwrap();
}

#[test]
fn a_failed_run_is_shown_and_missing_shards_say_more_than_it() {
    let folder = folder(0..4);
    let path = folder.path();
    let failure = r#""failure":{"kind":"observer","name":"LogMatching","message":"S1 and S2 differ","at_s":1.5,"replay":null}"#;
    for index in [1, 2] {
        change(&path.join(format!("shard-{index}.jsonl")), |text| {
            let line = text.replacen(r#""ok":true"#, r#""ok":false"#, 1);
            line.replacen(r#""failure":null"#, failure, 1)
        });
    }
    let text = said(path, "merge .", 1);
    assert!(text.contains("\nFAILED initial_election_2a: 2 of 5 runs; the first:\nbroken   LogMatching: S1 and S2 differ\n"), "{text}");
    assert!(text.contains("again    raftlab replay initial_election_2a --seed 4\n"), "{text}");
    assert!(text.contains("15 runs of 3 tests: 2 failed ("), "{text}");
    fs::remove_file(path.join("shard-0.jsonl")).unwrap();
    let text = said(path, "merge .", 5);
    assert!(text.contains("\nFAILED initial_election_2a: 2 of 3 runs"), "{text}");
}

#[test]
fn two_copies_of_a_run_must_agree() {
    let folder = folder([1]);
    let path = folder.path();
    fs::copy(path.join("shard-1.jsonl"), path.join("copy.jsonl")).unwrap();
    change(&path.join("copy.jsonl"), |text| {
        let (before, after) = text.split_once("\"hash\":\"").unwrap();
        let (plan_hash, after) = after.split_once("\"hash\":\"").unwrap();
        format!("{before}\"hash\":\"{plan_hash}\"hash\":\"{}{}", "0".repeat(16), &after[16..])
    });
    let text = said(path, "merge .", 2);
    let words = "two copies of one run differ, initial_election_2a with seed 4: line 2 of ./copy.jsonl has passed, hash 0000000000000000; line 2 of ./shard-1.jsonl has passed, hash ";
    assert!(text.contains(words), "{text}");
}

#[test]
fn files_of_different_plans_are_not_merged() {
    let folder = folder([1]);
    let path = folder.path();
    for (change, words) in [
        ("--schedule hostile", "schedule hostile, the second has schedule random"),
        ("--design tick", "design tick, the second has design rpc"),
        ("backup_2b", "test backup_2b, the second has no such test"),
    ] {
        let other = format!("{CAMPAIGN} {change} --job-index 0 --job-count 4 --report other.jsonl");
        said(path, &other, 0);
        let text = said(path, "merge .", 2);
        let files = "./other.jsonl and ./shard-1.jsonl are of different plans: the first has";
        assert!(text.contains(&format!("{files} {words};")), "{text}");
    }
}

#[test]
fn a_bad_line_is_named() {
    let folder = folder([0, 1]);
    let path = folder.path();
    let file = path.join("shard-1.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let of_shard_0 = fs::read_to_string(path.join("shard-0.jsonl")).unwrap();
    let foreign = of_shard_0.lines().nth(1).unwrap();
    let last = lines.len() - 1;
    for (at, line, words) in [
        (0, "{}", "line 1 of ./shard-1.jsonl: this is no plan (missing field `plan`"),
        (
            0,
            &lines[0].replace("\"seed\":3", "\"seed\":4"),
            "line 1 of ./shard-1.jsonl: the plan does not match its hash",
        ),
        (2, "junk", "line 3 of ./shard-1.jsonl: this is no run ("),
        (2, &lines[2].replace("\"seed\":", "\"seed\":9"), "is not in the plan"),
        (
            2,
            &lines[2].replace("rpc\"", "tick\""),
            "line 3 of ./shard-1.jsonl: the run has design tick, its plan rpc",
        ),
        (2, foreign, "line 3 of ./shard-1.jsonl: the run is of shard 0, but the file of shard 1"),
        (2, lines[last], "line 3 of ./shard-1.jsonl: it tells of "),
        (last, &lines[last].replace("\"runs\":", "\"runs\":9"), "runs, but 4 are in the file"),
    ] {
        let mut changed = lines.clone();
        changed[at] = line;
        fs::write(&file, changed.join("\n") + "\n").unwrap();
        let text = said(path, "merge .", 2);
        assert!(text.contains(words), "{words}: {text}");
    }
}
