//! Correct servers that differ from ours, each a small patch of the reference; the suite must pass
//! them all.
//!
//! The tests here run no patch. They check that every patch applies, has a complete header, and
//! excuses only tests that exist. `scripts/fair` runs the patches and three whole Rafts.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

#[path = "../../src/cli/zoo/fields.rs"]
mod fields;
mod header;
#[allow(dead_code, reason = "scripts/fair builds it into a program; here it is only compiled")]
mod runner;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use header::Header;
use raftlab::lab::SCENARIOS;

fn patches() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fair");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut patches: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ext| ext == "patch")).collect();
    patches.sort();
    patches
}

#[test]
fn there_are_twenty_correct_servers_and_every_patch_applies() {
    assert!(patches().len() >= 20, "{} patches", patches().len());
    for patch in patches() {
        let output = Command::new("git")
            .args(["apply", "--check"])
            .arg(&patch)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("git is installed");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "recreate {}: {errors}", patch.display());
    }
}

#[test]
fn a_header_says_what_differs_and_excuses_tests_that_exist() {
    for patch in patches() {
        let header = Header::read(&patch).unwrap_or_else(|what| panic!("{what}"));
        for name in &header.but_for {
            let known = SCENARIOS.iter().any(|scenario| scenario.name == name);
            assert!(known, "{}: no test is called {name:?}", header.id);
        }
    }
}

#[test]
fn an_incomplete_header_is_refused() {
    let text = "id: a\ndiffers: b\nallowed: c\nbut-for: nothing\n";
    assert_eq!(Header::parse(text).unwrap().but_for, [""; 0]);
    for (field, instead) in [("differs: b", "differs: "), ("allowed: c\n", "")] {
        Header::parse(&text.replace(field, instead)).unwrap_err();
    }
}
