//! Channels of a simulation: bounded, unbounded and rendezvous. They behave exactly as crossbeam's.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Event, Place, Sim, WaitKind, Woken, current};
use crate::runtime::base::channel_errors::{
    RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError,
};

/// The shared part of one channel.
pub(in crate::runtime) struct Chan<T> {
    state: parking_lot::Mutex<State<T>>,
    /// `None`: never full. 0: a send waits for its receive.
    capacity: Option<usize>,
    /// The addresses of these two fields identify the wait lists of receivers and of senders.
    receivers_at: u8,
    senders_at: u8,
}

struct State<T> {
    /// Messages, each with the number of its send.
    queue: VecDeque<(u64, T)>,
    sent: u64,
    senders: usize,
    receivers: usize,
    receivers_waiting: usize,
}

/// The two halves of a channel. Its state counts senders and receivers separately.
pub(in crate::runtime) struct SimSender<T>(Arc<Chan<T>>);
pub(in crate::runtime) struct SimReceiver<T>(Arc<Chan<T>>);

pub(in crate::runtime) fn channel<T>(capacity: Option<usize>) -> (SimSender<T>, SimReceiver<T>) {
    let state =
        State { queue: VecDeque::new(), sent: 0, senders: 1, receivers: 1, receivers_waiting: 0 };
    let chan = Arc::new(Chan {
        state: parking_lot::Mutex::new(state),
        capacity,
        receivers_at: 0,
        senders_at: 0,
    });
    (SimSender(chan.clone()), SimReceiver(chan))
}

impl<T> Chan<T> {
    fn receivers_at(&self) -> usize {
        (&raw const self.receivers_at).addr()
    }

    fn senders_at(&self) -> usize {
        (&raw const self.senders_at).addr()
    }

    /// Whether a message may be put into the queue now. At capacity 0 it always may: the sender
    /// then waits until the message is taken.
    fn has_room(&self, state: &State<T>) -> bool {
        match self.capacity {
            None | Some(0) => true,
            Some(capacity) => state.queue.len() < capacity,
        }
    }

    fn put(&self, sim: &Sim, state: &mut State<T>, message: T) -> u64 {
        state.sent += 1;
        state.queue.push_back((state.sent, message));
        if state.receivers_waiting > 0 {
            sim.wake_one(self.receivers_at());
        }
        state.sent
    }

    fn take(&self, sim: &Sim, state: &mut State<T>) -> Option<T> {
        let (_, message) = state.queue.pop_front()?;
        match self.capacity {
            None => {}
            // At capacity 0, wake every blocked sender; each checks whether its own message was
            // taken.
            Some(0) => sim.wake_all(self.senders_at()),
            Some(_) => sim.wake_one(self.senders_at()),
        }
        Some(message)
    }
}

impl<T> SimSender<T> {
    /// Sends, until `deadline_ns` at the latest.
    pub(in crate::runtime) fn send(
        &self,
        message: T,
        deadline_ns: Option<u64>,
        place: Place,
    ) -> Result<(), SendTimeoutError<T>> {
        // Outside its simulation a channel is disconnected.
        let Some(sim) = current() else { return Err(SendTimeoutError::Disconnected(message)) };
        sim.point(Event::Send, place);
        let chan = &*self.0;
        let mut timed_out = false;
        let mut state = chan.state.lock();
        while state.receivers > 0 && !chan.has_room(&state) {
            drop(state);
            if timed_out {
                return Err(SendTimeoutError::Timeout(message));
            }
            let woken = sim.block(WaitKind::Send, chan.senders_at(), place, deadline_ns);
            if sim.is_leaving() {
                return Err(SendTimeoutError::Disconnected(message));
            }
            timed_out = woken == Woken::TimedOut;
            state = chan.state.lock();
        }
        if state.receivers == 0 {
            return Err(SendTimeoutError::Disconnected(message));
        }
        let number = chan.put(sim, &mut state, message);
        drop(state);
        match chan.capacity {
            Some(0) => self.wait_until_taken(sim, number, deadline_ns, place),
            _ => Ok(()),
        }
    }

    /// Waits until a receiver takes message `number`; takes the message back if no receiver does.
    fn wait_until_taken(
        &self,
        sim: &Sim,
        number: u64,
        deadline_ns: Option<u64>,
        place: Place,
    ) -> Result<(), SendTimeoutError<T>> {
        let chan = &*self.0;
        let mut timed_out = false;
        loop {
            {
                let mut state = chan.state.lock();
                let mine = state.queue.iter().position(|(other, _)| *other == number);
                let Some(position) = mine else { return Ok(()) };
                let disconnected = state.receivers == 0 || sim.is_leaving();
                if disconnected || timed_out {
                    let (_, message) = state.queue.remove(position).expect("just found there");
                    return Err(match disconnected {
                        true => SendTimeoutError::Disconnected(message),
                        false => SendTimeoutError::Timeout(message),
                    });
                }
            }
            let woken = sim.block(WaitKind::Send, chan.senders_at(), place, deadline_ns);
            timed_out = woken == Woken::TimedOut;
        }
    }

    pub(in crate::runtime) fn try_send(
        &self,
        message: T,
        place: Place,
    ) -> Result<(), TrySendError<T>> {
        let Some(sim) = current() else { return Err(TrySendError::Disconnected(message)) };
        sim.point(Event::Send, place);
        let chan = &*self.0;
        let mut state = chan.state.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        let room = match chan.capacity {
            Some(0) => state.receivers_waiting > state.queue.len(),
            _ => chan.has_room(&state),
        };
        if !room {
            return Err(TrySendError::Full(message));
        }
        chan.put(sim, &mut state, message);
        Ok(())
    }
}

impl<T> SimReceiver<T> {
    /// Receives, until `deadline_ns` at the latest.
    pub(in crate::runtime) fn recv(
        &self,
        deadline_ns: Option<u64>,
        place: Place,
    ) -> Result<T, RecvTimeoutError> {
        let Some(sim) = current() else { return Err(RecvTimeoutError::Disconnected) };
        sim.point(Event::Recv, place);
        let chan = &*self.0;
        let mut timed_out = false;
        loop {
            {
                let mut state = chan.state.lock();
                if let Some(message) = chan.take(sim, &mut state) {
                    return Ok(message);
                }
                if state.senders == 0 || sim.is_leaving() {
                    return Err(RecvTimeoutError::Disconnected);
                }
                if timed_out {
                    return Err(RecvTimeoutError::Timeout);
                }
                state.receivers_waiting += 1;
            }
            let waiting = Waiting(chan);
            let woken = sim.block(WaitKind::Recv, chan.receivers_at(), place, deadline_ns);
            drop(waiting);
            timed_out = woken == Woken::TimedOut;
        }
    }

    pub(in crate::runtime) fn try_recv(&self, place: Place) -> Result<T, TryRecvError> {
        let Some(sim) = current() else { return Err(TryRecvError::Disconnected) };
        sim.point(Event::Recv, place);
        let mut state = self.0.state.lock();
        match self.0.take(sim, &mut state) {
            Some(message) => Ok(message),
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }
}

/// Counts one more waiting receiver, until dropped, also by unwinding.
struct Waiting<'a, T>(&'a Chan<T>);

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.0.state.lock().receivers_waiting -= 1;
    }
}

impl<T> Clone for SimSender<T> {
    fn clone(&self) -> SimSender<T> {
        self.0.state.lock().senders += 1;
        SimSender(self.0.clone())
    }
}

impl<T> Clone for SimReceiver<T> {
    fn clone(&self) -> SimReceiver<T> {
        self.0.state.lock().receivers += 1;
        SimReceiver(self.0.clone())
    }
}

impl<T> Drop for SimSender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.senders -= 1;
        if state.senders == 0
            && let Some(sim) = current()
        {
            sim.wake_all(self.0.receivers_at());
        }
    }
}

impl<T> Drop for SimReceiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        // At capacity 0 the messages belong to waiting senders; otherwise they will never be read.
        let unread = match self.0.capacity {
            Some(0) => VecDeque::new(),
            _ => std::mem::take(&mut state.queue),
        };
        if let Some(sim) = current() {
            sim.wake_all(self.0.senders_at());
        }
        drop(state);
        drop(unread);
    }
}
