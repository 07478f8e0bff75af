//! The clerk: the client's side of the service, which retries each operation until a server
//! answers.

use super::rpc::{DeleteArgs, Keys, ScanArgs, StoreRpcClient, StoreRpcRequest, StoreRpcResponse};
use crate::api::kv_rpc::{ClientId, GetArgs};
use crate::kv::ClerkSession;
use crate::labrpc::{self, ClientEnd};

/// A client's connection to one server of the service.
pub type StoreEnd = StoreRpcClient<ClientEnd<StoreRpcRequest, StoreRpcResponse>>;

/// A client of the service.
///
/// The methods take `&mut self`, since the service's sessions rely on one operation at a time.
///
/// Every operation is retried until a server answers, for ever if no server does. It happens once.
pub struct StoreClerk {
    session: ClerkSession<StoreEnd>,
}

impl StoreClerk {
    /// Makes a clerk; `id` must be unique. `servers` has one slot per server.
    ///
    /// # Panics
    /// If `servers` is empty.
    pub fn new(id: ClientId, servers: Vec<StoreEnd>) -> StoreClerk {
        StoreClerk { session: ClerkSession::new(id, servers) }
    }

    /// Returns the key's value; `None` if it is missing.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let args = GetArgs { key: key.to_owned() };
        let answer =
            self.session.ask(&args, async |server, args| server.get(labrpc::context(), args).await);
        answer.reply
    }

    /// Gives the key a value, once. The value may be empty, which is not the same as a missing key.
    pub fn put(&mut self, key: &str, value: &str) {
        let args = self.session.next_put(key, value);
        self.session.ask(&args, async |server, args| server.put(labrpc::context(), args).await);
    }

    /// Adds to the end of the key's value, once. A missing key has an empty value.
    pub fn append(&mut self, key: &str, value: &str) {
        let args = self.session.next_put(key, value);
        self.session.ask(&args, async |server, args| server.append(labrpc::context(), args).await);
    }

    /// Removes the key, once.
    pub fn delete(&mut self, key: &str) {
        let args = DeleteArgs { key: key.to_owned(), request: self.session.next_request() };
        self.session.ask(&args, async |server, args| server.delete(labrpc::context(), args).await);
    }

    /// Returns the first `limit` of `keys` with their values, in order, as they were at one moment.
    pub fn scan(&mut self, keys: Keys, limit: u64) -> Vec<(String, String)> {
        let args = ScanArgs { keys, limit };
        let answer = self
            .session
            .ask(&args, async |server, args| server.scan(labrpc::context(), args).await);
        answer.reply
    }
}
