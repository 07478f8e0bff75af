//! The key/value service of the tick design, with its durable state in one database.
//!
//! [`kv`](crate::kv) is a service above *any* consensus, and keeps its data in memory: a crash
//! leaves the log and a snapshot. Here the data themselves are on disk, and a server that starts
//! again has them at once. One rule makes that safe: everything that one
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
//! | Question | Answer | File |
//! | --- | --- | --- |
//! | What does a crash leave? | what was synced, and any part of the rest | `disk.rs` |
//! | Can log and data disagree? | no: one transaction changes both | `storage.rs` |
//! | What does an entry do? | it changes a key, once; or it compacts the log | `command.rs` |
//! | When is the log compacted? | the leader decides, by an entry | `gc.rs` |
//! | How is a snapshot made? | it is not: the data are read while they are sent | `image.rs` |
//! | How is it sent? | in chunks, before its message | `sending.rs`, `staging.rs` |
//! | When is a call answered? | a write with its entry, a read with its index | `waiting.rs` |
//!
//! # What it promises
//!
//! - Every operation takes effect at one moment between its call and its return; each change does
//!   so once, however often it is sent.
//! - An operation that was answered survives a crash of all servers at once, at any moment.
//! - The cost of a command depends on what it changes, not on the length of the log or the size of
//!   the data. A snapshot costs nothing until its first chunk is sent.
//! - Damage to the database is detected; the error says what to do. A server whose disk fails
//!   stops, and sends nothing more.
//!
//! # Not promised
//!
//! - Clients are never forgotten: a session stays, as in `kv`.
//! - A server does nothing else while it installs a snapshot, which is one transaction too.
//! - The disk does not shrink: the space of compacted entries and deleted keys is only reused.
//!
//! # Where to read next
//!
//! `worker.rs` handles every event, `tables.rs` lists the content of the database.
//! `docs/decisions/store.md` says why it is one database, and what is synced when.

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
