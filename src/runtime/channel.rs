//! Channels in crossbeam's shape: any number of senders and receivers, cloned at will.

use std::fmt;
use std::time::Duration;

use super::time::Instant;
use super::{context, real};

/// The receivers are gone; the message comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why a message was not sent; it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// The receivers are gone.
    Disconnected(T),
}

/// Why a message was not sent in time; it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// The time ran out.
    Timeout(T),
    /// The receivers are gone.
    Disconnected(T),
}

/// The channel is empty and the senders are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecvError;

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is nothing now.
    Empty,
    /// The channel is empty and the senders are gone.
    Disconnected,
}

/// Why nothing was received in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time ran out.
    Timeout,
    /// The channel is empty and the senders are gone.
    Disconnected,
}

/// The sending half of a channel.
pub struct Sender<T>(crossbeam_channel::Sender<T>);

/// The receiving half of a channel.
pub struct Receiver<T>(crossbeam_channel::Receiver<T>);

/// A channel with room for `capacity` messages; with 0 every send waits for its receive.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    (Sender(sender), Receiver(receiver))
}

/// A channel in which a send never waits.
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    (Sender(sender), Receiver(receiver))
}

impl<T> Sender<T> {
    /// Sends `message`, waiting for room.
    ///
    /// # Errors
    /// [`SendError`]: no receiver is left; stop sending.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut message = message;
        loop {
            match self.0.send_timeout(message, real::OVER_CHECK) {
                Ok(()) => return Ok(()),
                Err(crossbeam_channel::SendTimeoutError::Timeout(back)) => message = back,
                Err(crossbeam_channel::SendTimeoutError::Disconnected(back)) => {
                    return Err(SendError(back));
                }
            }
            real::unwind_if_over();
        }
    }

    /// Sends `message`, waiting for room for at most `span`.
    ///
    /// # Errors
    /// [`SendTimeoutError`] says whether the time ran out or no receiver is left.
    #[track_caller]
    pub fn send_timeout(&self, message: T, span: Duration) -> Result<(), SendTimeoutError<T>> {
        let deadline = Instant::from_ns(context::quiet_now_ns()) + span;
        let mut message = message;
        loop {
            let left = deadline - Instant::from_ns(context::quiet_now_ns());
            match self.0.send_timeout(message, left.min(real::OVER_CHECK)) {
                Ok(()) => return Ok(()),
                Err(crossbeam_channel::SendTimeoutError::Timeout(back)) => message = back,
                Err(crossbeam_channel::SendTimeoutError::Disconnected(back)) => {
                    return Err(SendTimeoutError::Disconnected(back));
                }
            }
            real::unwind_if_over();
            if left.is_zero() {
                return Err(SendTimeoutError::Timeout(message));
            }
        }
    }

    /// Sends `message` if there is room (at capacity 0: if a receiver waits).
    ///
    /// # Errors
    /// [`TrySendError`] says whether to try later or to stop.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(message).map_err(|error| match error {
            crossbeam_channel::TrySendError::Full(back) => TrySendError::Full(back),
            crossbeam_channel::TrySendError::Disconnected(back) => TrySendError::Disconnected(back),
        })
    }
}

impl<T> Receiver<T> {
    /// Receives a message, waiting for one.
    ///
    /// # Errors
    /// [`RecvError`]: nothing is left and no sender is; stop receiving.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        loop {
            match self.recv_timeout(real::OVER_CHECK) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(RecvError),
            }
        }
    }

    /// Receives a message if there is one (at capacity 0: if a sender waits).
    ///
    /// # Errors
    /// [`TryRecvError`] says whether to try later or to stop.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv().map_err(|error| match error {
            crossbeam_channel::TryRecvError::Empty => TryRecvError::Empty,
            crossbeam_channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Receives a message, waiting for one for at most `span`.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time ran out or no sender is left.
    #[track_caller]
    pub fn recv_timeout(&self, span: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_deadline(Instant::from_ns(context::quiet_now_ns()) + span)
    }

    /// Receives a message, waiting for one until `deadline` at the latest.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time ran out or no sender is left.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        loop {
            let left = deadline - Instant::from_ns(context::quiet_now_ns());
            match self.0.recv_timeout(left.min(real::OVER_CHECK)) {
                Ok(message) => return Ok(message),
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
                    return Err(RecvTimeoutError::Disconnected);
                }
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
            }
            real::unwind_if_over();
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    /// Receives until no sender is left.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
