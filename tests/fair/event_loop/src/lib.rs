//! A Raft in which one task owns all state and receives every event over a channel.
//!
//! ```text
//! handlers ──┐ RequestVote, AppendEntries, … + reply channel
//! service  ──┤ start, get_state, snapshot, kill                  ┌─► a task per call to a peer
//! calls    ──┴──► inbox ──► the loop: engine.rs, stable.rs ──sync──┤
//!                  ▲                                             ├─► applier ──► apply_ch
//!                  └───────────── replies of peers ──────────────┴─► answers to callers
//! ```
//!
//! There is no lock, because only the loop sees the term and the log. One event is one step of
//! Figure 2. A step's messages leave after the sync that makes the step durable.

mod engine;
mod raft;
mod stable;

use std::sync::Arc;

use raftlab::api::raft_rpc::RaftRpc as _;
use raftlab::lab::{Boot, Design, Instance};
use raftlab::labrpc::Service;
use raftlab::persister::PersistError;

use raft::Raft;

/// The Raft of this crate, as the suite knows it.
pub const EVENT_LOOP: Design = Design::raft_rpc("event_loop", make);

/// Starts one server: at the start of a test, and again after every crash.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
