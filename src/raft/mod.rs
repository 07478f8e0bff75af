//! The RPC-style Raft: the reference.

pub mod rpc;
