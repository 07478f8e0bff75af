//! What the tasks wait with: a bell that any task may ring, and a race of two futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::task::AtomicWaker;

/// Wakes the one task that listens. A ring that nobody listens to is kept, so none is missed;
/// many rings before the task listens again count as one.
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
            // First the waker, then the look: a ring between the two is seen by one of them.
            self.listener.register(cx.waker());
            if self.rung.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// What `wanted` yields; `None` if `limit` is ready before. The loser is dropped.
pub async fn before<W: Future, L: Future>(limit: L, wanted: W) -> Option<W::Output> {
    match select(pin!(wanted), pin!(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// The next of `calls` to end. While there is none this waits: somebody else must wake the task.
pub async fn next_of<F: Future>(calls: &mut FuturesUnordered<F>) -> F::Output {
    poll_fn(|cx| match calls.poll_next_unpin(cx) {
        Poll::Ready(Some(output)) => Poll::Ready(output),
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    })
    .await
}
