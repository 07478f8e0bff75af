//! Points in time, and a future that waits for one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{context, future};

pub use super::base::instant::Instant;
pub use super::context::since_start;

impl Instant {
    /// The present moment. A scheduling point on the virtual clock.
    #[track_caller]
    pub fn now() -> Instant {
        context::now()
    }

    /// Time since this point; zero if the point is in the future.
    #[track_caller]
    pub fn elapsed(self) -> Duration {
        Instant::now() - self
    }
}

/// A future that is ready at a point in time. See [`sleep`].
#[derive(Debug)]
pub struct Sleep {
    deadline: Instant,
}

/// Makes a future that waits for `span`; it works only under [`super::block_on`].
#[track_caller]
pub fn sleep(span: Duration) -> Sleep {
    Sleep { deadline: context::quiet_now() + span }
}

impl Future for Sleep {
    type Output = ();

    /// Polled outside [`super::block_on`], it is never woken: no other executor knows this clock.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if context::quiet_now() >= self.deadline {
            return Poll::Ready(());
        }
        future::wake_at(self.deadline, cx.waker());
        Poll::Pending
    }
}
