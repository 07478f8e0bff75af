#[path = "/tmp/raftlab-forgery.rs"]
pub mod elsewhere;
