//! Sending messages: each as the reply that a caller waits for, or as a call of its own.

use std::sync::Arc;

use super::Peer;
use super::handle::{Event, Handle};
use crate::api::{Position, ServerId};
use crate::labrpc;
use crate::runtime::channel::Sender;
use crate::runtime::{block_on, thread};
use crate::tick::{Kind, Message};

/// A message that was sent in a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) to: ServerId,
    /// What is lost if no response comes, if the core wants to know of that.
    pub(crate) payload: Option<Payload>,
}

/// The part of a message whose loss the core wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    Append,
    /// A snapshot up to this entry.
    Snapshot(Position),
}

impl Sent {
    fn of(message: &Message) -> Sent {
        let payload = match &message.kind {
            Kind::Append { .. } => Some(Payload::Append),
            Kind::Snapshot { snapshot } => Some(Payload::Snapshot(snapshot.position)),
            _ => None,
        };
        Sent { to: message.to, payload }
    }
}

/// The callers that wait for messages of the next [`Ready`](crate::tick::Ready), in the order of
/// the messages.
#[derive(Default)]
pub(crate) struct Replies(Vec<(usize, Sender<Message>)>);

impl Replies {
    /// Notes that `reply` waits for the message at index `place`.
    ///
    /// Without a place there is no response: dropping `reply` tells the caller so.
    pub(crate) fn expect(&mut self, place: Option<usize>, reply: Sender<Message>) {
        self.0.extend(place.map(|place| (place, reply)));
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

impl<E: Send + 'static> Handle<E> {
    /// Carries one message to `peer` in a task of its own; the outcome comes back as an event.
    ///
    /// There is no event if the instance stops first, or if there is neither a response nor a
    /// payload. The task keeps nothing of the instance alive but this handle.
    pub(crate) fn call(self: &Arc<Self>, peer: &Peer, message: Message) {
        let (handle, peer) = (self.clone(), peer.clone());
        thread::go(move || {
            let sent = Sent::of(&message);
            let call = async move { peer.deliver(labrpc::context(), message).await };
            let Some(response) = block_on(handle.stop.clone().or(call)) else { return };
            let response = response.ok().flatten();
            if response.is_some() || sent.payload.is_some() {
                // An error means that the instance has ended.
                let _ = handle.events.send(Event::CallEnded { sent, response });
            }
        });
    }
}
