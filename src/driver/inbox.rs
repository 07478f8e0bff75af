//! What a worker waits for: its queue of events, and the next tick.

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
    /// That of server `me`, whose life begins in `term`.
    ///
    /// Servers that are booted together must not tick together, or many would stand for election in
    /// the same moment: the first tick comes after a part of one, drawn for this life.
    pub(crate) fn new(queue: Receiver<E>, stop: Stop, me: ServerId, term: Term) -> Inbox<E> {
        let mut chance = rand::stream(&format!("first-tick-{me}-{term}"));
        let tick_ns = u64::try_from(TICK.as_nanos()).expect("a tick is well below a second");
        let next_tick = Instant::now() + Duration::from_nanos(chance.below(tick_ns));
        Inbox { queue, next_tick, stop }
    }

    /// Waits for an event, and no longer than to the next tick. `None`: the instance stops.
    pub(crate) fn wait(&self) -> Option<Option<E>> {
        let first = match self.queue.recv_deadline(self.next_tick) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        (!self.stop.is_stopped()).then_some(first)
    }

    /// The events that are there, after the `first`, as many as are taken in at a time.
    pub(crate) fn batch(&self, first: Option<E>) -> impl Iterator<Item = E> + use<E> {
        let queue = self.queue.clone();
        let waiting = std::iter::from_fn(move || queue.try_recv().ok());
        // Whoever is asked for an event has it taken out of the queue: no more than are taken in.
        first.into_iter().chain(waiting).take(BATCH_MAX)
    }

    /// Whether it is time for a tick, which is then taken to have come. Ticks that were missed are
    /// not made up for.
    pub(crate) fn ticks(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next_tick;
        if is_due {
            self.next_tick = now + TICK;
        }
        is_due
    }
}
