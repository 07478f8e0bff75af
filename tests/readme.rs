//! The README says what is so: its table is made from the list of tests, its links lead somewhere.
//!
//! Its Rust code runs as a doctest, and `scripts/verify` runs its commands.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

use std::fs;
use std::path::{Path, PathBuf};

use raftlab::lab::{Part, SCENARIOS};

const BEGIN: &str = "<!-- made by scripts/fix from the list of tests -->\n";
const END: &str = "<!-- end of what is made -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The table of tests as it must stand in the README.
fn table() -> String {
    let mut text = String::from("| Test | Servers | What fails it |\n| --- | --- | --- |\n");
    for part in Part::ALL {
        let mut tests = SCENARIOS.iter().filter(|scenario| scenario.part == part).peekable();
        if tests.peek().is_none() {
            continue;
        }
        text +=
            &format!("| **{part}**, {} since 2024 | | *{}* |\n", part.newer_name(), part.title());
        for scenario in tests {
            let network = if scenario.unreliable { ", unreliable network" } else { "" };
            let (name, servers, breaks) = (scenario.name, scenario.servers, scenario.breaks);
            text += &format!("| `{name}` | {servers}{network} | {breaks} |\n");
        }
    }
    text
}

#[test]
fn the_table_is_that_of_the_list() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let begin = readme.find(BEGIN).expect("the table's beginning is marked") + BEGIN.len();
    let end = readme.find(END).expect("the table's end is marked");
    if std::env::var_os("RAFTLAB_REWRITE").is_some() {
        fs::write(&path, format!("{}{}{}", &readme[..begin], table(), &readme[end..])).unwrap();
        return;
    }
    assert_eq!(&readme[begin..end], table(), "the list has changed: run scripts/fix");
}

/// Links of a page that lead to no file. Links to elsewhere are not followed.
fn dead_links(folder: &Path, text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|tail| tail.split([')', '#']).next());
    targets
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .filter(|target| !folder.join(target).exists())
        .map(str::to_string)
        .collect()
}

#[test]
fn links_lead_to_files_that_exist() {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|page| root().join(page)).into();
    for folder in ["docs", "docs/decisions"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        let found = entries.map(|entry| entry.unwrap().path());
        pages.extend(found.filter(|path| path.extension().is_some_and(|ext| ext == "md")));
    }
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let dead = dead_links(page.parent().unwrap(), &text);
        assert!(dead.is_empty(), "{} links to nothing: {dead:?}", page.display());
    }
}

#[test]
fn a_link_to_nothing_is_found() {
    let text =
        "[a](README.md) [b](no.md) [c](https://example.org/no) [d](#below) [e](src/no.rs#L1)";
    assert_eq!(dead_links(&root(), text), ["no.md", "src/no.rs"]);
}
