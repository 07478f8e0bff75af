//! The suite: scenarios, the cluster they run on, and reports of what came of it.

mod cluster;
mod design;
pub mod observe;
mod report;
mod run;
mod scenario;
pub mod scenarios;
pub mod situations;

pub use cluster::{Cluster, LONG};
pub use design::{Boot, DESIGNS, Design, Facts, Instance};
pub use report::Report;
pub use run::{Observing, run_and_explain, run_scenario, run_scenario_observing};
pub use scenario::{NoSuchPart, Part, SCENARIOS, Scenario, find_scenario};

pub use crate::scenarios;
