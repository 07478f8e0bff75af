//! The client's side: finds the leader, asks until there is an answer, and knows what an answer
//! means after a repetition.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tarpc::client::RpcError;

use super::machine::{PutOutcome, Version};
use super::rpc::{
    GetArgs, KvRpcClient, KvRpcRequest, KvRpcResponse, PutArgs, PutVersionedArgs, Refused,
};
use super::session::{ClientId, RequestId};
use crate::api::ServerId;
use crate::labrpc::{self, ClientEnd};
use crate::runtime::{block_on, thread, time};

/// The way to a server of the service.
pub type KvPeer = KvRpcClient<ClientEnd<KvRpcRequest, KvRpcResponse>>;

/// How long a clerk waits for one answer, at first, before it asks another server.
///
/// A leader that was cut off and does not know keeps its callers waiting for as long as that
/// lasts. Longer than a commit takes, also in a burst on a slow network; a new leader may be
/// elected after 400 ms, so waiting much longer would be time lost.
pub const CALL_PATIENCE: Duration = Duration::from_millis(500);

/// What a clerk's patience grows to: it doubles with every call that was given up.
///
/// A call that is given up leaves its entry in the log. Where servers apply more slowly than clerks
/// ask again, repetitions would take all their time and no clerk would ever see an answer.
pub const CALL_PATIENCE_MAX: Duration = Duration::from_secs(8);

/// How long a clerk waits when no server had an answer, before it asks them all again.
///
/// An election takes half a second: ten questions are enough, and a loop without a pause would
/// spin, since a call that is lost fails at once.
pub const ROUND_PAUSE: Duration = Duration::from_millis(50);

/// How often one server is asked in a round: again only if another one says that it leads.
const ASKED_MAX: u32 = 2;

/// A client of the service. One operation at a time, which sessions rely on; so `&mut self`.
///
/// Every operation is repeated until a server answers, for ever if none does.
pub struct Clerk {
    id: ClientId,
    /// Number of the last operation that needed a session.
    last_number: u64,
    /// One slot per server.
    servers: Vec<KvPeer>,
    /// Who answered last; a guess at first.
    leader: ServerId,
}

/// Why a versioned put did not succeed, or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutError {
    /// The key has another version. The put has *not* happened.
    Version,
    /// The key is missing, though a version was expected. The put has *not* happened.
    NoKey,
    /// The key has another version or is missing, but an earlier copy of the put may have been
    /// what changed it: it *may* have happened. Read the key to find out.
    Maybe,
}

/// What an operation was answered in the end.
struct Answer<T> {
    reply: T,
    /// An earlier copy may have been carried out, without an answer.
    repeated: bool,
}

impl Clerk {
    /// A clerk that nobody else is called like; `servers` has one slot per server.
    ///
    /// # Panics
    /// Without servers there is nobody to ask.
    pub fn new(id: ClientId, servers: Vec<KvPeer>) -> Clerk {
        assert!(!servers.is_empty(), "clerk {id} has no server to ask");
        Clerk { id, last_number: 0, servers, leader: ServerId(0) }
    }

    /// The key's value, empty when it is missing.
    pub fn get(&mut self, key: &str) -> String {
        self.get_versioned(key).map(|(value, _)| value).unwrap_or_default()
    }

    /// The key's value and version; `None` when it is missing.
    pub fn get_versioned(&mut self, key: &str) -> Option<(String, Version)> {
        let args = GetArgs { key: key.to_owned() };
        let answer = self.ask(|server| {
            let args = args.clone();
            async move { server.get(labrpc::context(), args).await }
        });
        answer.reply.map(|held| (held.value, held.version))
    }

    /// Gives the key a value, once.
    pub fn put(&mut self, key: &str, value: &str) {
        let args = self.next_request(key, value);
        self.ask(|server| {
            let args = args.clone();
            async move { server.put(labrpc::context(), args).await }
        });
    }

    /// Adds to the end of the key's value, once. A missing key has an empty value.
    pub fn append(&mut self, key: &str, value: &str) {
        let args = self.next_request(key, value);
        self.ask(|server| {
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
        let answer = self.ask(|server| {
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

    /// Asks one server after the other, beginning with the leader, until one answers.
    fn ask<T, F>(&mut self, call: impl Fn(KvPeer) -> F) -> Answer<T>
    where
        F: Future<Output = Result<Result<T, Refused>, RpcError>>,
    {
        let mut repeated = false;
        let mut patience = CALL_PATIENCE;
        let mut round = Round::new(self.servers.len());
        let mut server = self.leader;
        loop {
            round.asks(server);
            let peer = self.servers[server.slot()].clone();
            let hint = match block_on(in_time(patience, call(peer))) {
                Some(Ok(Ok(reply))) => {
                    self.leader = server;
                    return Answer { reply, repeated };
                }
                Some(Ok(Err(refused))) => {
                    repeated |= refused.maybe_done;
                    refused.leader_hint
                }
                // Lost on the way there or on the way back: who knows.
                Some(Err(_)) => {
                    repeated = true;
                    None
                }
                // Still at work.
                None => {
                    repeated = true;
                    patience = (2 * patience).min(CALL_PATIENCE_MAX);
                    None
                }
            };
            server = round.next(server, hint).unwrap_or_else(|| {
                thread::sleep(ROUND_PAUSE);
                round = Round::new(self.servers.len());
                self.leader
            });
        }
    }
}

/// Whom a clerk has asked since it last paused.
struct Round {
    /// How often; one slot per server.
    asked: Vec<u32>,
}

impl Round {
    fn new(servers: usize) -> Round {
        Round { asked: vec![0; servers] }
    }

    fn asks(&mut self, server: ServerId) {
        self.asked[server.slot()] += 1;
    }

    /// Whom to ask after `last`: whom it named, else the next that was not asked; `None` when all
    /// were. A hint is not followed for ever: two servers may name each other.
    fn next(&self, last: ServerId, hint: Option<ServerId>) -> Option<ServerId> {
        let servers = self.asked.len();
        let named = hint.filter(|hint| *hint != last);
        named
            .filter(|hint| self.asked.get(hint.slot()).is_some_and(|asked| *asked < ASKED_MAX))
            .or_else(|| {
                let others = (1..servers).map(|step| (last.slot() + step) % servers);
                others.map(ServerId::from_slot).find(|other| self.asked[other.slot()] == 0)
            })
    }
}

/// What `call` returns, unless it takes longer than `patience`.
async fn in_time<T>(patience: Duration, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut patience = pin!(time::sleep(patience));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => patience.as_mut().poll(cx).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const S0: ServerId = ServerId(0);
    const S1: ServerId = ServerId(1);
    const S2: ServerId = ServerId(2);

    /// A round in which `servers` were asked, in that order, of three.
    fn after(servers: &[ServerId]) -> Round {
        let mut round = Round::new(3);
        servers.iter().for_each(|server| round.asks(*server));
        round
    }

    #[test]
    fn a_hint_is_followed_back_to_a_server_that_did_not_answer() {
        assert_eq!(after(&[S0, S1]).next(S1, Some(S0)), Some(S0));
    }

    #[test]
    fn servers_that_name_each_other_do_not_hide_the_third() {
        assert_eq!(after(&[S0, S1, S0, S1]).next(S1, Some(S0)), Some(S2));
    }

    #[test]
    fn without_a_hint_everybody_is_asked_once() {
        assert_eq!(after(&[S1]).next(S1, None), Some(S2));
        assert_eq!(after(&[S1, S2]).next(S2, None), Some(S0));
        assert_eq!(after(&[S1, S2, S0]).next(S0, None), None);
    }

    #[test]
    fn a_hint_at_oneself_or_at_nobody_is_none() {
        assert_eq!(after(&[S0]).next(S0, Some(S0)), Some(S1));
        assert_eq!(after(&[S0]).next(S0, Some(ServerId(9))), Some(S1));
    }
}
