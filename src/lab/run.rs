//! Runs one scenario once.

use super::{Design, Report, Scenario};
use crate::runtime::RunConfig;

/// Whether observers watch a run. They change nothing about it; off is for proving just that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observing {
    /// Every observer watches.
    On,
    /// None does.
    Off,
}

/// Runs `scenario` once on `design`, with every observer on.
pub fn run_scenario(scenario: &Scenario, design: &Design, config: &RunConfig) -> Report {
    run_scenario_observing(scenario, design, config, Observing::On)
}

/// As [`run_scenario`], with observers on or off.
pub fn run_scenario_observing(
    scenario: &Scenario,
    design: &Design,
    config: &RunConfig,
    observing: Observing,
) -> Report {
    let _ = (scenario, design, config, observing);
    unimplemented!("bodies follow")
}
