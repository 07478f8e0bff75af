//! A Raft in which one task owns everything and is told what happens over a channel.
//!
//! ```text
//! handlers ──┐ RequestVote, AppendEntries, … + where to answer
//! service  ──┤ start, get_state, snapshot, kill                  ┌─► a task per call to a peer
//! calls    ──┴──► inbox ──► the loop: engine.rs, stable.rs ──sync──┤
//!                  ▲                                             ├─► applier ──► apply_ch
//!                  └───────────── answers of peers ──────────────┴─► answers to who asked
//! ```
//!
//! No lock: nobody but the loop sees a term or a log. One event is one step of Figure 2, and what
//! the step says to anyone leaves after the sync that makes it true.

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

/// Brings one server to life: at the start of a test, and again after every crash.
fn make(boot: Boot<'_>) -> Result<Instance, PersistError> {
    let raft = Raft::make(boot.raft_peers(), boot.me, boot.persister, boot.apply_ch)?;
    let services = vec![Service::new(raft.clone().serve())];
    Ok(Instance { consensus: Arc::new(raft), services })
}
