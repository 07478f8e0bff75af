//! Locks in parking_lot's shape: no poisoning, `wait` takes `&mut` guard.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::context;
use super::real;
use super::time::Instant;

/// Mutual exclusion. Lock and unlock are scheduling points on the virtual clock.
pub struct Mutex<T: ?Sized> {
    data: parking_lot::Mutex<T>,
}

/// Access to a [`Mutex`]'s content, until dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    inner: parking_lot::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { data: parking_lot::Mutex::new(value) }
    }

    /// The content, without locking: nobody else can have it.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until nobody else has the lock, then takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { inner: self.data.lock() }
    }

    /// Takes the lock if nobody has it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Some(MutexGuard { inner: self.data.try_lock()? })
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data.fmt(f)
    }
}

/// A condition that tasks wait for. Spurious wake-ups happen: wait in a loop.
#[derive(Default)]
pub struct Condvar {
    inner: parking_lot::Condvar,
}

impl Condvar {
    /// A condition nobody waits for yet.
    pub const fn new() -> Condvar {
        Condvar { inner: parking_lot::Condvar::new() }
    }

    /// Gives up the lock, waits to be notified, and takes the lock again.
    #[track_caller]
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.inner.wait_for(&mut guard.inner, real::OVER_CHECK);
        real::unwind_if_over();
    }

    /// As [`Condvar::wait`], for at most `span`. Whether the time ran out.
    #[track_caller]
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, span: Duration) -> bool {
        self.wait_until(guard, Instant::from_ns(context::quiet_now_ns()) + span)
    }

    /// As [`Condvar::wait`], until `deadline` at the latest. Whether the time ran out.
    #[track_caller]
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> bool {
        let left = deadline - Instant::from_ns(context::quiet_now_ns());
        let result = self.inner.wait_for(&mut guard.inner, left.min(real::OVER_CHECK));
        real::unwind_if_over();
        result.timed_out() && context::quiet_now_ns() >= deadline.as_ns()
    }

    /// Wakes one of the tasks that wait, if any does.
    #[track_caller]
    pub fn notify_one(&self) {
        self.inner.notify_one();
    }

    /// Wakes all tasks that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.inner.notify_all();
    }
}

/// A lock for the network, the persister, observers and the record: no scheduling point.
///
/// What is done under it is invisible to the schedule, so turning it on or off changes nothing.
/// Never held across anything that blocks: the closure must not lock, wait, send or sleep.
pub struct Quiet<T: ?Sized> {
    data: parking_lot::Mutex<T>,
}

impl<T> Quiet<T> {
    /// A quiet lock around `value`.
    pub const fn new(value: T) -> Quiet<T> {
        Quiet { data: parking_lot::Mutex::new(value) }
    }

    /// The content, without locking.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Quiet<T> {
    /// Runs `f` on the content, alone.
    ///
    /// # Panics
    /// On the virtual clock, when the lock is taken: then its rule, never to be held across
    /// anything that blocks, was broken, and waiting would stop the simulation for good.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.data.lock())
    }
}

impl<T: Default> Default for Quiet<T> {
    fn default() -> Quiet<T> {
        Quiet::new(T::default())
    }
}

impl<T> fmt::Debug for Quiet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quiet")
    }
}
