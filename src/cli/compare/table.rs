//! The comparison for a terminal: a table per heading, and the reasons why the designs differ.

use std::fmt::Write;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use super::figures::{Figures, MetricFigures};

/// Maximum width of the text: longer lines are hard to read.
const COLUMNS: u16 = 100;

/// Maximum width of the names before the reasons.
const NAMES: u16 = 30;

/// The whole comparison.
pub(super) fn of(figures: &Figures) -> String {
    let mut text = String::new();
    for (heading, metrics) in figures.groups() {
        let _ = write!(text, "{}\n{}\n", rows(heading, metrics, &figures.designs), whys(metrics));
    }
    let (last, designs) = (figures.seed + (figures.runs - 1), figures.designs.join(", "));
    let _ = writeln!(
        text,
        "{designs}; seeds {} to {last}: the median, with minimum and maximum where they differ.\n\
         CPU time depends on this machine; all other figures follow from the seeds.",
        figures.seed
    );
    if !figures.remark().is_empty() {
        let _ = writeln!(text, "{}", figures.remark());
    }
    text
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).enforce_styling();
    table
}

fn rows(heading: &str, metrics: &[MetricFigures], designs: &[&str]) -> String {
    let mut table = plain();
    table.set_header([heading].iter().chain(designs).map(Cell::new));
    for metric in metrics {
        for row in &metric.rows {
            let name = match metric.unit {
                "" => row.name.clone(),
                unit => format!("{} [{unit}]", row.name),
            };
            let figure = |design: &&str| row.figures.get(design).map(|it| it.shown(metric.digits));
            let figures = designs.iter().map(|design| figure(design).unwrap_or_else(|| "–".into()));
            table.add_row([name].into_iter().chain(figures));
        }
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if place > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// Why the designs differ, metric by metric.
fn whys(metrics: &[MetricFigures]) -> String {
    let mut table = plain();
    table.set_width(COLUMNS).set_content_arrangement(ContentArrangement::Dynamic);
    for metric in metrics {
        table.add_row([format!("  {}:", metric.name), metric.reason().to_string()]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 1));
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(NAMES)));
    }
    if let Some(column) = table.column_mut(1) {
        column.set_padding((0, 0));
    }
    table.trim_fmt() + "\n"
}
