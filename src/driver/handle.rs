//! The handle to an instance: where its callers, its calls and its worker meet.

use std::sync::Arc;

use super::core::Status;
use super::post::Payload;
use crate::api::{Leadership, ServerId};
use crate::record::{emit, event};
use crate::runtime::Stop;
use crate::runtime::channel::{self, Receiver, Sender};
use crate::runtime::sync::Quiet;
use crate::tick::Message;

/// Something that happens to a server. `E` are the events of its service.
pub(crate) enum Event<E> {
    /// A peer has sent a message, and waits for the response.
    Message { message: Message, reply: Sender<Message> },
    /// A call of this server to a peer has ended. Without a response, it is reported only if the
    /// message had a payload.
    CallEnded { to: ServerId, payload: Option<Payload>, response: Option<Message> },
    /// An event of the service.
    Service(E),
    /// The instance must stop. Its stop signal says so too; this event only wakes the worker.
    Stop,
}

/// The part of an instance that its callers, its calls and its worker share.
///
/// `E` are the events of its service, and `S` is what the service publishes about itself.
pub(crate) struct Handle<E, S = ()> {
    pub(crate) me: ServerId,
    /// The worker's queue.
    pub(super) events: Sender<Event<E>>,
    published: Quiet<(Status, S)>,
    pub(crate) stop: Stop,
}

impl<E, S: Copy> Handle<E, S> {
    /// Creates the handle to an instance of server `me`, and the queue of its worker.
    pub(crate) fn new(
        me: ServerId,
        status: Status,
        service: S,
    ) -> (Arc<Handle<E, S>>, Receiver<Event<E>>) {
        let (events, queue) = channel::unbounded();
        let published = Quiet::new((status, service));
        (Arc::new(Handle { me, events, published, stop: Stop::default() }), queue)
    }

    /// Sends the worker an event of the service. One that has ended gets nothing.
    #[cfg(feature = "store")]
    pub(crate) fn send(&self, event: E) {
        let _ = self.events.send(Event::Service(event));
    }

    /// Sends the worker the event that `make` builds; returns where its answer will arrive, or
    /// `None` if the worker has stopped.
    pub(crate) fn ask<T>(&self, make: impl FnOnce(Sender<T>) -> E) -> Option<Receiver<T>> {
        self.enqueue(|answer| Event::Service(make(answer)))
    }

    /// Passes a peer's message to the worker, and waits for the response, if there is one.
    pub(crate) fn deliver(&self, message: Message) -> Option<Message> {
        self.enqueue(|reply| Event::Message { message, reply })?.recv().ok()
    }

    fn enqueue<T>(&self, make: impl FnOnce(Sender<T>) -> Event<E>) -> Option<Receiver<T>> {
        if self.stop.is_stopped() {
            return None;
        }
        let (answer, answered) = channel::bounded(1);
        self.events.send(make(answer)).ok()?;
        Some(answered)
    }

    /// Publishes the server's state. Returns whether leadership is lost: the server no longer
    /// leads, or leads in another term than before, so calls that rely on it must be refused.
    pub(crate) fn publish(&self, status: Status, service: S) -> bool {
        let new = (status, service);
        let (before, _) = self.published.with(|shown| std::mem::replace(shown, new));
        if before == status {
            return false;
        }
        self.narrate(status);
        !status.is_leader || before.term != status.term
    }

    /// Records the server's role.
    pub(super) fn narrate(&self, status: Status) {
        let Status { term, is_leader, leader } = status;
        emit(|| {
            let role = match leader {
                _ if is_leader => "leads".to_string(),
                Some(leader) => format!("follows {leader}"),
                None => "has no leader".to_string(),
            };
            event(self.me, format!("{role} in term {term}"))
        });
    }

    /// The status that the worker published last, and what it published about the service.
    pub(crate) fn published(&self) -> (Status, S) {
        self.published.with(|shown| *shown)
    }

    /// The server's term, and whether it believes that it leads; a stopped one does not lead.
    pub(crate) fn leadership(&self) -> Leadership {
        let Status { term, is_leader, .. } = self.published().0;
        Leadership { term, is_leader: is_leader && !self.stop.is_stopped() }
    }

    /// Ends the instance. Every call that waits returns. Idempotent.
    pub(crate) fn kill(&self) {
        self.stop.stop();
        // Wakes the worker. An error means that the worker has ended already.
        let _ = self.events.send(Event::Stop);
    }
}
