//! The client's side: finds the leader, retries until there is an answer, and interprets an answer
//! that comes after a retry.

use super::retry::ClerkSession;
use crate::api::PutError;
use crate::api::kv_rpc::{
    ClientId, GetArgs, KvRpcClient, KvRpcRequest, KvRpcResponse, PutOutcome, PutVersionedArgs,
    Version,
};
use crate::labrpc::{self, ClientEnd};

/// The connection to a server of the service.
pub type KvPeer = KvRpcClient<ClientEnd<KvRpcRequest, KvRpcResponse>>;

/// A client of the service. It runs one operation at a time (`&mut self`): sessions rely on that.
///
/// It retries every operation until a server answers, for ever if no server does.
pub struct Clerk {
    session: ClerkSession<KvPeer>,
}

impl Clerk {
    /// Makes a clerk; `id` must be unique, and `servers` has one slot per server.
    ///
    /// # Panics
    /// When `servers` is empty.
    pub fn new(id: ClientId, servers: Vec<KvPeer>) -> Clerk {
        // Handout 3A: keep the id and the connections, and number the operations from 1.
        Clerk { session: ClerkSession::new(id, servers) }
    }

    /// Returns the key's value; an empty one if the key is missing.
    pub fn get(&mut self, key: &str) -> String {
        // Handout 3A: return the value of `get_versioned`, or an empty one.
        self.get_versioned(key).map(|(value, _)| value).unwrap_or_default()
    }

    /// Returns the key's value and version; `None` if the key is missing.
    pub fn get_versioned(&mut self, key: &str) -> Option<(String, Version)> {
        // Handout 3A: ask one server after another, until one answers.
        let args = GetArgs { key: key.to_owned() };
        let answer =
            self.session.ask(&args, async |server, args| server.get(labrpc::context(), args).await);
        answer.reply.map(|held| (held.value, held.version))
    }

    /// Gives the key a value, once.
    pub fn put(&mut self, key: &str, value: &str) {
        // Handout 3A: send the put with a request number of its own, until a server answers.
        let args = self.session.next_put(key, value);
        self.session.ask(&args, async |server, args| server.put(labrpc::context(), args).await);
    }

    /// Appends to the key's value, once. A missing key has an empty value.
    pub fn append(&mut self, key: &str, value: &str) {
        // Handout 3A: send the append with a request number of its own until a server answers.
        let args = self.session.next_put(key, value);
        self.session.ask(&args, async |server, args| server.append(labrpc::context(), args).await);
    }

    /// Gives the key a value if it has the version `expected`; 0 creates the key.
    ///
    /// # Errors
    /// [`PutError`] says whether the put has happened. A refusal is [`PutError::Maybe`] if an
    /// earlier copy may have been carried out and its reply lost; otherwise the refusal is final.
    ///
    /// On a network that itself duplicates requests, a final refusal may be wrong, and no clerk can
    /// detect it: the refused copy may be a duplicate of a copy that was carried out.
    pub fn put_versioned(
        &mut self,
        key: &str,
        value: &str,
        expected: Version,
    ) -> Result<(), PutError> {
        // Handout 3A: send the put until a server answers; an earlier copy may have happened.
        let args = PutVersionedArgs { key: key.to_owned(), value: value.to_owned(), expected };
        let answer = self
            .session
            .ask(&args, async |server, args| server.put_versioned(labrpc::context(), args).await);
        match answer.reply {
            PutOutcome::Done => Ok(()),
            PutOutcome::WrongVersion | PutOutcome::NoKey if answer.repeated => Err(PutError::Maybe),
            PutOutcome::WrongVersion => Err(PutError::Version),
            PutOutcome::NoKey => Err(PutError::NoKey),
        }
    }
}
