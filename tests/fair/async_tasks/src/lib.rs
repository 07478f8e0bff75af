//! The glue between this Raft and the suite.

mod log;
mod raft;
mod state;
mod wait;

use std::sync::Arc;

use raftlab::api::raft_rpc::RaftRpc as _;
use raftlab::lab::{Boot, Design, Instance};
use raftlab::labrpc::Service;
use raftlab::persister::PersistError;

use raft::Raft;

/// The Raft of this crate, as the suite knows it.
pub const ASYNC_TASKS: Design = Design::raft_rpc("async_tasks", make);

/// Starts one server: at the start of a test, and again after every crash.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
