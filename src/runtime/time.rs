//! Points in time, and a future that waits for one.

use std::future::Future;
use std::ops::{Add, AddAssign, Sub};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{context, future};

/// A point in time on the current run's clock.
///
/// Points of different runs or clocks cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The present moment. A scheduling point on the virtual clock.
    #[track_caller]
    pub fn now() -> Instant {
        Instant(context::now_ns())
    }

    /// Time since this point; zero if the point is in the future.
    #[track_caller]
    pub fn elapsed(self) -> Duration {
        Instant::now() - self
    }

    pub(super) fn from_ns(ns: u64) -> Instant {
        Instant(ns)
    }

    pub(super) fn as_ns(self) -> u64 {
        self.0
    }
}

/// Time since the run began (outside a run: since the process first read the clock).
///
/// Reading it is not a scheduling point and costs no virtual time: for the record, the network and
/// observers.
pub fn since_start() -> Duration {
    Duration::from_nanos(context::since_start_ns())
}

/// Converts a duration to whole nanoseconds, with a maximum of about 584 years.
pub(super) fn ns_of(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(ns_of(span)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    /// The time from `earlier` to `self`; zero if `earlier` is the later one.
    fn sub(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
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
    Sleep { deadline: Instant(context::quiet_now_ns()) + span }
}

impl Future for Sleep {
    type Output = ();

    /// Polled outside [`super::block_on`], it is never woken: no other executor knows this clock.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if context::quiet_now_ns() >= self.deadline.0 {
            return Poll::Ready(());
        }
        future::wake_at(self.deadline, cx.waker());
        Poll::Pending
    }
}
