//! Blank lines in the source of a server under test change no schedule.
//!
//! A student who adds a line of logging must not lose the failing seed, so the choice of the task
//! to stall may depend neither on a lock's line nor on its address. The test builds a small crate
//! twice, with a copy of the reference as the server under test; both must print the same hashes.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = r#"
[package]
name = "server-under-test"
version = "0.0.0"
edition = "2024"

[dependencies]
raftlab = { path = "ROOT", features = ["cli"] }
bytes = { version = "1", features = ["serde"] }
rand = { version = "0.10", default-features = false }
serde = { version = "1", features = ["derive"] }
tarpc = { version = "0.38", default-features = false, features = ["serde1"] }
tokio = { version = "1", features = ["sync"] }

# The profile of examples/own-raft, so that the library is built once for both.
[profile.release]
debug = 1
incremental = true

[profile.release.package.server-under-test]
debug = 0
opt-level = 1

[workspace]
"#;

/// Writes the crate's files to `home`, with every line of its server passed through `edit`.
fn lay_out(home: &Path, edit: impl Fn(&str) -> String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let _ = fs::remove_dir_all(home.join("src"));
    fs::create_dir_all(home.join("src/raft")).unwrap();
    let manifest = MANIFEST.replace("ROOT", root.to_str().unwrap());
    fs::write(home.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), home.join("Cargo.lock")).unwrap();
    fs::copy(root.join("tests/blank_lines/server.rs"), home.join("src/main.rs")).unwrap();
    for file in fs::read_dir(root.join("src/raft")).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let edited: String = source.lines().map(&edit).collect();
        fs::write(home.join("src/raft").join(path.file_name().unwrap()), edited).unwrap();
    }
}

/// Builds and runs the crate at `home`; returns what it prints.
fn hashes(home: &Path, target: &Path) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(home.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the crate did not build, or its run failed:\n{complaints}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn blank_lines_in_a_server_under_test_change_no_schedule() {
    let home: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("blank-lines");
    // This test's own target folder already has most dependencies, built in the same way.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    lay_out(&home, |line| format!("{line}\n"));
    let plain = hashes(&home, target);
    lay_out(&home, |line| match line.ends_with(['{', ';', '}']) {
        true => format!("{line}\n\n\n"),
        false => format!("{line}\n"),
    });
    let spaced = hashes(&home, target);
    assert_eq!(plain.lines().count(), 120, "some runs are missing:\n{plain}");
    assert!(!plain.contains("false"), "a run failed:\n{plain}");
    for (plain, spaced) in plain.lines().zip(spaced.lines()) {
        assert_eq!(plain, spaced, "blank lines changed a schedule");
    }
}
