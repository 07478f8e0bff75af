//! Golden scripts: the steps of the tick core, in a file that reads like a drawing.
//!
//! A script is `NAME.txt` in this folder, and a test of that name. Each of its blocks has commands,
//! a line `---`, and the expected output; `#` begins a comment, a blank line ends a block. The
//! commands are in `commands.rs`, the notation of the output is in `notation.rs`.
//!
//! `RAFTLAB_REWRITE=1 cargo test --test golden`, which `scripts/fix --expected` runs too, rewrites
//! the expected output. Read that diff line by line: it is a change of the core's behaviour.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod commands;
mod notation;
mod script;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut scripts: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ext| ext == "txt")).collect();
    scripts.sort();
    scripts
}

/// Runs one script and compares its output, or rewrites the script if `RAFTLAB_REWRITE` is set.
fn check(path: &Path) -> Result<(), Failed> {
    let expected = fs::read_to_string(path)?;
    let found = script::run(&expected)?;
    if std::env::var_os("RAFTLAB_REWRITE").is_some() {
        if found != expected {
            fs::write(path, found)?;
        }
        return Ok(());
    }
    script::compare(&expected, &found).map_err(Failed::from)
}

/// The tests of the runner itself: this harness has no other place for them.
fn own_tests() -> Vec<Trial> {
    vec![
        Trial::test("another_outcome_is_found", || {
            let script = "nodes 1\ncampaign S1\n---\nS1@0 follower = S1@1 candidate\n";
            let told = script::compare(script, &script::run(script)?).unwrap_err();
            let at_line = told.contains("line 4") && told.contains("+ S1@0 follower = S1@1 leader");
            at_line.then_some(()).ok_or_else(|| told.into())
        }),
        Trial::test("an_unknown_command_is_found", || {
            let told = script::run("nodes 3\ncampain S1\n---\n").unwrap_err();
            told.starts_with("line 2: ").then_some(()).ok_or_else(|| told.into())
        }),
        Trial::test("a_command_without_its_end_is_found", || {
            let told = script::run("nodes 3\n").unwrap_err();
            told.contains("---").then_some(()).ok_or_else(|| told.into())
        }),
    ]
}

fn main() -> ExitCode {
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(name, move || check(&path))
    };
    let trials = scripts().into_iter().map(trial).chain(own_tests()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
