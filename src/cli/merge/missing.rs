//! The shards of which runs are missing.

use std::fmt::Write;
use std::ops::RangeInclusive;

use super::files::Files;
use crate::cli::test::counted;
use crate::cli::{output, program};
use crate::lab::find_design;

/// Maximum number of shards whose command line is printed.
const COMMANDS_MAX: usize = 5;

/// Maximum number of files without an end that are named.
const CUT_MAX: usize = 5;

/// Maximum number of ranges that are printed.
const RANGES_MAX: usize = 20;

/// Finds the shards that are not complete.
pub(super) struct Missing {
    /// The number of shards that have runs.
    shards: u64,
    /// The shards before the last complete one that are not complete.
    ranges: Vec<RangeInclusive<u64>>,
    /// The shard after the last complete one.
    next: u64,
}

impl Missing {
    /// Of `shards` shards, none is complete yet.
    pub(super) const fn new(shards: u64) -> Missing {
        Missing { shards, ranges: Vec::new(), next: 0 }
    }

    /// Notes that shard `index` is complete. The shards are to be named in order.
    pub(super) fn is_complete(&mut self, index: u64) {
        if index > self.next {
            self.ranges.push(self.next..=index - 1);
        }
        self.next = index + 1;
    }

    /// The shards that are not complete, in order.
    fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        let rest = (self.next < self.shards).then(|| self.next..=self.shards - 1);
        self.ranges.iter().cloned().chain(rest)
    }

    /// Whether all shards are complete.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges().next().is_none()
    }

    /// How many shards are complete, which are not, and the command lines that do them.
    pub(super) fn text(&self, files: &Files) -> String {
        let shards = counted(self.shards, "shard");
        if self.is_empty() {
            return format!("{shards}, none is missing\n");
        }
        let count: u64 = self.ranges().map(|range| range.end() - range.start() + 1).sum();
        let mut text = format!("{shards}, {count} missing: {}\n", self.listed());
        let lost = |index: u64| self.ranges().any(|range| range.contains(&index));
        let cut: Vec<_> = files.cut.iter().filter(|cut| cut.index.is_none_or(lost)).collect();
        for cut in cut.iter().take(CUT_MAX) {
            let _ = writeln!(text, "cut      {} has no summary", cut.path.display());
        }
        more(&mut text, cut.len().saturating_sub(CUT_MAX) as u64, "such file");
        let design = find_design(program::designs(), &files.plan.design).ok();
        for index in self.ranges().flatten().take(COMMANDS_MAX) {
            let line = output::here(&files.plan.command(design, index, &files.name(index)));
            let _ = writeln!(text, "again    {line}");
        }
        more(&mut text, count.saturating_sub(COMMANDS_MAX as u64), "shard");
        text
    }

    /// The shards as a scheduler's array job has them: `0,3-7`.
    fn listed(&self) -> String {
        let range = |range: RangeInclusive<u64>| match (range.start(), range.end()) {
            (one, same) if one == same => one.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let ranges: Vec<String> = self.ranges().take(RANGES_MAX).map(range).collect();
        let more = if self.ranges().count() > RANGES_MAX { ",…" } else { "" };
        ranges.join(",") + more
    }
}

/// Adds a line that says how many more there are, if any.
fn more(text: &mut String, count: u64, what: &str) {
    if count > 0 {
        let _ = writeln!(text, "         and {} more", counted(count, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is missing of 10 shards if only these are complete.
    fn missing(complete: &[u64]) -> String {
        let mut missing = Missing::new(10);
        complete.iter().for_each(|index| missing.is_complete(*index));
        assert_eq!(missing.is_empty(), missing.listed().is_empty());
        missing.listed()
    }

    #[test]
    fn what_is_missing_is_listed_as_array_jobs_are() {
        assert_eq!(missing(&[]), "0-9");
        assert_eq!(missing(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "");
        assert_eq!(missing(&[0, 2, 6]), "1,3-5,7-9");
        assert_eq!(missing(&[4, 9]), "0-3,5-8");
    }

    #[test]
    fn a_long_list_is_cut() {
        let mut missing = Missing::new(1000);
        (0..1000).step_by(2).for_each(|index| missing.is_complete(index));
        assert!(missing.listed().ends_with(",39,…"), "{}", missing.listed());
    }
}
