//! Played consensus: one service that runs on a log which the scenario writes itself.
//!
//! A service's duties to its callers show only at moments that are rare in a cluster: another
//! leader's entry is committed at the awaited index, a duplicate comes right after its original, a
//! leader is deposed and does not know it. With played consensus there is no cluster. The service
//! runs on a [`Played`] consensus module, which accepts commands, loses leadership and commits when
//! the scenario says so:
//!
//! ```text
//!  scenario ── submit, get, append ──► service under test
//!      │                                 │ start      ▲ apply_ch
//!      │    leads, loses, commits        ▼            │
//!      └───────────────────────────────► Played ──────┘
//! ```
//!
//! Commands are opaque: each service has its own encoding. So the command that "another leader"
//! puts into the log comes from a second service of the same kind: see [`Bench::command`].
//!
//! A scenario must do only what Raft could do: indices are consecutive, terms only rise, and
//! delivered entries never change.

mod bench;
mod consensus;

pub use bench::{Bench, Replica, Submission};
pub use consensus::{Played, Reading};
