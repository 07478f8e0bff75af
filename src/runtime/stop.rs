//! The end of an instance: a switch that is thrown once, and that its tasks wait for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::channel::{SendTimeoutError, Sender};

/// How soon a task that waits to send notices that its instance has stopped.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Whether an instance is to end; a switch that is thrown once and can be waited for. A clone is
/// the same switch.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Semaphore>);

impl Default for Stop {
    fn default() -> Stop {
        // Without permits, so that waiting for one is waiting for the end.
        Stop(Arc::new(Semaphore::new(0)))
    }
}

impl Stop {
    /// Throws the switch. Idempotent.
    pub fn stop(&self) {
        self.0.close();
    }

    /// Whether the instance is to end.
    pub fn is_stopped(&self) -> bool {
        self.0.is_closed()
    }

    /// What `future` yields; `None` if the instance stops first.
    pub async fn or<T>(self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut stopped = pin!(self.0.acquire());
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => stopped.as_mut().poll(cx).map(|_| None),
        })
        .await
    }

    /// Sends `message`, however long the receiver takes. False when nobody will ever receive it:
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
