//! Messages on their way: each as the reply that somebody waits for, or as a call of its own.

use super::Peer;
use crate::labrpc;
use crate::runtime::channel::Sender;
use crate::runtime::{Stop, block_on, thread};
use crate::tick::Message;

/// Who waits for which message of the next [`Ready`](crate::tick::Ready), in the order of the
/// messages.
#[derive(Default)]
pub(crate) struct Replies(Vec<(usize, Sender<Message>)>);

impl Replies {
    /// Notes that the message at `place` is what `reply` waits for. Without a place nothing was
    /// called forth: `reply` is dropped, and the caller has its answer.
    pub(crate) fn expect(&mut self, place: Option<usize>, reply: Option<Sender<Message>>) {
        self.0.extend(place.zip(reply));
    }

    /// Sends each message that is waited for, and has `call` send the others.
    pub(crate) fn send(&mut self, messages: Vec<Message>, mut call: impl FnMut(Message)) {
        let mut replies = std::mem::take(&mut self.0).into_iter().peekable();
        for (place, message) in messages.into_iter().enumerate() {
            match replies.next_if(|(waits_for, _)| *waits_for == place) {
                // An error: the call was given up.
                Some((_, reply)) => drop(reply.send(message)),
                None => call(message),
            }
        }
    }
}

/// Carries one message to `peer` in a task of its own, and hands `done` the response, if one
/// comes. That keeps nothing of the instance alive, and waits no longer than it lives.
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
