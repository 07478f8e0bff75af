//! Sending messages: each as the reply that a caller waits for, or as a call of its own.

use super::Peer;
use crate::labrpc;
use crate::runtime::channel::Sender;
use crate::runtime::{Stop, block_on, thread};
use crate::tick::Message;

/// The callers that wait for messages of the next [`Ready`](crate::tick::Ready), in the order of
/// the messages.
#[derive(Default)]
pub(crate) struct Replies(Vec<(usize, Sender<Message>)>);

impl Replies {
    /// Notes that `reply` waits for the message at index `place`.
    ///
    /// Without a place there is no response: dropping `reply` tells the caller so.
    pub(crate) fn expect(&mut self, place: Option<usize>, reply: Option<Sender<Message>>) {
        self.0.extend(place.zip(reply));
    }

    /// Sends each message that a caller waits for as a reply, and passes the others to `call`.
    pub(crate) fn send(&mut self, messages: Vec<Message>, mut call: impl FnMut(Message)) {
        let mut replies = std::mem::take(&mut self.0).into_iter().peekable();
        for (place, message) in messages.into_iter().enumerate() {
            match replies.next_if(|(waits_for, _)| *waits_for == place) {
                // An error means that the caller has given up.
                Some((_, reply)) => drop(reply.send(message)),
                None => call(message),
            }
        }
    }
}

/// Carries one message to `peer` in a task of its own, and passes `done` the response, if any.
///
/// A call without a response passes `None`; if the instance stops first, `done` is not called. The
/// task keeps nothing of the instance alive.
pub(crate) fn carry(
    peer: Peer,
    message: Message,
    stop: Stop,
    done: impl FnOnce(Option<Message>) + Send + 'static,
) {
    thread::go(move || {
        let call = async move { peer.deliver(labrpc::context(), message).await };
        if let Some(response) = block_on(stop.or(call)) {
            done(response.ok().flatten());
        }
    });
}
