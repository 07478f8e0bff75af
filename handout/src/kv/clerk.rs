//! The client's side: finds the leader, and repeats each operation until a server answers.

use crate::api::PutError;
use crate::api::kv_rpc::{ClientId, KvRpcClient, KvRpcRequest, KvRpcResponse, Version};
use crate::labrpc::ClientEnd;

/// The connection to a server of the service.
pub type KvPeer = KvRpcClient<ClientEnd<KvRpcRequest, KvRpcResponse>>;

/// A client of the service. It runs one operation at a time.
pub struct Clerk {
    id: ClientId,
    /// One slot per server.
    servers: Vec<KvPeer>,
}

impl Clerk {
    //= kv/clerk.rs new

    //= kv/clerk.rs get

    //= kv/clerk.rs get_versioned

    //= kv/clerk.rs put

    //= kv/clerk.rs append

    //= kv/clerk.rs put_versioned
}
