//! Locks in parking_lot's shape: no poisoning, `wait` takes `&mut` guard.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::base::instant::Instant;
use super::base::kept::Choice;
use super::sim::{self, Event, Holder, Place, Sim, WaitKind, Woken};
use super::{context, real};

/// Maximum wait, in virtual time, for a lock that one other task holds all the time.
///
/// After such a wait, the run fails. Time in which the schedule stalled tasks of the waiting task's
/// server does not count: the holder may be waiting for such a task.
const LOCK_WAIT_MAX_NS: u64 = 10_000_000_000;

/// The maximum in a run that leaves out all long waits, to become smaller.
const SHORT_LOCK_WAIT_NS: u64 = 500_000_000;

/// Mutual exclusion. Lock and unlock are scheduling points on the virtual clock.
pub struct Mutex<T: ?Sized> {
    holder: Holder,
    /// Tasks of a simulation that wait for the lock.
    waiters: AtomicU32,
    data: parking_lot::Mutex<T>,
}

/// Access to a [`Mutex`]'s content, until dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// `None` only while a [`Condvar`] waits.
    inner: Option<parking_lot::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// Makes a mutex, not locked, that protects `value`.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            holder: Holder::none(),
            waiters: AtomicU32::new(0),
            data: parking_lot::Mutex::new(value),
        }
    }

    /// Returns the content without locking: no other task can have it.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until no other task has the lock, then takes it.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let inner = match sim::current() {
            None => self.data.lock(),
            Some(sim) => {
                sim.point(Event::Lock, Location::caller());
                self.lock_in(sim, Location::caller())
            }
        };
        MutexGuard { mutex: self, inner: Some(inner) }
    }

    /// Takes the lock if no task has it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let sim = sim::current();
        if let Some(sim) = sim {
            sim.point(Event::Lock, Location::caller());
        }
        let inner = self.data.try_lock()?;
        if let Some(sim) = sim {
            self.holder.set(sim, Location::caller());
        }
        Some(MutexGuard { mutex: self, inner: Some(inner) })
    }

    fn lock_in(&self, sim: &Sim, place: Place) -> parking_lot::MutexGuard<'_, T> {
        let mut patience = None;
        loop {
            if let Some(inner) = self.data.try_lock() {
                self.holder.set(sim, place);
                return inner;
            }
            self.wait_for_lock(sim, place, &mut patience);
        }
    }

    #[cold]
    fn wait_for_lock(&self, sim: &Sim, place: Place, patience: &mut Option<Patience>) {
        if !sim.is_leaving() {
            sim.refuse_lock_cycle(&self.holder, place);
        }
        let begun = patience.get_or_insert_with(|| Patience::begin(&self.holder, sim));
        let deadline_ns = sim.now_ns().saturating_add(begun.max_ns);
        self.waiters.fetch_add(1, Ordering::Relaxed);
        let kind = WaitKind::Lock(&raw const self.holder);
        // `waiting` is dropped on the unwinding path, too, so that the count stays right.
        let waiting = Waiting(&self.waiters);
        let woken = sim.block(kind, self.address(), place, Some(deadline_ns));
        drop(waiting);
        if begun.held_since_ns != self.holder.since_ns() {
            // A lock with a new holder is busy, not dead: stalls of successive holders add up.
            *patience = None;
        } else if woken == Woken::TimedOut && begun.is_over(sim) && !sim.is_leaving() {
            // For a search for a smaller run: this one has a long wait, which it can do without.
            sim.keeps(Choice::Wait);
            let max_s = Duration::from_nanos(begun.max_ns).as_secs_f64();
            let message = format!(
                "a task waited for a lock at {place} for more than {max_s} virtual seconds"
            );
            sim.fail_deadlock("lock_wait", &message, &self.holder, place);
        }
    }

    fn unlock_in(&self, sim: &Sim) {
        if self.waiters.load(Ordering::Relaxed) > 0 {
            sim.wake_one(self.address());
        }
    }

    fn address(&self) -> usize {
        (&raw const self.holder).addr()
    }
}

/// The state when a task began to wait for a lock's present holder.
struct Patience {
    held_since_ns: u64,
    now_ns: u64,
    stalled_ns: u64,
    max_ns: u64,
}

impl Patience {
    fn begin(holder: &Holder, sim: &Sim) -> Patience {
        Patience {
            held_since_ns: holder.since_ns(),
            now_ns: sim.now_ns(),
            stalled_ns: sim.stalled_ns(),
            max_ns: match sim.keeps_none(Choice::Wait) {
                true => SHORT_LOCK_WAIT_NS,
                false => LOCK_WAIT_MAX_NS,
            },
        }
    }

    fn is_over(&self, sim: &Sim) -> bool {
        let stalled_ns = sim.stalled_ns() - self.stalled_ns;
        sim.now_ns() - self.now_ns >= self.max_ns + stalled_ns
    }
}

/// Takes a [`Condvar`] waiter's lock again if the wait, or retaking the lock, ends by unwinding.
///
/// The destructors of the guard's owner may need the lock.
struct Relock<'w, 'a, T: ?Sized> {
    guard: &'w mut MutexGuard<'a, T>,
    sim: &'w Sim,
    place: Place,
}

impl<T: ?Sized> Drop for Relock<'_, '_, T> {
    fn drop(&mut self) {
        if self.guard.inner.is_none() {
            self.guard.inner = Some(self.guard.mutex.lock_in(self.sim, self.place));
        }
    }
}

/// Counts one more task that waits for a lock, until dropped.
struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        match sim::current() {
            None => drop(inner),
            Some(sim) => {
                let place = self.mutex.holder.place();
                self.mutex.holder.clear();
                drop(inner);
                self.mutex.unlock_in(sim);
                sim.point(Event::Unlock, place.unwrap_or(Location::caller()));
            }
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard has its lock whenever its owner runs")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard has its lock whenever its owner runs")
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
    /// Gives the condition its own address, even if the compiler shares those of empty values.
    _address: u8,
}

impl Condvar {
    /// A condition that no task waits for yet.
    pub const fn new() -> Condvar {
        Condvar { inner: parking_lot::Condvar::new(), _address: 0 }
    }

    /// Releases the lock, waits to be notified, and takes the lock again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        match sim::current() {
            Some(sim) => {
                self.wait_in(sim, guard, None, Location::caller());
            }
            None => self.wait_real(guard, real::wait_max()),
        }
    }

    /// As [`Condvar::wait`], for at most `span`. Returns whether the time ran out.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, span: Duration) -> bool {
        self.wait_until(guard, context::quiet_now() + span)
    }

    /// As [`Condvar::wait`], until `deadline` at the latest. Returns whether the time ran out.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> bool {
        if let Some(sim) = sim::current() {
            let woken = self.wait_in(sim, guard, Some(deadline.as_ns()), Location::caller());
            return woken == Woken::TimedOut;
        }
        let left = deadline - context::quiet_now();
        self.wait_real(guard, left.min(real::wait_max()));
        context::quiet_now() >= deadline
    }

    fn wait_real<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, span: Duration) {
        let inner = guard.inner.as_mut().expect("a guard has its lock whenever its owner runs");
        self.inner.wait_for(inner, span);
        real::unwind_if_over();
    }

    fn wait_in<T: ?Sized>(
        &self,
        sim: &Sim,
        guard: &mut MutexGuard<'_, T>,
        deadline_ns: Option<u64>,
        place: Place,
    ) -> Woken {
        sim.point(Event::Wait, place);
        let mutex = guard.mutex;
        // No other task runs from here to `block`: releasing the lock and waiting are one step.
        mutex.holder.clear();
        guard.inner = None;
        mutex.unlock_in(sim);
        let spurious_ns = sim.spurious_wake_ns().map(|span_ns| sim.now_ns() + span_ns);
        let until_ns = [deadline_ns, spurious_ns].into_iter().flatten().min();
        let relock = Relock { guard, sim, place };
        sim.block(WaitKind::Condvar, self.address(), place, until_ns);
        relock.guard.inner = Some(mutex.lock_in(sim, place));
        drop(relock);
        match deadline_ns {
            Some(deadline_ns) if sim.now_ns() >= deadline_ns => Woken::TimedOut,
            _ => Woken::Notified,
        }
    }

    /// Wakes one of the tasks that wait, if any does.
    #[track_caller]
    pub fn notify_one(&self) {
        match sim::current() {
            None => {
                self.inner.notify_one();
            }
            Some(sim) => {
                sim.point(Event::Notify, Location::caller());
                sim.wake_one(self.address());
            }
        }
    }

    /// Wakes all tasks that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        match sim::current() {
            None => {
                self.inner.notify_all();
            }
            Some(sim) => {
                sim.point(Event::Notify, Location::caller());
                sim.wake_all(self.address());
            }
        }
    }

    fn address(&self) -> usize {
        (&raw const *self).addr()
    }
}

/// A lock for the network, the persister, observers and the record: it is not a scheduling point.
///
/// Work under it is invisible to the schedule, so turning that work on or off changes no run. The
/// lock is never held across anything that blocks: the closure must not lock, wait, send or sleep.
pub struct Quiet<T: ?Sized> {
    data: parking_lot::Mutex<T>,
}

impl<T> Quiet<T> {
    /// Makes a quiet lock that protects `value`.
    pub const fn new(value: T) -> Quiet<T> {
        Quiet { data: parking_lot::Mutex::new(value) }
    }

    /// Returns the content without locking.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Quiet<T> {
    /// Runs `f` on the content, with exclusive access.
    ///
    /// # Panics
    /// On the virtual clock, if another task has the lock. That task has broken the rule: it holds
    /// the lock across something that blocks, and waiting would stop the simulation for good.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut data = match sim::current() {
            None => self.data.lock(),
            Some(_) => self.data.try_lock().expect("a quiet lock is never held across a wait"),
        };
        f(&mut data)
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
