//! Golden scripts: the steps of the tick core, in files that are easy to read.
//!
//! The unit tests in `src/raft/golden.rs` run the scripts in the folder `raft`, since the rules of
//! `src/raft` are not public.
//!
//! Each `NAME.txt` in this folder is a script and a test of that name. A block of it has commands,
//! a line `---`, and the expected output; `#` begins a comment, a blank line ends a block. The
//! commands are in `commands.rs`, the notation of the output is in `summary.rs` and `notation.rs`.
//!
//! `RAFTLAB_REWRITE=1 cargo test --test golden`, which `scripts/fix --expected` runs too, rewrites
//! the expected output. Read the diff line by line: it shows how the core's behaviour has changed.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod commands;
mod network;
mod notation;
mod script;
mod stage;
mod summary;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use raftlab::api;

use crate::stage::Stage;

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut scripts: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ext| ext == "txt")).collect();
    scripts.sort();
    scripts
}

/// Runs the commands of a script on nodes of the tick core.
fn commands() -> impl FnMut(&str) -> Result<String, String> {
    let mut stage = Stage::default();
    move |line| stage.command(line)
}

/// The tests of the runner itself: this harness has no other place for them.
fn own_tests() -> Vec<Trial> {
    vec![
        Trial::test("another_outcome_is_found", || {
            let script = "nodes 1\ncampaign S1\n---\nS1@0 follower ⇨ S1@1 candidate\n";
            let told = script::compare(script, &script::run(script, commands())?).unwrap_err();
            let at_line = told.contains("line 4") && told.contains("+ S1@0 follower ⇨ S1@1 leader");
            at_line.then_some(()).ok_or_else(|| told.into())
        }),
        Trial::test("an_unknown_command_is_found", || {
            let told = script::run("nodes 3\ncampain S1\n---\n", commands()).unwrap_err();
            told.starts_with("line 2: ").then_some(()).ok_or_else(|| told.into())
        }),
        Trial::test("a_block_without_its_end_is_found", || {
            let told = script::run("nodes 3\n", commands()).unwrap_err();
            told.contains("---").then_some(()).ok_or_else(|| told.into())
        }),
    ]
}

fn main() -> ExitCode {
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(name, move || Ok(script::check(&path, commands())?))
    };
    let trials = scripts().into_iter().map(trial).chain(own_tests()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
