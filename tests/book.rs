//! The book is up to date: its figures are those of a comparison, its summary has every chapter.

#![allow(clippy::unwrap_used, reason = "a test may; so may its helpers")]

mod support;

use std::fs;

use raftlab::compare::{Comparison, EXPERIMENTS, Row};
use raftlab::lab::DESIGNS;
use support::made;

const BEGIN: &str = "<!-- made by scripts/fix from a comparison -->\n";

/// The number of seeds that the chapter states.
const RUNS: u64 = 10;

/// The figures of `rpc` and `tick`, without those that depend on the machine or on the build.
fn table() -> String {
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
    made::check("docs/book/two-designs.md", BEGIN, &table());
}

#[test]
fn every_chapter_is_in_the_summary() {
    let folder = made::root().join("docs/book");
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_chapter = name.ends_with(".md") && name != "SUMMARY.md";
        assert!(
            !is_chapter || summary.contains(&format!("({name})")),
            "SUMMARY.md does not list {name}"
        );
    }
}
