//! The client's side: finds the leader, asks until there is an answer, and knows what an answer
//! means after a repetition.

use super::asking::Asker;
use crate::api::PutError;
use crate::api::kv_rpc::{
    ClientId, GetArgs, KvRpcClient, KvRpcRequest, KvRpcResponse, PutArgs, PutOutcome,
    PutVersionedArgs, RequestId, Version,
};
use crate::labrpc::{self, ClientEnd};

/// The way to a server of the service.
pub type KvPeer = KvRpcClient<ClientEnd<KvRpcRequest, KvRpcResponse>>;

/// A client of the service. One operation at a time, which sessions rely on; so `&mut self`.
///
/// Every operation is repeated until a server answers, for ever if none does.
pub struct Clerk {
    id: ClientId,
    /// Number of the last operation that needed a session.
    last_number: u64,
    servers: Asker<KvPeer>,
}

impl Clerk {
    /// A clerk that nobody else is called like; `servers` has one slot per server.
    ///
    /// # Panics
    /// Without servers there is nobody to ask.
    pub fn new(id: ClientId, servers: Vec<KvPeer>) -> Clerk {
        Clerk { id, last_number: 0, servers: Asker::new(id, servers) }
    }

    /// The key's value, empty when it is missing.
    pub fn get(&mut self, key: &str) -> String {
        self.get_versioned(key).map(|(value, _)| value).unwrap_or_default()
    }

    /// The key's value and version; `None` when it is missing.
    pub fn get_versioned(&mut self, key: &str) -> Option<(String, Version)> {
        let args = GetArgs { key: key.to_owned() };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.get(labrpc::context(), args).await }
        });
        answer.reply.map(|held| (held.value, held.version))
    }

    /// Gives the key a value, once.
    pub fn put(&mut self, key: &str, value: &str) {
        let args = self.next_request(key, value);
        self.servers.ask(|server| {
            let args = args.clone();
            async move { server.put(labrpc::context(), args).await }
        });
    }

    /// Adds to the end of the key's value, once. A missing key has an empty value.
    pub fn append(&mut self, key: &str, value: &str) {
        let args = self.next_request(key, value);
        self.servers.ask(|server| {
            let args = args.clone();
            async move { server.append(labrpc::context(), args).await }
        });
    }

    /// Gives the key a value if it has the version `expected`; 0 creates it.
    ///
    /// # Errors
    /// [`PutError`] says whether it has happened. A refusal of a first copy is what it says; the
    /// same refusal of a later copy is [`PutError::Maybe`], since the first may have been carried
    /// out and its answer lost.
    ///
    /// A network that repeats requests by itself can make a lie of this, and no clerk can tell:
    /// its only request may be the second copy to arrive.
    pub fn put_versioned(
        &mut self,
        key: &str,
        value: &str,
        expected: Version,
    ) -> Result<(), PutError> {
        let args = PutVersionedArgs { key: key.to_owned(), value: value.to_owned(), expected };
        let answer = self.servers.ask(|server| {
            let args = args.clone();
            async move { server.put_versioned(labrpc::context(), args).await }
        });
        match answer.reply {
            PutOutcome::Done => Ok(()),
            PutOutcome::WrongVersion | PutOutcome::NoKey if answer.repeated => Err(PutError::Maybe),
            PutOutcome::WrongVersion => Err(PutError::Version),
            PutOutcome::NoKey => Err(PutError::NoKey),
        }
    }

    /// The arguments of the next operation; all its copies have the same.
    fn next_request(&mut self, key: &str, value: &str) -> PutArgs {
        self.last_number += 1;
        let request = RequestId { client: self.id, number: self.last_number };
        PutArgs { key: key.to_owned(), value: value.to_owned(), request }
    }
}
