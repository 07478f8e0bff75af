//! A Raft with one lock and a short task for each call, as a student of the course would write it.

mod handlers;
mod log;
mod raft;
mod state;

use std::sync::Arc;

use raftlab::api::raft_rpc::RaftRpc as _;
use raftlab::lab::{Boot, Design, Instance};
use raftlab::labrpc::Service;
use raftlab::persister::PersistError;

use raft::Raft;

/// The Raft of this crate, as the suite knows it.
pub const ONE_LOCK: Design = Design::raft_rpc("one_lock", make);

/// Starts one server with the state that its earlier lives have stored.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let peers = boot.raft_peers();
    let raft = Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
