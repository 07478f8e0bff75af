//! The zoo: planted bugs, each a small patch of the reference, and the checks that must catch it.
//!
//! The tests here run no patch. They check that every patch applies, has a complete header, and has
//! a row in `docs/coverage.md` with the words of its header. `raftlab zoo` runs the patches.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod core;
#[path = "../../src/cli/zoo/fields.rs"]
mod fields;
#[path = "../../src/cli/zoo/header.rs"]
#[allow(dead_code, reason = "the tests do not need all that a header has")]
mod header;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use header::Header;
use raftlab::lab::SCENARIOS;

/// Kinds of failure that `caught-by` may name besides scenarios and observers.
const KINDS: [&str; 6] = ["assertion", "panic", "deadlock", "livelock", "limit", "leak"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn patches() -> Vec<PathBuf> {
    [patches_in("tests/zoo"), patches_in("tests/zoo/store")].concat()
}

fn patches_in(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path());
    let mut patches: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ext| ext == "patch")).collect();
    patches.sort();
    assert!(!patches.is_empty(), "{folder} is empty");
    patches
}

fn headers() -> Vec<Header> {
    patches()
        .iter()
        .map(|file| Header::read(file).unwrap_or_else(|what| panic!("{what}")))
        .collect()
}

/// Checks that `git apply --check` accepts `patch`; returns its message if not.
fn applies(patch: &Path) -> Result<(), String> {
    let output = Command::new("git")
        .args(["apply", "--check"])
        .arg(patch)
        .current_dir(root())
        .output()
        .expect("git is installed");
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", patch.display(), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_patch_applies() {
    let broken: Vec<_> = patches().iter().filter_map(|patch| applies(patch).err()).collect();
    assert!(broken.is_empty(), "recreate these patches against our source:\n{}", broken.join(""));
}

#[test]
fn a_patch_whose_lines_are_gone_does_not_apply() {
    let folder = tempfile::tempdir().unwrap();
    let patch = folder.path().join("x.patch");
    let hunk = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1 +1 @@\n-not there\n+nor this\n";
    fs::write(&patch, format!("diff --git a/src/lib.rs b/src/lib.rs\n{hunk}")).unwrap();
    applies(&patch).unwrap_err();
}

#[test]
fn every_patch_changes_the_reference_and_none_its_messages() {
    for patch in patches() {
        for line in fs::read_to_string(&patch).unwrap().lines() {
            let Some(file) = line.strip_prefix("+++ ") else { continue };
            let ours = file.starts_with("b/src/raft/") && !file.ends_with("/rpc.rs")
                || file.starts_with("b/src/kv/")
                || file.starts_with("b/src/store/");
            assert!(ours, "{}: the zoo cannot plant it in {file}", patch.display());
        }
    }
}

#[test]
fn what_is_to_catch_a_bug_exists() {
    let observers = fs::read_to_string(root().join("src/lab/observe/mod.rs")).unwrap();
    // Only a build with a database has these scenarios.
    let store = fs::read_to_string(root().join("src/lab/store_list.rs")).unwrap();
    for Header { id, caught_by, unseen, .. } in headers() {
        for name in caught_by {
            let known = (name == "nothing" && unseen.is_some())
                || KINDS.contains(&name.as_str())
                || SCENARIOS.iter().any(|scenario| scenario.name == name)
                || store.contains(&format!("            {name}: Store,"))
                || ["apply_order", "log_marks_in_order"].contains(&name.as_str())
                || observers.contains(&format!("| `{name}` |"));
            assert!(known, "{id}: neither a scenario nor an observer is called {name:?}");
        }
    }
}

#[test]
fn every_patch_has_its_row_in_the_coverage_page() {
    let page = fs::read_to_string(root().join("docs/coverage.md")).unwrap();
    for Header { id, catalogue, bug, caught_by, unseen, .. } in headers() {
        let rows: Vec<_> =
            page.lines().filter(|line| line.contains(&format!("| `{id}` |"))).collect();
        let [row] = rows[..] else { panic!("docs/coverage.md has {} rows of {id}", rows.len()) };
        assert!(
            row.starts_with(&format!("| {catalogue} | {bug} |")),
            "{id}: the row describes another bug: {row}"
        );
        for name in caught_by {
            assert!(row.contains(&name), "{id}: {name} is missing in {row}");
        }
        let reason = unseen.unwrap_or_default();
        assert!(row.contains(&reason), "{id}: the reason why it may go unseen is missing in {row}");
    }
}

#[test]
fn every_patch_that_the_coverage_page_names_exists() {
    let page = fs::read_to_string(root().join("docs/coverage.md")).unwrap();
    let headers = headers();
    let named = page.lines().filter_map(|line| line.split("| `").nth(1)?.split('`').next());
    for id in named {
        let exists = headers.iter().any(|header| header.id == id) || core::is_planted(id);
        assert!(exists, "there is no patch called {id}");
    }
}
