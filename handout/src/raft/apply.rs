//! The applier: the task that sends what is committed to the service.

use std::sync::Arc;

use super::server::Server;
use crate::api::ApplyMsg;
use crate::runtime::channel::Sender;

//= raft/apply.rs run
