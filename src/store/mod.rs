//! The key/value service of the tick design, with everything it must not forget in one database.
//!
//! Read `disk.rs`, then `server.rs`.

mod clerk;
mod config;
mod disk;
mod error;
pub mod rpc;
mod server;
mod watch;

pub use clerk::{StoreClerk, StoreEnd};
pub use config::StoreConfig;
pub use disk::{Disk, DiskUsage};
pub use error::StoreError;
pub use rpc::Keys;
pub use server::{ChunkEnd, StorePeer, StoreServer, StoreUsage};
pub use watch::StoreWatch;
