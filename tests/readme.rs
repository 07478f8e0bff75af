//! The pages are up to date: tables of tests come from the list of tests, links lead to files.
//!
//! Their Rust code runs as a doctest, and `scripts/verify` runs the README's commands.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod support;

use std::fs;
use std::path::PathBuf;

use raftlab::lab::{Part, SCENARIOS};
use support::links;
use support::made::{self, root};

const BEGIN: &str = "<!-- made by scripts/fix from the list of tests -->\n";
const BEGIN_STORE: &str = "<!-- made by scripts/fix from the list of tests of part store -->\n";

/// The table of the tests of `parts`, as docs/tests.md must have it.
fn table(parts: impl Iterator<Item = Part>) -> String {
    let mut text = String::from("| Test | Servers | What it catches |\n| --- | --- | --- |\n");
    for part in parts {
        let mut tests = SCENARIOS.iter().filter(|scenario| scenario.part == part).peekable();
        if tests.peek().is_none() {
            continue;
        }
        let newer = match part {
            Part::Store => String::new(),
            _ => format!(", {} since 2024", part.newer_name()),
        };
        text += &format!("| **{part}**{newer} | | *{}* |\n", part.title());
        for scenario in tests {
            let network = if scenario.unreliable { ", unreliable network" } else { "" };
            let (name, servers, catches) = (scenario.name, scenario.servers, scenario.catches);
            text += &format!("| `{name}` | {servers}{network} | {catches} |\n");
        }
    }
    text
}

/// One test checks both tables, since they are in one file. A build without a database has no list
/// of part `store` to compare with.
#[test]
fn the_tables_are_those_of_the_list() {
    made::check(
        "docs/tests.md",
        BEGIN,
        &table(Part::ALL.into_iter().filter(|part| *part != Part::Store)),
    );
    if cfg!(feature = "store") {
        made::check("docs/tests.md", BEGIN_STORE, &table([Part::Store].into_iter()));
    }
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
        let dead = links::dead(page.parent().unwrap(), &text);
        assert!(dead.is_empty(), "{} has dead links: {dead:?}", page.display());
    }
}

#[test]
fn a_link_to_nothing_is_found() {
    let text = "# A page, below\n[a](README.md) [b](no.md) [c](https://example.org/no) [d](#below) \
                [e](src/no.rs#L1)\n```text\n[f](no)\n# no\n```\n`[g](no)` [h](#a-page-below) \
                [i](README.md#one-minute) [j](README.md#no) [k](src/lib.rs#L1)";
    let dead = ["no.md", "#below", "src/no.rs#L1", "README.md#no"];
    assert_eq!(links::dead(&root(), text), dead);
}
