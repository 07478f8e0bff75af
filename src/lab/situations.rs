//! Situations: what a run went through, counted, so that a campaign says what it never exercised.

use std::collections::BTreeMap;

/// How often each situation came up, by its description. Those that never did are there, with 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situations {
    counts: BTreeMap<&'static str, u64>,
}

impl Situations {
    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Situations) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// Description and count of each situation, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.counts.iter().map(|(what, count)| (*what, *count))
    }
}
