//! The key/value service of the tick design, with everything that it must not forget in one
//! database.
//!
//! [`kv`](crate::kv) beside it is a service above *any* consensus, and keeps its data in memory:
//! what survives a crash is the log and a snapshot. Here the data are on disk as they are, and a
//! server that starts again has them at once. What makes that safe is one rule: all that one
//! [`Ready`](crate::tick::Ready) asks for is one transaction.
//!
//! ```text
//! clerk ── put k v ──► StoreServer ──► worker ── propose ──► RawNode
//!   ▲                     │              ▲ │                    │
//!   │                     │              │ │◄────── Ready ──────┘
//!   └────── done ◄────────┘              │ │
//!                                        │ └── one transaction: entries, hard state,
//! peers ◄── messages, chunks ────────────┘      data, sessions, applied ──► Engine ──► Disk
//! ```
//!
//! # The ideas, one file each
//!
//! | The question | The answer | file |
//! | --- | --- | --- |
//! | What does a crash leave? | what was synced, and any part of the rest | `disk.rs` |
//! | Can log and data disagree? | no: one transaction has both | `storage.rs` |
//! | What does an entry do? | a change, once; or it cuts the log | `command.rs` |
//! | When is the log cut, and where? | the leader says so, in the log | `gc.rs` |
//! | How is a snapshot made? | it is not: it is read as it is sent | `image.rs` |
//! | How does it travel? | in chunks, before its message | `sending.rs`, `staging.rs` |
//! | Who is answered when? | a write with its entry, a read with its index | `waiting.rs` |
//!
//! # What it promises
//!
//! - Every operation takes effect at one moment between its call and its return; each change does
//!   so once, however often it is sent.
//! - What was answered survives a crash of all servers at once, at any moment.
//! - A command costs what it changes, whatever the length of the log and the size of the data. So
//!   does a snapshot that nobody takes.
//! - A database that is not as it was written is an error with what to do. A server whose disk
//!   fails stops, and says nothing more.
//!
//! # What it does not
//!
//! - To forget clients: a session stays, as in `kv`.
//! - To go on working while a snapshot is being *installed*: that is one transaction, too.
//! - To give room on the disk back: what was cut and deleted is used again.
//!
//! # Reading on
//!
//! `worker.rs` is the loop, `tables.rs` what stands in the database. `docs/decisions/store.md` says
//! why it is one database, and what is synced when.

mod clerk;
mod command;
mod config;
mod disk;
mod engine;
mod error;
mod gc;
mod image;
mod pages;
pub mod rpc;
mod sending;
mod server;
mod staging;
mod storage;
mod tables;
#[cfg(test)]
mod tests;
mod waiting;
mod watch;
mod worker;

pub use clerk::{StoreClerk, StoreEnd};
pub use config::StoreConfig;
pub use disk::{Disk, DiskUsage};
pub use error::StoreError;
pub use rpc::Keys;
pub use server::{ChunkEnd, StorePeer, StoreServer, StoreUsage};
pub use watch::StoreWatch;
