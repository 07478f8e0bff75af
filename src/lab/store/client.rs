//! A client of the servers with a database, for scenarios.

use std::fmt;
use std::sync::Arc;

use super::Stores;
use crate::api::ServerId;
use crate::api::kv_rpc::ClientId;
use crate::checker::models::KvInput;
use crate::lab::kv::Clients;
use crate::labrpc::Host;
use crate::store::{Keys, StoreClerk, StoreEnd};

/// A client: a clerk whose operations are recorded in the history.
///
/// It runs one operation at a time. Each operation waits for its answer, for ever if no answer
/// comes.
pub struct StoreClient {
    number: u32,
    clerk: StoreClerk,
    shared: Arc<Clients>,
}

impl fmt::Debug for StoreClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreClient({})", self.number)
    }
}

impl Stores {
    /// A new client that reaches all servers.
    pub fn client(&self) -> StoreClient {
        let all: Vec<ServerId> = self.cluster().servers().collect();
        self.client_of(&all)
    }

    /// A new client that reaches only `servers`.
    ///
    /// [`let_reach`](crate::lab::Cluster::let_reach) changes that later.
    pub fn client_of(&self, servers: &[ServerId]) -> StoreClient {
        let (number, ends) = self.ends_to(servers);
        let clerk = StoreClerk::new(ClientId(number.into()), ends);
        StoreClient { number, clerk, shared: self.cluster().clients().clone() }
    }

    /// Ends to all servers, for a client whose calls a scenario makes itself.
    pub fn ends(&self) -> Vec<StoreEnd> {
        let all: Vec<ServerId> = self.cluster().servers().collect();
        self.ends_to(&all).1
    }

    /// The number of a new client, and its ends to all servers; only those to `servers` are open.
    fn ends_to(&self, servers: &[ServerId]) -> (u32, Vec<StoreEnd>) {
        let number = self.cluster().clients().next_number();
        let network = self.cluster().network();
        let end = |server| StoreEnd::from(network.end(Host::Client(number), Host::Server(server)));
        let ends = self.cluster().servers().map(end).collect();
        self.cluster().let_reach(number, servers);
        (number, ends)
    }
}

impl StoreClient {
    /// The client's number, which is unique in the run.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The value of `key`; `None` when it is missing.
    pub fn get(&mut self, key: &str) -> Option<String> {
        let text = |found: &Option<String>| found.clone().unwrap_or_default();
        self.shared.reads(self.number, key, || self.clerk.get(key), text)
    }

    /// Gives `key` a value, which may be empty.
    pub fn put(&mut self, key: &str, value: &str) {
        let input = KvInput::Put { key: key.to_string(), value: value.to_string() };
        self.shared.writes(self.number, input, || self.clerk.put(key, value));
    }

    /// Adds to the end of the value of `key`; a missing key counts as empty.
    pub fn append(&mut self, key: &str, value: &str) {
        let input = KvInput::Append { key: key.to_string(), value: value.to_string() };
        self.shared.writes(self.number, input, || self.clerk.append(key, value));
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: &str) {
        let input = KvInput::Put { key: key.to_string(), value: String::new() };
        self.shared.writes(self.number, input, || self.clerk.delete(key));
    }

    /// All keys that begin with `prefix`, in order, with their values, as of one moment.
    pub fn scan(&mut self, prefix: &str) -> Vec<(String, String)> {
        let keys = Keys::Prefix(prefix.to_string());
        self.shared.scans(self.number, || self.clerk.scan(keys, u64::MAX))
    }
}
