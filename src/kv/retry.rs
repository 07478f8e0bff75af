//! How a clerk gets an answer: it numbers its requests, and repeats each until a server answers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tarpc::client::RpcError;

use crate::api::ServerId;
use crate::api::kv_rpc::{ClientId, PutArgs, Refused, RequestId};
use crate::runtime::{block_on, thread, time};

/// The time that a clerk first waits for a reply before it asks another server.
///
/// A partitioned leader that was deposed and does not know it keeps its callers waiting as long as
/// the partition lasts. The time is longer than a commit takes, even in a burst on a slow network.
/// A new leader may be elected after 400 ms, so a much longer wait would waste time.
pub const CALL_PATIENCE: Duration = Duration::from_millis(500);

/// Maximum time that a clerk waits for a reply: the time doubles after every call that timed out.
///
/// A call that timed out leaves its entry in the log. If clerks always retried faster than servers
/// apply, retries would take up all the servers' time, and no clerk would ever get an answer.
pub const CALL_PATIENCE_MAX: Duration = Duration::from_secs(8);

/// Pause of a clerk when no server had an answer, before it asks all servers again.
///
/// An election takes half a second, so a clerk asks about ten times meanwhile. Without a pause the
/// loop would spin, since a lost call may fail at once.
pub const ROUND_PAUSE: Duration = Duration::from_millis(50);

/// Maximum number of times that a server is asked in a round: a second time only if another server
/// names it as leader.
const ASKED_MAX: u32 = 2;

/// The final answer to an operation.
pub(crate) struct Answer<T> {
    pub(crate) reply: T,
    /// Whether an earlier copy may have been carried out without an answer.
    pub(crate) repeated: bool,
}

/// A clerk's part of its session: the number of its last request, and the servers to ask.
pub(crate) struct ClerkSession<P> {
    id: ClientId,
    last_number: u64,
    /// One slot per server.
    servers: Vec<P>,
    /// The server that answered last; a guess at first.
    leader: ServerId,
}

impl<P: Clone> ClerkSession<P> {
    /// Begins the session of clerk `id`, which must be unique; `servers` has one slot per server.
    ///
    /// # Panics
    /// When `servers` is empty.
    pub(crate) fn new(id: ClientId, servers: Vec<P>) -> ClerkSession<P> {
        assert!(!servers.is_empty(), "clerk {id} has no server to ask");
        ClerkSession { id, last_number: 0, servers, leader: ServerId(0) }
    }

    /// Numbers the next operation that must happen once. All its copies have this number.
    pub(crate) const fn next_request(&mut self) -> RequestId {
        self.last_number += 1;
        RequestId { client: self.id, number: self.last_number }
    }

    /// Makes the arguments of the next put or append, which all its copies have.
    pub(crate) fn next_put(&mut self, key: &str, value: &str) -> PutArgs {
        let request = self.next_request();
        PutArgs { key: key.to_owned(), value: value.to_owned(), request }
    }

    /// Sends `args` to one server after another, starting with the leader, until one answers.
    pub(crate) fn ask<A: Clone, T>(
        &mut self,
        args: &A,
        call: impl AsyncFn(P, A) -> Result<Result<T, Refused>, RpcError>,
    ) -> Answer<T> {
        let mut repeated = false;
        let mut patience = CALL_PATIENCE;
        let mut round = Round::new(self.servers.len());
        let mut server = self.leader;
        loop {
            round.count(server);
            let peer = self.servers[server.slot()].clone();
            let hint = match block_on(in_time(patience, call(peer, args.clone()))) {
                Some(Ok(Ok(reply))) => {
                    self.leader = server;
                    return Answer { reply, repeated };
                }
                Some(Ok(Err(refused))) => {
                    repeated |= refused.maybe_done;
                    refused.leader_hint
                }
                // The request or the reply was lost: the operation may have happened.
                Some(Err(_)) => {
                    repeated = true;
                    None
                }
                // No reply in time: the call may still be in flight.
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

/// The servers that a clerk has asked since it last paused.
struct Round {
    /// Number of times that each server was asked; one slot per server.
    asked: Vec<u32>,
}

impl Round {
    fn new(servers: usize) -> Round {
        Round { asked: vec![0; servers] }
    }

    fn count(&mut self, server: ServerId) {
        self.asked[server.slot()] += 1;
    }

    /// Returns the server to ask after `last`: the server that `last` named, or else the next
    /// server that was not asked yet; `None` if all were asked.
    ///
    /// A hint to a server that was asked `ASKED_MAX` times is ignored: two servers may name each
    /// other.
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

/// Waits for the output of `call`; `None` if it takes longer than `patience`.
pub(crate) async fn in_time<T>(patience: Duration, call: impl Future<Output = T>) -> Option<T> {
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

    /// Makes a round among three servers in which `servers` were asked in that order.
    fn after(servers: &[ServerId]) -> Round {
        let mut round = Round::new(3);
        servers.iter().for_each(|server| round.count(*server));
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
    fn without_a_hint_each_server_is_asked_once() {
        assert_eq!(after(&[S1]).next(S1, None), Some(S2));
        assert_eq!(after(&[S1, S2]).next(S2, None), Some(S0));
        assert_eq!(after(&[S1, S2, S0]).next(S0, None), None);
    }

    #[test]
    fn a_hint_to_the_server_itself_or_to_an_unknown_one_is_ignored() {
        assert_eq!(after(&[S0]).next(S0, Some(S0)), Some(S1));
        assert_eq!(after(&[S0]).next(S0, Some(ServerId(9))), Some(S1));
    }
}
