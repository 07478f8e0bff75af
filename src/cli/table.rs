//! The tables for people, and the list of situations after them.

use std::fmt::Write;

use crate::lab::situations::Situation;
use crate::lab::{Part, Scenario};
use crate::runtime::Clock;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};

use crate::cli::tally::{Moments, Tally, TestTally};

/// Maximum fraction of cut-short runs: with more, a test has hardly been judged.
const CUT_SHORT_PART_MAX: f64 = 0.2;

/// A table without lines, with these headings.
pub(super) fn plain<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).enforce_styling();
    table.set_header(headings.into_iter().map(Cell::new));
    table
}

/// Renders a table, with the columns `numbers` aligned to the right.
pub(super) fn finish(mut table: Table, numbers: std::ops::Range<usize>) -> String {
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// A text as one field of a CSV file.
#[cfg(feature = "solutions")]
pub(super) fn csv_field(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

/// Every test: name, part in both numberings, servers, network, title.
pub(super) fn of_tests(scenarios: &[&Scenario]) -> String {
    let mut table = plain(["test", "part", "since 2024", "servers", "network", "what it is about"]);
    for scenario in scenarios {
        table.add_row([
            scenario.name,
            scenario.part.name(),
            scenario.part.newer_name(),
            &scenario.servers.to_string(),
            if scenario.unreliable { "unreliable" } else { "reliable" },
            scenario.title,
        ]);
    }
    finish(table, 3..4)
}

/// The results of the runs of each test.
pub(super) fn of_results(tally: &Tally, clock: Clock) -> String {
    let seconds = if clock == Clock::Real { "wall s" } else { "virtual s" };
    // The table is wide, and this column is hardly ever needed.
    let undecided = (tally.undecided() > 0).then_some("undecided");
    let figures = ["cut short", seconds, "CPU ms", "RPCs", "bytes", "commits"];
    let headings: Vec<&str> =
        ["test", "runs", "failed"].into_iter().chain(undecided).chain(figures).collect();
    let columns = headings.len();
    let mut table = plain(headings);
    let cpu_ms = |test: &TestTally| match tally.cpu.is_zero() {
        true => "unknown".to_string(),
        false => spread(&test.cpu_ms, 1),
    };
    for test in tally.tests.iter().filter(|test| test.runs > 0) {
        let first =
            [Cell::new(test.scenario.name), Cell::new(test.runs), marked(test.failed, Color::Red)];
        let undecided = undecided.map(|_| marked(test.undecided, Color::Red));
        let figures = [
            marked(test.cut_short, Color::Yellow),
            Cell::new(spread(&test.seconds, 2)),
            Cell::new(cpu_ms(test)),
            Cell::new(spread(&test.rpcs, 0)),
            Cell::new(spread(&test.bytes, 0)),
            Cell::new(spread(&test.commits, 0)),
        ];
        table.add_row(first.into_iter().chain(undecided).chain(figures));
    }
    finish(table, 1..columns)
}

/// The results as the course's tests print them, for scripts that read those: a title, then a line
/// with the means of all runs.
pub(super) fn as_the_course(tally: &Tally) -> String {
    let mut text = String::new();
    for test in tally.tests.iter().filter(|test| test.runs > 0) {
        let Scenario { name, part, servers, title, .. } = test.scenario;
        let network = if test.scenario.unreliable { "unreliable" } else { "reliable" };
        let _ = writeln!(text, "Test ({part}): {title} ({network} network)...");
        if test.failed > 0 {
            let _ = writeln!(text, "--- FAIL: {name} ({} of {} runs)", test.failed, test.runs);
            continue;
        }
        let _ = writeln!(
            text,
            "  ... Passed --  time {:4.1}s #peers {servers} #RPCs {:5.0} #Ops {:4.0}",
            test.seconds.mean(),
            test.rpcs.mean(),
            test.commits.mean(),
        );
    }
    text
}

fn marked(count: u64, color: Color) -> Cell {
    let cell = Cell::new(count);
    if count == 0 { cell } else { cell.fg(color).add_attribute(Attribute::Bold) }
}

/// `mean ± deviation`, or the mean alone if there is no deviation.
fn spread(moments: &Moments, digits: usize) -> String {
    match moments.deviation() {
        Some(deviation) => format!("{:.digits$} ± {deviation:.digits$}", moments.mean()),
        None => format!("{:.digits$}", moments.mean()),
    }
}

/// The tests that were cut short so often that they have hardly been judged.
pub(super) fn hardly_judged(tally: &Tally) -> Vec<&TestTally> {
    let part = |test: &TestTally| test.cut_short as f64 / test.runs.max(1) as f64;
    tally.tests.iter().filter(|test| part(test) > CUT_SHORT_PART_MAX).collect()
}

/// The situations that no run exercised, as a paragraph; empty if there are no such situations.
///
/// Only the situations of parts that the campaign ran as a whole: a single test exercises few.
pub(super) fn of_situations(tally: &Tally, whole: &[Part]) -> String {
    const COLUMNS: usize = 96;
    let expected = Situation::ALL.iter().filter(|situation| whole.contains(&situation.part()));
    let never = expected
        .map(|situation| situation.what())
        .filter(|name| tally.situations.get(name).is_none_or(|times| *times == 0));
    let mut lines: Vec<String> = Vec::new();
    for name in never {
        match lines.last_mut() {
            Some(line) if line.chars().count() + name.chars().count() + 2 <= COLUMNS => {
                line.push_str("; ");
                line.push_str(name);
            }
            _ => lines.push(name.to_string()),
        }
    }
    match lines.is_empty() {
        true => String::new(),
        false => format!("never exercised:\n  {}\n", lines.join(";\n  ")),
    }
}

/// The parts to which `scenarios` belong, in order.
pub(super) fn parts(scenarios: &[&Scenario]) -> Vec<Part> {
    let has = |part: &Part| scenarios.iter().any(|scenario| scenario.part == *part);
    Part::ALL.into_iter().filter(has).collect()
}
