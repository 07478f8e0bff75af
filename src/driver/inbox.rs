//! The inbox of a worker: its queue of events, and the clock that tells it when to tick.

use std::time::Duration;

use super::timing::{BATCH_MAX, TICK};
use crate::api::{ServerId, Term};
use crate::runtime::channel::{Receiver, RecvTimeoutError};
use crate::runtime::time::Instant;
use crate::runtime::{Stop, rand};

/// The events of one instance, and its clock.
pub(crate) struct Inbox<E> {
    queue: Receiver<E>,
    next_tick: Instant,
    stop: Stop,
}

impl<E> Inbox<E> {
    /// Creates the inbox of server `me`, whose life begins in `term`.
    ///
    /// Servers that boot together must not tick together, or many would start an election at the
    /// same moment. So the first tick comes after a random part of a tick, drawn for this life.
    pub(crate) fn new(queue: Receiver<E>, stop: Stop, me: ServerId, term: Term) -> Inbox<E> {
        let mut chance = rand::stream(&format!("first-tick-{me}-{term}"));
        let tick_ns = u64::try_from(TICK.as_nanos()).expect("a tick is well below a second");
        let next_tick = Instant::now() + Duration::from_nanos(chance.below(tick_ns));
        Inbox { queue, next_tick, stop }
    }

    /// Waits for an event, at most until the next tick; returns `None` if the instance stops.
    pub(crate) fn wait(&self) -> Option<Option<E>> {
        let first = match self.queue.recv_deadline(self.next_tick) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        (!self.stop.is_stopped()).then_some(first)
    }

    /// The `first` event and those that wait in the queue, up to the size of a batch.
    pub(crate) fn batch(&self, first: Option<E>) -> impl Iterator<Item = E> + use<E> {
        let queue = self.queue.clone();
        let waiting = std::iter::from_fn(move || queue.try_recv().ok());
        // Pulling an event removes it from the queue, so stop at the size of a batch.
        first.into_iter().chain(waiting).take(BATCH_MAX)
    }

    /// Returns whether a tick is due, and if so, schedules the next one. Missed ticks are dropped.
    pub(crate) fn ticks(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next_tick;
        if is_due {
            self.next_tick = now + TICK;
        }
        is_due
    }
}
