//! A server of the key/value service: turns calls into operations, and outputs into replies.

use std::sync::Arc;

use tarpc::context::Context;

use super::machine::KvMachine;
use super::rsm::Rsm;
use crate::api::kv_rpc::{
    GetArgs, KvRpc, PutArgs, PutOutcome, PutVersionedArgs, Refused, Versioned,
};
use crate::api::{ApplyMsg, Consensus, RestoreError, RsmConfig};
use crate::persister::Stored;
use crate::runtime::channel::Receiver;

/// One server of the service. A clone is another handle to the same instance.
#[derive(Clone)]
pub struct KvServer {
    rsm: Arc<Rsm<KvMachine>>,
}

impl KvServer {
    //= kv/server.rs start

    //= kv/server.rs kill
}

// The calls of the clerks.
impl KvRpc for KvServer {
    //= kv/server.rs get

    //= kv/server.rs put

    //= kv/server.rs append

    //= kv/server.rs put_versioned
}
