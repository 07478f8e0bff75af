//! Part `store`: servers that keep everything in a database, and their clients.
//!
//! Elsewhere in the suite a server is a consensus module between a persister and a service. In this
//! part one [`StoreServer`] is all three, a kind of server of its own (`servers.rs`). Its [`Disk`]
//! loses unsynced writes in a crash:
//!
//! ```text
//!  scenario ── put, scan ──────────► StoreClient ── calls ─► StoreServer ─ writes ─► Disk
//!     │                                   │                      ▲    │                 │
//!     │                                   └──► history           │    │   what is stored, applied
//!     └── crash, restart, cut, heal ──► Cluster ◄── messages, chunks ┘    └──► observers ◄──┘
//! ```
//!
//! A scenario begins with [`Cluster::serve_store`](super::Cluster::serve_store). The cluster
//! crashes, cuts and restarts these servers like all others; the returned [`Stores`] tell about
//! their disks and databases. All observers watch as in the other parts: a server shows them what
//! it stores and applies (`watch.rs`). They check every entry of the log, since no entry is hidden
//! from a service.
//!
//! Clients' calls go through the same network as those of servers, faults included, and the checker
//! judges what the clients saw after the run. In the history a missing key has an empty value, so a
//! delete is a put of an empty text, and a scan is a get of each key that it found.

mod check;
mod client;
mod servers;
mod watch;

pub use client::StoreClient;
pub use servers::Stores;

#[cfg(doc)]
use crate::store::{Disk, StoreServer};
