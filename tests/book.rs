//! The book is up to date: its tables, declarations and figures are those of the code, its links
//! lead somewhere, and its summary has every chapter.
//!
//! The command line's tests run the commands in it, and its Rust programs are doctests.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use raftlab::compare::{Comparison, EXPERIMENTS, Row};
use raftlab::lab::{DESIGNS, Part, SCENARIOS};
use support::{links, made};

/// The folders in docs/book that have the same chapters in different languages.
const EDITIONS: &[&str] = &["en", "zh"];

/// The line before a part of a chapter that is made begins so.
const BEGIN: &str = "<!-- made by scripts/fix from ";

/// The number of seeds that the chapter states.
const RUNS: u64 = 10;

/// The figures of `rpc` and `tick`, without those that depend on the machine or on the build.
fn figures() -> String {
    let designs = &DESIGNS[..2];
    let mut comparison = Comparison::new(designs.iter().map(|design| design.name).collect());
    for experiment in EXPERIMENTS.iter().filter(|experiment| !experiment.wants_machine) {
        for seed in 1..=RUNS {
            for (slot, design) in designs.iter().enumerate() {
                comparison.add(slot, &experiment.run(design, seed).unwrap());
            }
        }
    }
    let rows = comparison.rows();
    let measured = rows.iter().filter(|row| row.metric.is_repeatable && row.figures[0].is_some());
    let mut text = String::from("| | `rpc` | `tick` |\n| --- | ---: | ---: |\n");
    let mut group = "";
    for row in measured {
        if row.metric.group != group {
            group = row.metric.group;
            text += &format!("| *{group}* | | |\n");
        }
        text += &line(row);
    }
    text
}

fn line(row: &Row) -> String {
    let unit = match row.metric.unit {
        "" => String::new(),
        unit => format!(" [{unit}]"),
    };
    let figures = row.figures.iter().map(|it| it.unwrap().shown(row.metric.digits));
    let figures: Vec<_> = figures.collect();
    format!("| {}{unit} | {} |\n", row.metric.name_at(row.at), figures.join(" | "))
}

#[test]
fn the_figures_of_the_chapter_are_those_of_a_comparison() {
    let table = figures();
    for edition in EDITIONS {
        let page = format!("docs/book/{edition}/two-designs.md");
        made::check(&page, &format!("{BEGIN}a comparison -->\n"), &table);
    }
}

/// The table of the tests of `part`.
fn tests_of(part: Part) -> String {
    let mut text =
        String::from("| Test | What it is about | What it catches |\n| --- | --- | --- |\n");
    for test in SCENARIOS.iter().filter(|test| test.part == part) {
        text += &format!("| `{}` | {} | {} |\n", test.name, test.title, test.catches);
    }
    text
}

/// The item of `source` that `opening` begins, with its comments and without its indentation; of a
/// function only the signature.
fn item(source: &str, opening: &str) -> Option<String> {
    let lines: Vec<_> = source.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with(opening))?;
    let indent = lines[at].len() - lines[at].trim_start().len();
    let belongs = |line: &&&str| ["///", "#["].iter().any(|it| line.trim_start().starts_with(it));
    let first = at - lines[..at].iter().rev().take_while(belongs).count();
    let is_function = opening.contains("fn ");
    let closes = |line: &&str| match is_function {
        true => line.ends_with([';', '{']),
        false => {
            let is_outside = line.len() > indent && !line[indent..].starts_with([' ', ')']);
            is_outside && line.ends_with([';', '}'])
        }
    };
    let last = at + lines[at..].iter().position(closes)?;
    let shown = lines[first..=last].iter().map(|line| line.get(indent..).unwrap_or_default());
    let mut item: String = shown.map(|line| format!("{line}\n")).collect();
    if is_function && item.ends_with(" {\n") {
        item.replace_range(item.len() - 3.., ";\n");
    }
    Some(item)
}

/// What belongs after the line `BEGIN what -->`: a table of tests, or an item of a source file.
/// `None`: another test makes it.
fn made(what: &str) -> Option<String> {
    if let Some(name) = what.strip_prefix("the tests of part ") {
        let part = Part::ALL.into_iter().find(|part| part.to_string() == name);
        return Some(tests_of(part.unwrap_or_else(|| panic!("no part is called {name:?}"))));
    }
    let (path, opening) = what.split_once(": ")?;
    let source = fs::read_to_string(made::root().join(path)).unwrap();
    let item = item(&source, opening).unwrap_or_else(|| panic!("{path} has no {opening:?}"));
    Some(format!("```rust,ignore\n{item}```\n"))
}

/// The chapters of an edition: names and texts.
fn chapters(edition: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder(edition)).unwrap().map(|entry| entry.unwrap());
    let mut chapters: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let is_chapter = name.ends_with(".md") && name != "SUMMARY.md";
            is_chapter.then(|| (name, fs::read_to_string(entry.path()).unwrap()))
        })
        .collect();
    chapters.sort();
    chapters
}

fn folder(edition: &str) -> PathBuf {
    made::root().join("docs/book").join(edition)
}

#[test]
fn tables_and_declarations_are_those_of_the_code() {
    for edition in EDITIONS {
        for (name, text) in chapters(edition) {
            for what in text.lines().filter_map(|line| line.strip_prefix(BEGIN)) {
                let what = what.strip_suffix(" -->").expect("the mark ends in its line");
                let Some(made) = made(what) else { continue };
                let page = format!("docs/book/{edition}/{name}");
                made::check(&page, &format!("{BEGIN}{what} -->\n"), &made);
            }
        }
    }
}

#[test]
fn every_part_of_the_course_has_its_table_of_tests() {
    for edition in EDITIONS {
        let chapters = chapters(edition);
        for part in Part::ALL.into_iter().filter(|part| *part != Part::Store) {
            let mark = format!("{BEGIN}the tests of part {part} -->\n");
            let count = chapters.iter().filter(|(_, text)| text.contains(&mark)).count();
            assert_eq!(count, 1, "chapters of {edition} with the tests of part {part}");
        }
    }
}

#[test]
fn an_item_is_shown_with_its_comments_to_its_end() {
    let source = "trait T {\n    /// Does a.\n    #[must_use]\n    fn a(\n        b: B,\n    ) -> C {\n        \
                  D;\n    }\n    fn e(&self);\n}\npub struct F {\n    g: G,\n}\n";
    let shown = |opening| item(source, opening).unwrap_or_default();
    assert_eq!(shown("fn a("), "/// Does a.\n#[must_use]\nfn a(\n    b: B,\n) -> C;\n");
    assert_eq!(shown("fn e("), "fn e(&self);\n");
    assert_eq!(shown("pub struct F"), "pub struct F {\n    g: G,\n}\n");
    assert_eq!(item(source, "fn z("), None);
}

#[test]
fn the_summary_has_every_chapter() {
    for edition in EDITIONS {
        let summary = fs::read_to_string(folder(edition).join("SUMMARY.md")).unwrap();
        let mut listed = links::targets(&summary);
        listed.sort();
        let there: Vec<_> = chapters(edition).into_iter().map(|(name, _)| name).collect();
        assert_eq!(listed, there, "the summary and the chapters of {edition} differ");
    }
}

#[test]
fn links_lead_to_chapters_and_headings_that_exist() {
    for edition in EDITIONS {
        for (name, text) in chapters(edition) {
            let dead = links::dead(&folder(edition), &text);
            assert!(dead.is_empty(), "{edition}/{name} has dead links: {dead:?}");
        }
    }
}

/// The fenced blocks of `text` that begin with the line `fence`, in order.
fn blocks<'a>(text: &'a str, fence: &str) -> Vec<Vec<&'a str>> {
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while lines.any(|line| line == fence) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

/// The programs of the first edition are doctests; those of the others are the same programs.
#[test]
fn programs_and_commands_are_the_same_in_every_edition() {
    let (first, others) = EDITIONS.split_first().unwrap();
    for (name, text) in chapters(first) {
        for edition in others {
            let other = fs::read_to_string(folder(edition).join(&name)).unwrap();
            for fence in ["```rust", "```rust,ignore", "```console", "```sh"] {
                let there = blocks(&other, fence);
                assert_eq!(blocks(&text, fence), there, "{fence} in {edition}/{name}");
            }
        }
    }
}

/// The output in the chapter about failures can be made again only as long as the patch applies.
#[test]
fn the_mistake_of_the_chapter_about_failures_can_be_planted() {
    let output = Command::new("git")
        .args(["apply", "--check", "tests/book/late-request-cuts.patch"])
        .current_dir(made::root())
        .output()
        .expect("git is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "recreate tests/book/late-request-cuts.patch: {errors}");
}
