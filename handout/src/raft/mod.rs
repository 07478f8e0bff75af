//! Raft: consensus among a few servers (parts 2A to 2D).
//!
//! Figure 2 of the paper is the specification: <https://raft.github.io/raft.pdf>. Its messages are
//! in `harness/src/api/raft_rpc.rs`, the interface for the service above in
//! `harness/src/api/consensus.rs`.
//!
//! ```text
//! service ── start, snapshot ──► Raft ── apply_ch ──► service
//!                                ▲  │
//!     handlers: calls of peers ──┘  └── tasks: election, replicator, applier
//! ```
//!
//! A handler or a task takes the lock of `server.rs`, applies a rule of Figure 2, saves what must
//! survive a crash, and releases the lock. Only the joints are given: the signatures in this folder
//! that others call, and the tasks. You may change everything else.

// Remove these two lines when you have finished part 2D.
#![allow(dead_code, reason = "not every part is written yet")]
#![allow(unused_variables, reason = "not every part is written yet")]

mod apply;
mod election;
mod persist;
mod replicator;
mod server;
mod state;

use std::sync::Arc;

use bytes::Bytes;
use tarpc::context::Context;

pub use self::server::Peer;
use self::server::Server;
use crate::api::raft_rpc::{
    AppendEntriesArgs, AppendEntriesReply, InstallSnapshotArgs, InstallSnapshotReply, RaftRpc,
    RequestVoteArgs, RequestVoteReply,
};
use crate::api::{ApplyMsg, Consensus, Index, Leadership, NotLeader, ServerId, Started};
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::Sender;

/// One server of a Raft cluster. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct Raft {
    server: Arc<Server>,
}

impl Raft {
    //= raft/mod.rs make
}

// The calls of the service. The trait's documentation says what each of them promises.
impl Consensus for Raft {
    //= raft/mod.rs start

    //= raft/mod.rs get_state

    //= raft/mod.rs snapshot

    //= raft/mod.rs kill
}

// The calls of the other servers.
impl RaftRpc for Raft {
    //= raft/mod.rs request_vote

    //= raft/mod.rs append_entries

    //= raft/mod.rs install_snapshot
}
