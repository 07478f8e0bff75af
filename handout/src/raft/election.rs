//! Elections: the task that starts them (Raft §5.2).

use std::sync::Arc;

use super::server::Server;

//= raft/election.rs run
