//! The means of waiting: a bell that any task may ring, and a race of two futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::task::AtomicWaker;

/// Wakes the one task that listens. A ring while the task does not listen is kept, so none is
/// missed; many rings before the task listens again count as one.
#[derive(Default)]
pub struct Bell {
    rung: AtomicBool,
    listener: AtomicWaker,
}

impl Bell {
    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        self.listener.wake();
    }

    pub async fn heard(&self) {
        poll_fn(|cx| {
            // Register first, then check: whenever a ring comes, one of the two steps sees it.
            self.listener.register(cx.waker());
            if self.rung.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Returns the output of `wanted`, or `None` if `limit` is ready before. Drops the other future.
pub async fn before<W: Future, L: Future>(limit: L, wanted: W) -> Option<W::Output> {
    match select(pin!(wanted), pin!(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Returns the output of the next call to end. Without calls it waits until something else wakes
/// the task.
pub async fn next_of<F: Future>(calls: &mut FuturesUnordered<F>) -> F::Output {
    poll_fn(|cx| match calls.poll_next_unpin(cx) {
        Poll::Ready(Some(output)) => Poll::Ready(output),
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    })
    .await
}
