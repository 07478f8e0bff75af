//! The key/value service in the suite: its servers, its clients, and the clients' histories.
//!
//! ```text
//!  scenario ── get, put, append ──► Client ── begins, ends ──► KvObservers   at once
//!                                     │ └──── call, return ──► History       judged after the run
//!                                     ▼                        by the checker
//!                                   Clerk ── calls ──► any server
//! ```
//!
//! A scenario of part 3A or 3B begins with [`Cluster::serve_kv`], then makes a [`Client`] for
//! each task that calls the service. Every operation of a client, its answer, and the times of
//! both go into the run's [`History`](crate::history::History). The checker judges the history
//! when the run is over, even if the run was cut short: an operation that never returned may or
//! may not have happened. During the run, [observers](super::observe::kv) look for simple
//! mistakes.
//!
//! Partitions cut only links between servers, as in the course: a client reaches every server
//! that is up, including a deposed leader that still believes to lead. So a client can see an old
//! value. Calls to an unreachable server fail within 100 ms.
//!
//! [`Cluster::serve_kv`]: super::Cluster::serve_kv

mod client;
mod counters;
mod history;
mod judge;
mod service;

pub use client::Client;
pub(in crate::lab) use client::Clients;
pub use counters::Counters;
pub(in crate::lab) use history::Recorder;
pub(in crate::lab) use judge::{Judgement, judge};
