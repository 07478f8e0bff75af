//! Played consensus: one service, above a log that the scenario writes itself.
//!
//! What a service owes its callers shows only in moments that a cluster rarely comes to: another
//! leader's entry at the index that one waits for, a duplicate right behind its original, a
//! leader that was deposed and does not know. Here there is no cluster. The service stands above
//! a [`Played`] consensus module, which takes commands, loses leadership and commits when the
//! scenario says so:
//!
//! ```text
//!  scenario ── submit, get, append ──► service under test
//!      │                                 │ start      ▲ apply_ch
//!      │    leads, loses, commits        ▼            │
//!      └───────────────────────────────► Played ──────┘
//! ```
//!
//! Commands are opaque: how a service encodes them is its own business. So what "another leader"
//! puts into the log is something that a service of the same make was asked for: see
//! [`Bench::command`].
//!
//! What is done here must be something that Raft could do: indices are consecutive, terms only
//! rise, what was delivered never changes.

mod bench;
mod consensus;

pub use bench::{Above, Bench, Replica, Submission};
pub use consensus::{Played, Reading};
