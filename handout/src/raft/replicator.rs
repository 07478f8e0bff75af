//! The leader's messages to one follower: heartbeats, entries, snapshots (Raft §5.3, §7).

use std::sync::Arc;

use super::server::Server;
use crate::api::ServerId;

//= raft/replicator.rs run
