//! The tick-based core: Raft as a pure state machine, without a thread, a clock, a socket or a
//! disk.
//!
//! The RPC style is about what each thread waits for. Here nothing waits: a node is a plain value.
//! Time is a call of [`RawNode::tick`]. The network is a call of [`RawNode::step`] for each message
//! that arrives, and a list of messages to send. The disk is a list of things to store. Nothing
//! blocks, and a response is a message like any other. So a test can run a whole cluster step by
//! step, in a microsecond per command.
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
//! The owner does the three steps in this order, then calls [`RawNode::advance`]; [`Ready`] has the
//! contract in full. The state that a message relies on is in the same `Ready` or in an earlier
//! one, so it is on disk before the message leaves.
//!
//! What it promises: a run is a function of its inputs and of the injected [`Chance`]. If the owner
//! keeps the contract, a term has at most one leader, logs agree, and committed entries stay
//! (Figure 3). Not promised: progress without ticks, or that a proposal is ever committed.
//! Membership changes are left out.
//!
//! How it differs from the RPC style, concern by concern:
//!
//! - A leader begins its term with a no-op entry (an entry without a command), which commits all
//!   entries before it (Raft §8). So the first command has index 2, and code that counts commands
//!   must skip no-op entries.
//! - Heartbeats are messages of their own and repair nothing by themselves.
//! - A leader announces a new commit index at once, with one more round of appends.
//! - A restarted node reads its commit index from its disk, and its application tells it the
//!   applied index; the RPC style starts both at the snapshot's end.
//!
//! Five features go beyond the plain algorithm: pre-vote, check quorum, leader transfer, read
//! index, flow control. Each is off by default, and its file gives the reason.
//!
//! Read `raft.rs` first (state and the changes of role), then `step.rs` (the path of a message),
//! `election.rs` and `append.rs`, then [`Ready`].

mod append;
mod check_quorum;
mod config;
mod election;
mod heartbeat;
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
mod step;
mod storage;
#[cfg(test)]
mod tests;
mod transfer;

pub use config::{Chance, Config, ConfigError, FlowControl};
pub use log::RaftLog;
pub use memory::MemoryStorage;
pub use message::{Kind, Local, Message};
pub use progress::{Flow, Progress};
pub use raft::{Error, Raft, Role};
pub use raw_node::RawNode;
pub use read_index::ReadState;
pub use ready::{Ready, SoftState};
pub use storage::{ConfState, HardState, Snapshot, Storage, StorageError};
