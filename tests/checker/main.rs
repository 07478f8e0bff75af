//! What the linearizability checker says holds, and it says it in time.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod agrees;
mod generate;
mod large;
mod oracle;
mod planted;
mod workload;
