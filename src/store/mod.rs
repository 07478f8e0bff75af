//! The key/value service of the tick design, with everything it must not forget in one database.
//!
//! Read `disk.rs`, then `server.rs`.

mod clerk;
mod command;
mod config;
mod disk;
mod engine;
mod error;
mod gc;
mod image;
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
