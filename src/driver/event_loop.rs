//! The loop of a worker: its queue of events, and the clock that tells it when to tick.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::handle::{Event, Handle};
use super::post::Sent;
use super::timing::{BATCH_MAX, TICK};
use crate::record::{Topic, emit, note};
use crate::runtime::channel::{Receiver, RecvTimeoutError, Sender};
use crate::runtime::rand;
use crate::runtime::time::Instant;
use crate::tick::Message;

/// The owner of a core and of its storage. Only its own loop calls it.
///
/// Each event changes the core; `drive` then does the work that the core asks for. An error is a
/// failure of the storage, after which the instance stops.
pub(crate) trait Worker: Sized {
    type ServiceEvent;
    type Error: fmt::Display;

    /// Handles a peer's message; a response goes to `reply`.
    fn on_message(&mut self, message: Message, reply: Sender<Message>) -> Result<(), Self::Error>;

    /// Handles the end of a call to a peer. It is called without a response only if the message had
    /// a payload, whose loss the core wants to know.
    fn on_call_ended(&mut self, sent: Sent, response: Option<Message>);

    fn on_service_event(&mut self, event: Self::ServiceEvent) -> Result<(), Self::Error>;

    fn tick(&mut self);

    /// Does all work that the core asks for, and publishes the server's state.
    fn drive(&mut self) -> Result<(), Self::Error>;

    /// Publishes the server's state; refuses what relies on leadership that is lost.
    fn publish(&mut self);

    /// Ends the worker. The channels of the calls that wait close, which tells the callers: first
    /// those of the events in `queue`, then those that the worker holds.
    fn end(self, queue: impl Sized) {
        drop(queue);
    }
}

/// A worker with its events and its clock.
pub(crate) struct EventLoop<W: Worker> {
    handle: Arc<Handle<W::ServiceEvent>>,
    queue: Receiver<Event<W::ServiceEvent>>,
    next_tick: Instant,
    worker: W,
}

impl<W: Worker> EventLoop<W> {
    /// Creates the loop of a worker whose events arrive in `queue`.
    ///
    /// Servers that boot together must not tick together, or many would start an election at the
    /// same moment. So the first tick comes after a random part of a tick, drawn for this life.
    pub(crate) fn new(
        worker: W,
        handle: Arc<Handle<W::ServiceEvent>>,
        queue: Receiver<Event<W::ServiceEvent>>,
    ) -> EventLoop<W> {
        let (me, term) = (handle.me, handle.status().term);
        let mut chance = rand::stream(&format!("first-tick-{me}-{term}"));
        let tick_ns = u64::try_from(TICK.as_nanos()).expect("a tick is well below a second");
        let next_tick = Instant::now() + Duration::from_nanos(chance.below(tick_ns));
        EventLoop { handle, queue, next_tick, worker }
    }

    pub(super) const fn handle(&self) -> &Arc<Handle<W::ServiceEvent>> {
        &self.handle
    }

    /// Runs the worker until the instance stops or its storage fails.
    pub(crate) fn run(mut self) {
        self.handle.narrate(self.handle.status());
        self.worker.publish();
        while let Some(first) = self.wait() {
            if let Err(error) = self.work(first) {
                emit(|| note(self.handle.me, Topic::Error, format!("stops: {error}")));
                self.handle.stop.stop();
                break;
            }
        }
        self.worker.end(self.queue);
    }

    /// Waits for an event, at most until the next tick; returns `None` if the instance stops.
    fn wait(&self) -> Option<Option<Event<W::ServiceEvent>>> {
        let first = match self.queue.recv_deadline(self.next_tick) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        (!self.handle.stop.is_stopped()).then_some(first)
    }

    /// Handles the `first` event and those that wait in the queue, up to the size of a batch, then
    /// a tick if it is due; then does the work that follows from them.
    ///
    /// The tick comes last, so that a leader's message counts even if the worker was delayed. Ticks
    /// that were missed are dropped.
    fn work(&mut self, first: Option<Event<W::ServiceEvent>>) -> Result<(), W::Error> {
        // Pulling an event removes it from the queue, so stop at the size of a batch.
        let waiting = std::iter::from_fn(|| self.queue.try_recv().ok());
        for event in first.into_iter().chain(waiting).take(BATCH_MAX) {
            match event {
                Event::Message { message, reply } => self.worker.on_message(message, reply)?,
                Event::CallEnded { sent, response } => self.worker.on_call_ended(sent, response),
                Event::Service(event) => self.worker.on_service_event(event)?,
                Event::Stop => {}
            }
        }
        let now = Instant::now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.worker.tick();
        }
        self.worker.drive()
    }
}
