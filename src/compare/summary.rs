//! Many runs of many designs, as one table of figures.

use std::collections::BTreeMap;

use serde::Serialize;

use super::list::METRICS;
use super::metric::{Metric, Value};

/// The figures of all runs of one design, in one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The middle value: of an even count, the mean of the two in the middle.
    pub median: f64,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub most: f64,
    /// How many values there are.
    pub count: usize,
}

impl Figure {
    /// The figure of `values`; `None` if there are none.
    pub fn of(mut values: Vec<f64>) -> Option<Figure> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let count = values.len();
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        // Digits enough for any use, and none that only the machine's arithmetic made.
        let round = |value: f64| (value * 1e6).round() / 1e6;
        Some(Figure { median: round(median), least: round(least), most: round(most), count })
    }

    /// The figure for people, with `digits` after the point: the median, and the range if it shows.
    pub fn shown(&self, digits: usize) -> String {
        let number = |value: f64| format!("{value:.digits$}");
        let (median, least, most) = (number(self.median), number(self.least), number(self.most));
        if least == most { median } else { format!("{median} ({least}–{most})") }
    }
}

/// One metric at one place, of all designs.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub metric: &'static Metric,
    /// Where: one of [`Metric::at`].
    pub at: u32,
    /// A slot per design, in the order of [`Comparison::designs`].
    pub figures: Vec<Option<Figure>>,
}

/// The values of all runs so far. Their order makes no difference.
#[derive(Debug, Clone)]
pub struct Comparison {
    designs: Vec<&'static str>,
    /// Per metric and place: the values of each design, in its slot.
    values: BTreeMap<(&'static str, u32), Vec<Vec<f64>>>,
}

impl Comparison {
    /// A comparison of `designs`, before the first run.
    pub fn new(designs: Vec<&'static str>) -> Comparison {
        Comparison { designs, values: BTreeMap::new() }
    }

    /// The names of the designs.
    pub fn designs(&self) -> &[&'static str] {
        &self.designs
    }

    /// Adds the values of a run of the design in slot `design`.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn add(&mut self, design: usize, values: &[Value]) {
        assert!(design < self.designs.len(), "slot {design} of {:?}", self.designs);
        for Value { metric, at, value } in values {
            let none = || vec![Vec::new(); self.designs.len()];
            self.values.entry((metric, *at)).or_insert_with(none)[design].push(*value);
        }
    }

    /// Every metric at every place, in the order of [`METRICS`].
    pub fn rows(&self) -> Vec<Row> {
        let places =
            METRICS.iter().flat_map(|metric| metric.at.iter().map(move |at| (metric, *at)));
        places.map(|(metric, at)| self.row(metric, at)).collect()
    }

    fn row(&self, metric: &'static Metric, at: u32) -> Row {
        let figures = match self.values.get(&(metric.id, at)) {
            Some(values) => values.iter().map(|values| Figure::of(values.clone())).collect(),
            None => vec![None; self.designs.len()],
        };
        Row { metric, at, figures }
    }

    /// Whether the figures agree with the reason that `metric` gives, at every place.
    ///
    /// If `rpc` or `tick` was not measured, nothing contradicts the reason.
    pub fn bears_out(&self, metric: &'static Metric) -> bool {
        let slot = |name| self.designs.iter().position(|design| *design == name);
        let Some((rpc, tick)) = slot("rpc").zip(slot("tick")) else { return true };
        metric.at.iter().all(|at| {
            let figures = self.row(metric, *at).figures;
            figures[rpc]
                .zip(figures[tick])
                .is_none_or(|(a, b)| (metric.holds)(*at, a.median, b.median))
        })
    }
}
