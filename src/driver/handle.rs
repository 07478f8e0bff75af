//! The handle to an instance: where its callers, its calls and its worker meet.

use std::sync::Arc;

use super::core::Status;
use super::post::Sent;
use crate::api::{Leadership, ServerId};
use crate::record::{Topic, emit, note};
use crate::runtime::Stop;
use crate::runtime::channel::{self, Receiver, Sender};
use crate::runtime::sync::Quiet;
use crate::tick::Message;

/// Something that happens to a server. `E` are the events of its service.
pub(crate) enum Event<E> {
    /// A peer has sent a message, and waits for the response.
    Message { message: Message, reply: Sender<Message> },
    /// A call of this server has ended, with or without a response.
    CallEnded { sent: Sent, response: Option<Message> },
    /// An event of the service.
    Service(E),
    /// The instance must stop. Its stop signal says so too; this event only wakes the worker.
    Stop,
}

/// The part of an instance that its callers, its calls and its worker share.
pub(crate) struct Handle<E> {
    pub(crate) me: ServerId,
    /// The worker's queue.
    pub(super) events: Sender<Event<E>>,
    /// The status that the worker published last.
    status: Quiet<Status>,
    pub(crate) stop: Stop,
}

impl<E> Handle<E> {
    /// Creates the handle to an instance of server `me`, and the queue of its worker.
    pub(crate) fn new(me: ServerId, status: Status) -> (Arc<Handle<E>>, Receiver<Event<E>>) {
        let (events, queue) = channel::unbounded();
        let (status, stop) = (Quiet::new(status), Stop::default());
        (Arc::new(Handle { me, events, status, stop }), queue)
    }

    /// Sends the worker an event of the service.
    #[cfg(feature = "store")]
    pub(crate) fn send(&self, event: E) {
        // An error means that the instance has ended.
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

    /// Publishes the server's status. Returns whether leadership is lost: the server no longer
    /// leads, or leads in another term than before, so calls that rely on it must be refused.
    pub(crate) fn publish(&self, status: Status) -> bool {
        let before = self.status.with(|shown| std::mem::replace(shown, status));
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
            note(self.me, Topic::Leader, format!("{role} in term {term}"))
        });
    }

    /// The status that the worker published last.
    pub(super) fn status(&self) -> Status {
        self.status.with(|status| *status)
    }

    /// The server's term, and whether it believes that it leads; a stopped one does not lead.
    pub(crate) fn leadership(&self) -> Leadership {
        let Status { term, is_leader, .. } = self.status();
        Leadership { term, is_leader: is_leader && !self.stop.is_stopped() }
    }

    /// Ends the instance. Every call that waits returns. Idempotent.
    pub(crate) fn kill(&self) {
        self.stop.stop();
        // Wakes the worker. An error means that the worker has ended already.
        let _ = self.events.send(Event::Stop);
    }
}
