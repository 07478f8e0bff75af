//! The linearizability checker gives the right verdict, and does not take too long.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod agrees;
mod generate;
mod large;
mod oracle;
mod orders;
mod planted;
mod workload;
