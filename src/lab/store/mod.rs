//! Part `store`: servers that keep everything in a database, and their clients.
//!
//! Elsewhere in the suite a server is a consensus module between a persister and a service. Here
//! one [`StoreServer`] is all three, on a [`Disk`] that loses in a crash what was not synced:
//!
//! ```text
//!  scenario ── put, scan ──────────► StoreClient ── calls ─► StoreServer ─ writes ─► Disk
//!     │                                   │                      ▲    │                 │
//!     ├── crash, restart ──► Stores       └──► history           │    │   what is stored, applied
//!     │                                            messages, chunks   │                 │
//!     └── cut, heal, lose ──► the Cluster's network ◄────────────┘    └──► observers ◄──┘
//! ```
//!
//! A scenario begins with [`Cluster::serve_store`](super::Cluster::serve_store). What it gets are
//! the [`Stores`] of the cluster's servers; links, chance and time are the cluster's. All
//! observers look on as everywhere: a server shows them what it stores and applies (`watch.rs`),
//! and every entry of the log counts, since none of them is hidden from a service.
//!
//! Commands of clients go through the same network as those of servers, faults included, and what
//! they saw is judged by the checker after the run. To a get a missing key is an empty one, so a
//! delete stands in the history as the put of an empty text, and a scan as a get of each key that
//! it found.

mod check;
mod client;
mod power;
mod watch;

pub use client::StoreClient;
pub use power::Stores;

#[cfg(doc)]
use crate::store::{Disk, StoreServer};
