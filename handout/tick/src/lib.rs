//! Your tick core, its driver, and the lines that connect them to the suite.

// The mark counts only if the suite's memory is the suite's: nobody grades code with `unsafe`.
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "it serves other cores, too")]
pub mod driver;
#[allow(dead_code, unused_imports, unused_variables, reason = "some features are off")]
pub mod tick;
mod tick_design;

// The suite's modules: `use crate::api::Term` works in every file of this project.
pub use raftlab::{api, lab, labrpc, note, persister, record, runtime};

pub use tick_design::MINE;
