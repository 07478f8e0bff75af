//! A library that allows `unsafe`.
#![allow(unsafe_code)]
pub mod kv;
pub mod raft;
