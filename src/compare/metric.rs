//! A metric: what is measured, in which unit, at which places, and whether it can be repeated.

/// One figure of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The [`Metric::id`].
    pub metric: &'static str,
    /// At which place of [`Metric::at`]; 0 if there is only one.
    pub at: u32,
    /// In [`Metric::unit`].
    pub value: f64,
}

/// Something that is measured of every design in the same way.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name for programs.
    pub id: &'static str,
    /// The heading that it belongs to.
    pub group: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Where it is measured: loads, sizes, delays. `[0]` if there is only one place.
    pub at: &'static [u32],
    /// The name of such a place for people, with `{}` in place of the number.
    pub place: &'static str,
    /// The unit; empty for a count.
    pub unit: &'static str,
    /// How many digits after the point are significant.
    pub digits: usize,
    /// Why the designs differ, or why they do not.
    pub why: &'static str,
    /// Whether the reason is true of the medians of `rpc` and `tick`, in this order, at one place.
    ///
    /// A reason that the figures contradict is not shown.
    pub holds: fn(u32, f64, f64) -> bool,
    /// How `raft-rs`, which has the driver of `tick`, differs from `tick`; empty if it does not.
    pub why_raft_rs: &'static str,
    /// Whether the figures follow from the seeds alone.
    pub is_repeatable: bool,
}

impl Metric {
    /// The name of the figure at the place `at`.
    pub fn name_at(&self, at: u32) -> String {
        match self.place {
            "" => self.name.to_string(),
            place => format!("{}, {}", self.name, place.replace("{}", &at.to_string())),
        }
    }
}

/// The loads: commands in flight at the same time.
pub(super) const LOADS: &[u32] = &[1, 10, 1000];
/// Round trips of the networks on which single commands are timed, in milliseconds.
pub(super) const ROUND_TRIPS_MS: &[u32] = &[10, 50];
/// Cluster sizes.
pub(super) const SIZES: &[u32] = &[3, 5, 7];

/// The default values of a metric.
pub(super) const PLAIN: Metric = Metric {
    id: "",
    group: "",
    name: "",
    at: &[0],
    place: "",
    unit: "",
    digits: 2,
    why: "",
    holds: |_, _, _| true,
    why_raft_rs: "",
    is_repeatable: true,
};
