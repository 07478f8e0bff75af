//! Your Raft and your key/value service, and the lines that connect them to the suite.

// The mark counts only if the suite's memory is the suite's: nobody grades code with `unsafe`.
#![forbid(unsafe_code)]

pub mod kv;
mod kv_design;
pub mod raft;

use std::sync::Arc;

// The suite's modules: `use crate::api::Term` works in every file of this project.
pub use raftlab::{api, lab, labrpc, note, persister, record, runtime};

use api::raft_rpc::RaftRpc as _;
use lab::{Boot, Design, Instance};
use labrpc::Service;
use persister::PersistError;
use raft::Raft;

/// Your servers, as the suite knows them.
pub const MINE: Design = Design::raft_rpc("mine", make).with_kv(kv_design::KV);

/// Starts one server: at the start of a test, and again after every crash.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let peers = boot.raft_peers();
    let raft = Raft::make(peers, boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
