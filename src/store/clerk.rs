//! The clerk: the client's side of the service, which retries each operation until a server
//! answers.

use super::rpc::{DeleteArgs, Keys, ScanArgs, StoreRpcClient, StoreRpcRequest, StoreRpcResponse};
use crate::api::kv_rpc::{ClientId, GetArgs, PutArgs, RequestId};
use crate::kv::Asker;
use crate::labrpc::{self, ClientEnd};

/// A client's connection to one server of the service.
pub type StoreEnd = StoreRpcClient<ClientEnd<StoreRpcRequest, StoreRpcResponse>>;

/// A client of the service.
///
/// The methods take `&mut self`, since the service's sessions rely on one operation at a time.
///
/// Every operation is retried until a server answers, for ever if no server does. It happens once.
pub struct StoreClerk {
    id: ClientId,
    /// Number of the last operation that changed something.
    last_number: u64,
    servers: Asker<StoreEnd>,
}

impl StoreClerk {
    /// Makes a clerk; `id` must be unique. `servers` has one slot per server.
    ///
    /// # Panics
    /// If `servers` is empty.
    pub fn new(id: ClientId, servers: Vec<StoreEnd>) -> StoreClerk {
        StoreClerk { id, last_number: 0, servers: Asker::new(id, servers) }
    }

    /// Returns the key's value; `None` if it is missing.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let args = GetArgs { key: key.to_owned() };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.get(labrpc::context(), args).await }
        });
        answer.reply
    }

    /// Gives the key a value, once. The value may be empty, which is not the same as a missing key.
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

    /// Returns the first `limit` of `keys` with their values, in order, as they were at one moment.
    pub fn scan(&mut self, keys: Keys, limit: u64) -> Vec<(String, String)> {
        let args = ScanArgs { keys, limit };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.scan(labrpc::context(), args).await }
        });
        answer.reply
    }

    /// Makes the arguments of the next change; all copies of the change have the same arguments.
    fn change(&mut self, key: &str, value: &str) -> PutArgs {
        let request = self.next_request();
        PutArgs { key: key.to_owned(), value: value.to_owned(), request }
    }

    fn next_request(&mut self) -> RequestId {
        self.last_number += 1;
        RequestId { client: self.id, number: self.last_number }
    }
}
