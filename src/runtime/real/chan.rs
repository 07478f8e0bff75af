//! Channels of the real clock: crossbeam's, whose waits check regularly whether the run is over.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use super::{unwind_if_over, unwind_unless_leaving, wait_max};
use crate::runtime::base::channel_errors::{
    RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError,
};
use crate::runtime::base::instant::{Instant, wall_now};

/// Sends `message`, until `deadline` at the latest.
pub(in crate::runtime) fn send<T>(
    sender: &Sender<T>,
    message: T,
    deadline: Option<Instant>,
) -> Result<(), SendTimeoutError<T>> {
    let mut message = message;
    loop {
        let left = time_left(deadline);
        match sender.send_timeout(message, left.min(wait_max())) {
            Ok(()) => {
                unwind_unless_leaving();
                return Ok(());
            }
            Err(crossbeam_channel::SendTimeoutError::Timeout(back)) => message = back,
            Err(crossbeam_channel::SendTimeoutError::Disconnected(back)) => {
                return Err(SendTimeoutError::Disconnected(back));
            }
        }
        if unwind_if_over() {
            return Err(SendTimeoutError::Disconnected(message));
        }
        if left.is_zero() {
            return Err(SendTimeoutError::Timeout(message));
        }
    }
}

/// Sends `message` if there is room now.
pub(in crate::runtime) fn try_send<T>(
    sender: &Sender<T>,
    message: T,
) -> Result<(), TrySendError<T>> {
    sender.try_send(message).map_err(|error| match error {
        crossbeam_channel::TrySendError::Full(back) => TrySendError::Full(back),
        crossbeam_channel::TrySendError::Disconnected(back) => TrySendError::Disconnected(back),
    })
}

/// Receives a message, until `deadline` at the latest.
pub(in crate::runtime) fn recv<T>(
    receiver: &Receiver<T>,
    deadline: Option<Instant>,
) -> Result<T, RecvTimeoutError> {
    loop {
        let left = time_left(deadline);
        match receiver.recv_timeout(left.min(wait_max())) {
            Ok(message) => {
                unwind_unless_leaving();
                return Ok(message);
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
                return Err(RecvTimeoutError::Disconnected);
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
        }
        if unwind_if_over() {
            return Err(RecvTimeoutError::Disconnected);
        }
        if left.is_zero() {
            return Err(RecvTimeoutError::Timeout);
        }
    }
}

/// Receives a message if there is one now.
pub(in crate::runtime) fn try_recv<T>(receiver: &Receiver<T>) -> Result<T, TryRecvError> {
    receiver.try_recv().map_err(|error| match error {
        crossbeam_channel::TryRecvError::Empty => TryRecvError::Empty,
        crossbeam_channel::TryRecvError::Disconnected => TryRecvError::Disconnected,
    })
}

fn time_left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |at| at - wall_now())
}
