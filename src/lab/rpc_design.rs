//! The RPC-style design: the reference.

use std::sync::Arc;

use super::design::{Boot, Design, Instance, Rules};
use crate::api::raft_rpc::RaftRpc as _;
use crate::labrpc::Service;
use crate::persister::PersistError;
use crate::raft::Raft;

/// The reference design. Its service's snapshots are stored unchanged.
pub(super) const RPC: Design = Design { rules: Rules::All, ..Design::raft_rpc("rpc", make_rpc) };

/// Starts a server of the RPC-style design.
fn make_rpc(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let peers = boot.raft_peers();
    let raft = Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
