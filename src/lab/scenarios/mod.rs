//! The scenarios, one file per part or theme.
//!
//! A new scenario is a function here and a line in [`scenarios!`](crate::scenarios). A scenario is
//! a story with asserted steps; the observers check the rules that hold in every story. A scenario
//! waits by the cluster's own calls, so that the hostile schedule can cut the run short there. Its
//! assertions must be true under every schedule.

mod agreement;
mod appends;
mod backup;
mod churn;
mod durable;
mod election;
mod even_clusters;
mod faults;
mod growth;
mod install;
mod install_answers;
mod killed;
mod kv;
mod large_commands;
mod late_answers;
mod late_install;
mod late_reads;
mod leading;
mod one_look;
mod one_server;
mod persistence;
mod prompt;
mod rsm;
mod rsm_rules;
mod service_contract;
mod service_rules;
mod slow_service;
mod snapshot_rules;
mod snapshots;
#[cfg(feature = "store")]
mod store;
mod timing;
mod votes;

pub use agreement::*;
pub use appends::*;
pub use backup::*;
pub use churn::*;
pub use durable::*;
pub use election::*;
pub use even_clusters::*;
pub use faults::*;
pub use growth::*;
pub use install::*;
pub use install_answers::*;
pub use killed::*;
pub use kv::*;
pub use large_commands::*;
pub use late_answers::*;
pub use late_install::*;
pub use late_reads::*;
pub use leading::*;
pub use one_look::*;
pub use one_server::*;
pub use persistence::*;
pub use prompt::*;
pub use rsm::*;
pub use rsm_rules::*;
pub use service_contract::*;
pub use service_rules::*;
pub use slow_service::*;
pub use snapshot_rules::*;
pub use snapshots::*;
#[cfg(feature = "store")]
pub use store::*;
pub use timing::*;
pub use votes::*;
