//! The figures of a comparison as data, for the table, the page and scripts.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use crate::compare::{Comparison, Figure, Metric, Row};
use serde::Serialize;

/// The figures of a comparison.
#[derive(Serialize)]
pub(super) struct Figures {
    /// The names of the designs, in the order in which they are shown.
    pub designs: Vec<&'static str>,
    /// The first seed.
    pub seed: u64,
    /// Number of seeds.
    pub runs: u64,
    /// The metrics, in the order in which they are shown.
    pub metrics: Vec<MetricFigures>,
}

/// One metric, for all designs.
#[derive(Serialize)]
pub(super) struct MetricFigures {
    /// The heading under which the metric is shown.
    pub group: &'static str,
    /// The metric's name for programs.
    pub id: &'static str,
    /// The metric's name for people.
    pub name: &'static str,
    /// The metric's unit; empty for a count.
    pub unit: &'static str,
    /// Whether the figures follow from the seeds alone.
    pub repeatable: bool,
    /// Why the designs differ in this metric; `null` if the figures do not confirm the reason.
    pub why: Option<String>,
    /// One row for each load, size or delay at which the metric was measured.
    pub rows: Vec<RowFigures>,
    #[serde(skip)]
    pub digits: usize,
}

/// One metric at one load, size or delay.
#[derive(Serialize)]
pub(super) struct RowFigures {
    /// The load, the size or the delay; 0 if the metric depends on none of them.
    pub at: u32,
    /// The row's name for people.
    pub name: String,
    /// The figure of each design; a design without a figure is left out.
    pub figures: BTreeMap<&'static str, Figure>,
}

impl Figures {
    /// The figures of `comparison`, which was measured with `runs` seeds from `seed` on.
    pub(super) fn new(comparison: &Comparison, seed: u64, runs: NonZeroU64) -> Figures {
        let designs = comparison.designs().to_vec();
        let mut metrics: Vec<MetricFigures> = Vec::new();
        for row in comparison.rows() {
            if metrics.last().is_none_or(|last| last.id != row.metric.id) {
                let why = comparison.bears_out(row.metric).then(|| why(row.metric, &designs));
                metrics.push(MetricFigures::new(row.metric, why));
            }
            let last = metrics.last_mut().expect("one was pushed just now");
            last.rows.push(RowFigures::new(&row, &designs));
        }
        Figures { designs, seed, runs: runs.get(), metrics }
    }

    /// A remark on a design that the reasons leave out; empty if they leave out none.
    pub(super) fn remark(&self) -> &'static str {
        match self.designs.contains(&"raft-rs") {
            true => "Unless a reason says otherwise, raft-rs is like tick: they share a driver.",
            false => "",
        }
    }

    /// The headings, each with the metrics under it.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&'static str, &[MetricFigures])> {
        let groups = self.metrics.chunk_by(|one, other| one.group == other.group);
        groups.map(|metrics| (metrics[0].group, metrics))
    }

    /// The figures as one JSON object.
    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures have string keys only") + "\n"
    }
}

/// Why `designs` differ in `metric`.
fn why(metric: &Metric, designs: &[&str]) -> String {
    let theirs = if designs.contains(&"raft-rs") { metric.why_raft_rs } else { "" };
    format!("{} {theirs}", metric.why).trim_end().to_string()
}

impl MetricFigures {
    fn new(metric: &'static Metric, why: Option<String>) -> MetricFigures {
        let Metric { id, group, name, unit, digits, is_repeatable: repeatable, .. } = *metric;
        MetricFigures { group, id, name, unit, repeatable, why, rows: Vec::new(), digits }
    }

    /// Why the designs differ in this metric, or that the figures do not confirm the reason.
    pub(super) fn reason(&self) -> &str {
        self.why.as_deref().unwrap_or("These figures do not show the usual difference.")
    }
}

impl RowFigures {
    fn new(row: &Row, designs: &[&'static str]) -> RowFigures {
        let figures = designs.iter().zip(&row.figures);
        let figures = figures.filter_map(|(name, figure)| Some((*name, (*figure)?)));
        RowFigures { at: row.at, name: row.metric.name_at(row.at), figures: figures.collect() }
    }
}
