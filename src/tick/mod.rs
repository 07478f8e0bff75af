//! The tick-based core: Raft as a pure state machine, without a thread, a clock, a socket or a
//! disk.
//!
//! The design of the RPC style asks "what does this thread wait for?". This one asks nothing of
//! the kind: a node is a value. Time is a call of [`RawNode::tick`]; the network is a call of
//! [`RawNode::step`] with a message that came in, and a list of messages to send; the disk is a
//! list of things to store. Nothing blocks, nothing waits for an answer, and a response is a
//! message as any other. So a whole cluster can be run in a test, step by step, in a microsecond
//! per command.
//!
//! ```text
//!            tick, campaign, propose          ┌────────────────────────── RawNode ─┐
//! clock, ───────────────────────────────────► │  Raft: term, vote, role, Progress  │
//! clients                 step(Message)       │  RaftLog: entries, committed, …    │
//! network ──────────────────────────────────► │                                    │
//!                                             └───────────────┬────────────────────┘
//!            ready() ◄────────────────────────────────────────┘
//!              │ 1. store   snapshot, entries, hard_state   ──► disk
//!              │ 2. send    messages                        ──► network
//!              │ 3. apply   snapshot, committed_entries     ──► state machine
//!              ▼
//!            advance()
//! ```
//!
//! The owner does the three in this order and says so with [`RawNode::advance`]; [`Ready`] has the
//! contract in full. Everything that a crash must not forget is in there before the message that
//! relies on it.
//!
//! What it promises: a run is a function of what it is told and of the injected [`Chance`]; at
//! most one leader per term, logs that agree, commits that stay (Figure 3), if its owner keeps
//! the contract. What it does not: that anything happens without ticks, that a proposal is ever
//! committed, that membership can change.
//!
//! How it differs from the RPC style beside it, concern by concern:
//!
//! - A leader begins its term with an entry without a command, with which all before it commits
//!   (Raft §8). So the first command has index 2, and who counts commands must pass over such
//!   entries.
//! - Heartbeats are messages of their own and repair nothing by themselves.
//! - A leader tells at once how far it has committed, with one more round of appends.
//! - A node learns its commit index and how far it had applied from its disk, not anew.
//!
//! Beyond the plain algorithm, each off by default and each in a file that gives its reason:
//! pre-vote, check quorum, leader transfer, read index, flow control.
//!
//! Read `raft.rs` first (state and the comparison of terms), then `election.rs`, `append.rs` and
//! `commit.rs`, then [`Ready`].

mod append;
mod candidate;
mod chance;
mod check_quorum;
mod commit;
mod config;
mod election;
mod follower;
mod heartbeat;
mod leader;
mod log;
mod memory;
mod message;
mod pre_vote;
mod progress;
mod raft;
mod raw_node;
mod read_index;
mod ready;
mod snapshot;
mod storage;
#[cfg(test)]
mod tests;
mod transfer;

pub use chance::Chance;
pub use config::{Config, ConfigError, FlowControl};
pub use log::RaftLog;
pub use memory::MemoryStorage;
pub use message::{Kind, Local, Message};
pub use progress::{Flow, Progress};
pub use raft::{Error, Raft, Role};
pub use raw_node::RawNode;
pub use read_index::ReadState;
pub use ready::{Ready, SoftState};
pub use storage::{ConfState, HardState, Snapshot, Storage, StorageError};
