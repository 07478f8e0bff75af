//! The glue between a Raft of your own and the suite.

mod raft;

use std::sync::Arc;

use raftlab::api::raft_rpc::RaftRpc as _;
use raftlab::lab::{Boot, Design, Instance};
use raftlab::labrpc::Service;
use raftlab::persister::PersistError;

use raft::Raft;

/// The Raft of this crate, as the suite knows it.
pub const MINE: Design = Design::raft_rpc("mine", make);

/// Starts one server: at the start of a test, and again after every crash.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me);
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
