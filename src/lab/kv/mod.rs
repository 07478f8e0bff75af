//! The key/value service in the suite: servers of it, clients, and what those saw.
//!
//! ```text
//!  scenario ── get, put, append ──► Client ── begins, ends ──► KvObservers   at once
//!                                     │ └──── call, return ──► History       judged after the run
//!                                     ▼                        by the checker
//!                                   Clerk ── calls ──► any server
//! ```
//!
//! A scenario of part 3A or 3B begins with [`Cluster::serve_kv`], then makes a [`Client`] for
//! each task that asks the service something. What a client asks and is answered, and when, goes
//! into the run's [`History`](crate::history::History), which the checker judges when the run is
//! over, also when that was cut short: an operation that never returned may have happened, or not.
//! Meanwhile [observers](super::observe::kv) look for what is wrong at a glance.
//!
//! Partitions cut only links between servers, as in the course: a client reaches every server
//! that is up, and a leader that was deposed and does not know it as well as any other. That is
//! what makes an old value visible. Calls to a server that cannot be reached fail within 100 ms.
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
