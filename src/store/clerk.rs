//! The client's side: asks until there is an answer.

use super::rpc::{DeleteArgs, Keys, ScanArgs, StoreRpcClient, StoreRpcRequest, StoreRpcResponse};
use crate::api::kv_rpc::{ClientId, GetArgs, PutArgs, RequestId};
use crate::kv::Asker;
use crate::labrpc::{self, ClientEnd};

/// The way of a client to a server of the service.
pub type StoreEnd = StoreRpcClient<ClientEnd<StoreRpcRequest, StoreRpcResponse>>;

/// A client of the service. One operation at a time, which sessions rely on; so `&mut self`.
///
/// Every operation is repeated until a server answers, for ever if none does, and happens once.
pub struct StoreClerk {
    id: ClientId,
    /// Number of the last operation that changed something.
    last_number: u64,
    servers: Asker<StoreEnd>,
}

impl StoreClerk {
    /// A clerk that nobody else is called like; `servers` has one slot per server.
    ///
    /// # Panics
    /// Without servers there is nobody to ask.
    pub fn new(id: ClientId, servers: Vec<StoreEnd>) -> StoreClerk {
        StoreClerk { id, last_number: 0, servers: Asker::new(id, servers) }
    }

    /// The key's value; `None` when it is missing.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let args = GetArgs { key: key.to_owned() };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.get(labrpc::context(), args).await }
        });
        answer.reply
    }

    /// Gives the key a value, once. It may be empty, which is not the same as missing.
    pub fn put(&mut self, key: &str, value: &str) {
        let args = self.change(key, value);
        self.servers.ask(|server| {
            let args = args.clone();
            async move { server.put(labrpc::context(), args).await }
        });
    }

    /// Adds to the end of the key's value, once. A missing key has an empty value.
    pub fn append(&mut self, key: &str, value: &str) {
        let args = self.change(key, value);
        self.servers.ask(|server| {
            let args = args.clone();
            async move { server.append(labrpc::context(), args).await }
        });
    }

    /// Removes the key, once.
    pub fn delete(&mut self, key: &str) {
        let args = DeleteArgs { key: key.to_owned(), request: self.next_request() };
        self.servers.ask(|server| {
            let args = args.clone();
            async move { server.delete(labrpc::context(), args).await }
        });
    }

    /// The first `limit` of `keys` with their values, in order, all as they were at one moment.
    pub fn scan(&mut self, keys: Keys, limit: u64) -> Vec<(String, String)> {
        let args = ScanArgs { keys, limit };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.scan(labrpc::context(), args).await }
        });
        answer.reply
    }

    /// The arguments of the next change; all its copies have the same.
    fn change(&mut self, key: &str, value: &str) -> PutArgs {
        let request = self.next_request();
        PutArgs { key: key.to_owned(), value: value.to_owned(), request }
    }

    fn next_request(&mut self) -> RequestId {
        self.last_number += 1;
        RequestId { client: self.id, number: self.last_number }
    }
}
