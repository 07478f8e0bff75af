//! The types that both designs share, and the interface that both implement: [`Consensus`].
//!
//! Terms, indices and servers are types of their own, so that a term cannot be passed in place of
//! an index. The module uses no lock, clock, channel or thread, and has no constructor: designs
//! differ in how they make an instance (a running server), but not in what the instance does
//! afterwards.
//!
//! ```text
//!            start(command)                    apply_ch
//! service ─────────────────► Consensus ─────────────────────► service
//!         ◄───────────────── (S0)          ApplyMsg::Command   applies it
//!          Started { term,    ▲  ▲         ApplyMsg::Snapshot  replaces its state
//!                    index }  │  │
//!                             ▼  ▼
//!                            S1  S2        the other servers, over the network
//! ```
//!
//! [`raft_rpc`] has the paper's calls between servers, for the designs that use them. [`kv_rpc`]
//! has the calls from a client to the key/value service, which is a [`StateMachine`] above a log.
//!
//! Read [`Consensus`] first, then `raft/mod.rs` for the design that follows the paper.

mod consensus;
mod digest;
mod facts;
pub mod kv_rpc;
pub mod raft_rpc;
mod service;
mod words;

/// A command, or a snapshot: bytes that are shared, not copied.
pub use bytes::Bytes;
pub use consensus::{ApplyMsg, Consensus, Leadership, NotLeader, Started};
pub use digest::Digest;
pub(crate) use digest::{hash, weigh};
pub use facts::Facts;
pub use service::{PutError, Reads, RestoreError, RsmConfig, StateMachine, SubmitError};
pub use words::{Entry, Host, Index, NoSuchHost, Position, ServerId, Term, quorum_size};
