//! A module that is outside the project.

#[path = "/tmp/raftlab-forgery.rs"]
pub mod elsewhere;
