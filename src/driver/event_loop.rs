//! The loop of a worker: its queue of events, and the clock that tells it when to tick.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::handle::{Event, Handle};
use super::post::Payload;
use super::timing::{BATCH_MAX, TICK};
use crate::api::ServerId;
use crate::record::{emit, event};
use crate::runtime::channel::{Receiver, RecvTimeoutError, Sender};
use crate::runtime::rand;
use crate::runtime::time::Instant;
use crate::tick::Message;

/// The owner of a core and of its storage. Only its own loop calls it.
///
/// Each event changes the core; `drive` then does the work that the core asks for. An error is a
/// failure of the storage, after which the instance stops.
pub(crate) trait Worker: Sized {
    /// An event of its service.
    type ServiceEvent;

    /// What its service publishes, besides the status.
    type Shown: Copy;

    /// A failure of its storage.
    type Error: fmt::Display;

    /// The handle to its instance.
    fn handle(&self) -> &Arc<Handle<Self::ServiceEvent, Self::Shown>>;

    /// Handles a peer's message; a response goes to `reply`.
    fn on_message(&mut self, message: Message, reply: Sender<Message>) -> Result<(), Self::Error>;

    /// Handles the end of a call to a peer ([`Event::CallEnded`]).
    fn on_call_ended(&mut self, to: ServerId, payload: Option<Payload>, response: Option<Message>);

    /// Handles an event of its service.
    fn on_service_event(&mut self, event: Self::ServiceEvent) -> Result<(), Self::Error>;

    /// Counts one tick: a unit of time has passed.
    fn tick(&mut self);

    /// Does all work that the core asks for, in the order that [`Ready`](crate::tick::Ready)
    /// demands, and publishes the server's state.
    fn drive(&mut self) -> Result<(), Self::Error>;
}

/// A worker with its events and its clock.
pub(crate) struct EventLoop<W: Worker> {
    queue: Receiver<Event<W::ServiceEvent>>,
    next_tick: Instant,
    worker: W,
}

impl<W: Worker> EventLoop<W> {
    /// Creates the loop of a worker whose events arrive in `queue`.
    ///
    /// Servers that boot together must not tick together, or many would start an election at the
    /// same moment. So the first tick comes after a random part of a tick, drawn for this life.
    pub(crate) fn new(worker: W, queue: Receiver<Event<W::ServiceEvent>>) -> EventLoop<W> {
        let (me, term) = (worker.handle().me, worker.handle().published().0.term);
        let mut chance = rand::stream(&format!("first-tick-{me}-{term}"));
        let tick_ns = u64::try_from(TICK.as_nanos()).expect("a tick is well below a second");
        let next_tick = Instant::now() + Duration::from_nanos(chance.below(tick_ns));
        EventLoop { queue, next_tick, worker }
    }

    /// Runs the worker until the instance stops or its storage fails.
    ///
    /// Then the channels of the calls that wait close, which tells the callers.
    pub(crate) fn run(mut self) {
        let handle = self.worker.handle().clone();
        handle.narrate(handle.published().0);
        while let Some(first) = self.wait() {
            if let Err(error) = self.work(first) {
                emit(|| event(handle.me, format!("stops: {error}")));
                handle.stop.stop();
                return;
            }
        }
    }

    /// Waits for an event, at most until the next tick; returns `None` if the instance stops.
    fn wait(&self) -> Option<Option<Event<W::ServiceEvent>>> {
        let first = match self.queue.recv_deadline(self.next_tick) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        (!self.worker.handle().stop.is_stopped()).then_some(first)
    }

    /// Handles the `first` event and those that wait in the queue, up to the size of a batch, then
    /// a tick if it is due; then does the work that follows from them.
    ///
    /// The tick comes last, so that a leader's message counts even if the worker was delayed.
    fn work(&mut self, first: Option<Event<W::ServiceEvent>>) -> Result<(), W::Error> {
        // Pulling an event removes it from the queue, so stop at the size of a batch.
        let waiting = std::iter::from_fn(|| self.queue.try_recv().ok());
        for event in first.into_iter().chain(waiting).take(BATCH_MAX) {
            match event {
                Event::Message { message, reply } => self.worker.on_message(message, reply)?,
                Event::CallEnded { to, payload, response } => {
                    self.worker.on_call_ended(to, payload, response);
                }
                Event::Service(event) => self.worker.on_service_event(event)?,
                Event::Stop => {}
            }
        }
        if self.take_due_tick() {
            self.worker.tick();
        }
        self.worker.drive()
    }

    /// Returns whether a tick is due, and if so, schedules the next one. Missed ticks are dropped.
    fn take_due_tick(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next_tick;
        if is_due {
            self.next_tick = now + TICK;
        }
        is_due
    }
}
