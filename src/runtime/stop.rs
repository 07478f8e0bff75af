//! The signal that stops an instance: it is set once, and the instance's tasks can wait for it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::channel::{SendTimeoutError, Sender};

/// Maximum time until a task that waits to send sees that its instance has stopped.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The signal that stops an instance. It is set once and stays set; tasks can wait for it.
///
/// All clones share one signal.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Semaphore>);

impl Default for Stop {
    fn default() -> Stop {
        // The semaphore never has a permit, so a task that waits for a permit waits until it is
        // closed.
        Stop(Arc::new(Semaphore::new(0)))
    }
}

impl Stop {
    /// Sets the signal and wakes all tasks that wait for it. Idempotent.
    pub fn stop(&self) {
        self.0.close();
    }

    /// Whether the signal is set: the instance has to end.
    pub fn is_stopped(&self) -> bool {
        self.0.is_closed()
    }

    /// Runs `future` and returns its output; `None` if the instance stops first.
    pub async fn or<T>(self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut stopped = pin!(self.0.acquire());
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => stopped.as_mut().poll(cx).map(|_| None),
        })
        .await
    }

    /// Sends `message`, however long the receiver takes. Returns false if the message was not sent:
    /// the instance has stopped, or the receiver is gone.
    #[track_caller]
    pub fn or_send<T>(&self, sender: &Sender<T>, mut message: T) -> bool {
        while !self.is_stopped() {
            match sender.send_timeout(message, CHECK_INTERVAL) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => message = back,
                Err(SendTimeoutError::Disconnected(_)) => return false,
            }
        }
        false
    }
}
