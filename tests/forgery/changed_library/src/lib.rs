#![allow(unsafe_code)]
pub mod kv;
pub mod raft;
