//! The points in time at which a task that polls a future wants to be woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

use super::instant::Instant;

/// The wake-ups that a polled future has asked for: when, and the waker to call then.
///
/// A heap, since one task may poll thousands of futures that all wait, and each poll adds one. Most
/// tasks have one wake-up, which needs no heap.
#[derive(Default)]
pub(in crate::runtime) struct WakeUps {
    soonest: Option<WakeUp>,
    /// Empty without a `soonest`.
    later: BinaryHeap<Reverse<WakeUp>>,
    /// How many were ever added.
    added: u64,
}

struct WakeUp {
    at: Instant,
    /// The first one has number 1.
    number: u64,
    waker: Waker,
}

impl WakeUps {
    /// No wake-up.
    pub(in crate::runtime) const fn new() -> WakeUps {
        WakeUps { soonest: None, later: BinaryHeap::new(), added: 0 }
    }

    pub(in crate::runtime) fn add(&mut self, at: Instant, waker: Waker) {
        self.added += 1;
        let new = WakeUp { at, number: self.added, waker };
        match &mut self.soonest {
            None => self.soonest = Some(new),
            Some(soonest) if new < *soonest => {
                self.later.push(Reverse(std::mem::replace(soonest, new)));
            }
            Some(_) => self.later.push(Reverse(new)),
        }
    }

    /// When the first of them is due.
    pub(in crate::runtime) fn soonest(&self) -> Option<Instant> {
        self.soonest.as_ref().map(|wake_up| wake_up.at)
    }

    /// Wakes, and removes, those that are due at `now`, in the order in which they were added.
    pub(in crate::runtime) fn wake_due(&mut self, now: Instant) {
        let Some(first) = self.take_due(now) else { return };
        let Some(second) = self.take_due(now) else { return first.waker.wake() };
        let mut due = vec![first, second];
        due.extend(std::iter::from_fn(|| self.take_due(now)));
        due.sort_unstable_by_key(|wake_up| wake_up.number);
        due.into_iter().for_each(|wake_up| wake_up.waker.wake());
    }

    fn take_due(&mut self, now: Instant) -> Option<WakeUp> {
        let due = self.soonest.take_if(|wake_up| wake_up.at <= now)?;
        self.soonest = self.later.pop().map(|Reverse(wake_up)| wake_up);
        Some(due)
    }
}

impl WakeUp {
    const fn key(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl PartialEq for WakeUp {
    fn eq(&self, other: &WakeUp) -> bool {
        self.key() == other.key()
    }
}

impl Eq for WakeUp {}

impl PartialOrd for WakeUp {
    fn partial_cmp(&self, other: &WakeUp) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WakeUp {
    fn cmp(&self, other: &WakeUp) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    struct Notes(u64, crossbeam_channel::Sender<u64>);

    impl Wake for Notes {
        fn wake(self: Arc<Notes>) {
            self.1.send(self.0).unwrap();
        }
    }

    #[test]
    fn those_that_are_due_wake_in_the_order_in_which_they_were_added() {
        let (notes, woken) = crossbeam_channel::unbounded();
        let start = crate::runtime::base::instant::wall_now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut wake_ups = WakeUps::new();
        for ms in [30, 10, 20, 10, 50] {
            wake_ups.add(at(ms), Arc::new(Notes(ms, notes.clone())).into());
        }
        let mut woken_at = |now| {
            wake_ups.wake_due(now);
            (woken.try_iter().collect::<Vec<_>>(), wake_ups.soonest())
        };
        assert_eq!(woken_at(at(9)), (vec![], Some(at(10))), "none is due");
        assert_eq!(woken_at(at(30)), (vec![30, 10, 20, 10], Some(at(50))));
        assert_eq!(woken_at(at(50)), (vec![50], None));
    }
}
