//! Which task runs next, and when: the ready set, the clock, timers and wait lists.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use super::report::Holder;
use super::task::{State, Task, TaskId};
use super::{END_OF_TIME_NS, Event, Place, Sim};
use crate::runtime::base::outcome::FailureKind;

/// What a blocked task waits for. `Stall`: for the schedule, which has stopped it.
#[derive(Debug, Clone, Copy)]
pub(in crate::runtime) enum WaitKind {
    Lock(*const Holder),
    Condvar,
    Send,
    Recv,
    Sleep,
    Park,
    Stall,
}

/// A wait: its kind, its wait list, its place in the source, and when it began.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    pub(super) kind: WaitKind,
    /// The wait list; 0 if the wait is on no list.
    pub(super) address: usize,
    pub(super) place: Place,
    pub(super) since_ns: u64,
}

/// How a wait ended: by a wake-up, or by its deadline or the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Woken {
    Notified,
    TimedOut,
}

/// Up to this many lists, empty ones stay.
const LISTS_MIN: usize = 256;

/// Tasks that wait for an object, by the object's address.
///
/// An emptied list stays, since most objects are waited for again and again; when many lists have
/// been added, the empty ones are removed. A hash map is safe here: the order in which it is
/// iterated has no effect.
#[derive(Default)]
pub(super) struct WaitLists {
    lists: FxHashMap<usize, VecDeque<TaskId>>,
    /// Removed lists, kept for their memory.
    spare: Vec<VecDeque<TaskId>>,
    /// When there are more lists than this, the empty ones are removed.
    full: usize,
}

impl WaitLists {
    fn add(&mut self, address: usize, id: TaskId) {
        let WaitLists { lists, spare, .. } = self;
        let list = lists.entry(address).or_insert_with(|| spare.pop().unwrap_or_default());
        list.push_back(id);
        if lists.len() > self.full {
            self.remove_empty();
        }
    }

    #[cold]
    fn remove_empty(&mut self) {
        let WaitLists { lists, spare, full } = self;
        let empty = lists.extract_if(|_, list| list.is_empty());
        spare.extend(empty.map(|(_, list)| list));
        *full = LISTS_MIN.max(2 * lists.len());
    }

    fn remove(&mut self, address: usize, id: TaskId) {
        if let Some(list) = self.lists.get_mut(&address) {
            list.retain(|other| *other != id);
        }
    }

    /// Takes the waiter that `choose` picks out of `0..len`.
    fn take(&mut self, address: usize, choose: impl FnOnce(usize) -> usize) -> Option<TaskId> {
        let list = self.lists.get_mut(&address)?;
        if list.len() <= 1 { list.pop_front() } else { list.remove(choose(list.len())) }
    }

    pub(super) fn clear(&mut self) {
        self.lists.clear();
    }
}

/// The end of a task's wait at a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub(super) deadline_ns: u64,
    /// The run's first timer has number 1.
    pub(super) number: u64,
    pub(super) task: TaskId,
    pub(super) wait_seq: u32,
}

impl Timer {
    /// Whether the task still waits for this timer.
    pub(super) fn is_of_a_wait(&self, tasks: &[Task]) -> bool {
        tasks[self.task.slot()].wait_seq == self.wait_seq
    }
}

/// Up to this many stale timers stay until they are due.
const STALE_MIN: usize = 32;

/// Timers, soonest first. A timer whose wait has ended is stale. The stale ones are dropped when
/// they are half of all, which costs less than to take each from the heap when it is due.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
    /// How many timers the run has set.
    set: u64,
    /// How many in the heap are stale.
    stale: usize,
}

impl Timers {
    fn add(&mut self, deadline_ns: u64, task: TaskId, wait_seq: u32) {
        self.set += 1;
        self.heap.push(Reverse(Timer { deadline_ns, number: self.set, task, wait_seq }));
    }

    /// Takes a timer that is due.
    fn take_due(&mut self, now_ns: u64) -> Option<Timer> {
        self.soonest_ns().filter(|at_ns| *at_ns <= now_ns)?;
        self.heap.pop().map(|Reverse(timer)| timer)
    }

    fn must_be_cleaned(&self) -> bool {
        self.stale > STALE_MIN && self.stale > self.heap.len() / 2
    }

    #[cold]
    fn drop_stale(&mut self, tasks: &[Task]) {
        self.heap.retain(|Reverse(timer)| timer.is_of_a_wait(tasks));
        self.stale = 0;
    }

    fn soonest_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(timer)| timer.deadline_ns)
    }

    /// All timers, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Timer> {
        self.heap.iter().map(|Reverse(timer)| *timer)
    }

    /// Gives every timer the deadline that `deadline_ns` says.
    pub(super) fn change(&mut self, mut deadline_ns: impl FnMut(Timer) -> u64) {
        let timers = std::mem::take(&mut self.heap).into_iter();
        let changed = timers
            .map(|Reverse(timer)| Reverse(Timer { deadline_ns: deadline_ns(timer), ..timer }));
        self.heap = changed.collect();
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.stale = 0;
    }
}

impl Sim {
    /// Makes the current task wait, on `address`'s list (unless 0), until `deadline_ns` at most.
    pub(in crate::runtime) fn block(
        &self,
        kind: WaitKind,
        address: usize,
        place: Place,
        deadline_ns: Option<u64>,
    ) -> Woken {
        if self.ending.get() {
            self.unwind_if_over();
            if !matches!(kind, WaitKind::Lock(_)) {
                self.wait_while_leaving(deadline_ns);
                return Woken::TimedOut;
            }
            self.count_wait();
        }
        let id = self.current.get();
        self.mix(Event::Block);
        let since_ns = self.now_ns.get();
        let deadline_ns = deadline_ns.filter(|at_ns| *at_ns < END_OF_TIME_NS);
        let wait_seq = self.with_current(|task| {
            task.state = State::Blocked(Wait { kind, address, place, since_ns });
            task.has_timer = deadline_ns.is_some();
            task.wait_seq = task.wait_seq.wrapping_add(1);
            task.wait_seq
        });
        if address != 0 {
            self.waits.borrow_mut().add(address, id);
        }
        if let Some(deadline_ns) = deadline_ns {
            self.set_timer(deadline_ns, id, wait_seq);
        }
        self.switch();
        if self.with_current(|task| task.timed_out) { Woken::TimedOut } else { Woken::Notified }
    }

    fn set_timer(&self, deadline_ns: u64, id: TaskId, wait_seq: u32) {
        let mut timers = self.timers.borrow_mut();
        if timers.must_be_cleaned() {
            timers.drop_stale(&self.tasks.borrow());
        }
        timers.add(deadline_ns, id, wait_seq);
        self.alarm_ns.set(self.alarm_ns.get().min(deadline_ns));
    }

    /// Wakes one task that waits at `address`, if there is one.
    pub(in crate::runtime) fn wake_one(&self, address: usize) {
        let mut explorer = self.explorer.borrow_mut();
        let woken = self.waits.borrow_mut().take(address, |len| explorer.choose(len));
        drop(explorer);
        if let Some(id) = woken {
            self.make_ready(id, false);
        }
    }

    /// Wakes all tasks that wait at `address`.
    pub(in crate::runtime) fn wake_all(&self, address: usize) {
        while let Some(id) = {
            let mut waits = self.waits.borrow_mut();
            waits.take(address, |_| 0)
        } {
            self.make_ready(id, false);
        }
    }

    pub(super) fn make_ready(&self, id: TaskId, timed_out: bool) {
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks[id.slot()];
        task.state = State::Ready;
        if task.has_timer && !timed_out {
            self.timers.borrow_mut().stale += 1;
        }
        task.timed_out = timed_out;
        task.wait_seq = task.wait_seq.wrapping_add(1);
        self.ready.borrow_mut().push_back(id);
    }

    /// Sleeps for `span_ns` of virtual time.
    pub(in crate::runtime) fn sleep(&self, span_ns: u64, place: Place) {
        self.point(Event::Sleep, place);
        let deadline_ns = self.now_ns.get().saturating_add(span_ns);
        self.block(WaitKind::Sleep, 0, place, Some(deadline_ns));
    }

    /// Lets another task run, because the code asks for it.
    pub(in crate::runtime) fn yield_now(&self, place: Place) {
        self.point(Event::Yield, place);
        if self.ending.get() { self.wait_while_leaving(None) } else { self.yield_to_any() }
    }

    /// Lets another task run, if the scheduler chooses one; the current task stays ready.
    pub(in crate::runtime) fn yield_to_any(&self) {
        let id = self.current.get();
        self.with_current(|task| task.state = State::Ready);
        self.ready.borrow_mut().push_back(id);
        self.switch();
    }

    /// Hands control to the picked task, and returns when the current one has control again.
    fn switch(&self) {
        let id = self.current.get();
        match self.pick() {
            Some(next) if next == id => {
                self.points_since_switch.set(0);
                self.with_current(|task| task.state = State::Running);
            }
            next => {
                self.next.set(next);
                self.suspend();
            }
        }
        self.unwind_if_over();
    }

    /// Takes the next task to run from the ready set; moves the clock if no task is ready.
    ///
    /// `None` only if the run is ending and no task can continue.
    pub(super) fn pick(&self) -> Option<TaskId> {
        loop {
            let picked = {
                let mut ready = self.ready.borrow_mut();
                let choice = self.explorer.borrow_mut().choose(ready.len());
                ready.swap_remove_front(choice)
            };
            if picked.is_some() {
                return picked;
            }
            if self.ending.get() || self.live.get() == 0 {
                return None;
            }
            self.move_clock();
        }
    }

    /// Moves the clock to the next timer, since no task can run. Without a timer, fails the run.
    fn move_clock(&self) {
        let mut soonest_ns = self.timers.borrow().soonest_ns();
        while soonest_ns.is_some_and(|at_ns| at_ns > self.ahead.at_ns()) {
            self.look_ahead(soonest_ns.unwrap_or(u64::MAX));
            soonest_ns = self.timers.borrow().soonest_ns();
        }
        let Some(soonest_ns) = soonest_ns else {
            let message = format!("no task can run and no timer is set\n{}", self.describe_tasks());
            return self.end_with_new(FailureKind::Deadlock, "all_blocked", message);
        };
        if soonest_ns > self.now_ns.get() {
            self.now_ns.set(soonest_ns);
            self.mix(Event::Clock);
        }
        self.alarm();
    }

    /// Wakes every task whose timer is due, and checks the run's limits.
    #[cold]
    pub(super) fn alarm(&self) {
        let now_ns = self.now_ns.get();
        while let Some(timer) = {
            let mut timers = self.timers.borrow_mut();
            timers.take_due(now_ns)
        } {
            self.time_out(timer);
        }
        let soonest_ns = self.timers.borrow().soonest_ns().unwrap_or(u64::MAX);
        self.alarm_ns.set(soonest_ns.min(self.limits.elapsed_ns));
        self.look_at_limits();
    }

    /// Ends the wait of `timer`, which is not in the heap any more, unless the wait is over.
    fn time_out(&self, timer: Timer) {
        let tasks = self.tasks.borrow();
        let address = match &tasks[timer.task.slot()].state {
            State::Blocked(wait) if timer.is_of_a_wait(&tasks) => wait.address,
            _ => {
                let mut timers = self.timers.borrow_mut();
                timers.stale -= 1;
                return;
            }
        };
        drop(tasks);
        if address != 0 {
            self.waits.borrow_mut().remove(address, timer.task);
        }
        self.make_ready(timer.task, true);
    }

    fn look_at_limits(&self) {
        self.heartbeat.beat(self.points.get() + self.switches.get());
        if self.ending.get() {
            return;
        }
        if self.now_ns.get() >= self.limits.elapsed_ns {
            let limit = std::time::Duration::from_nanos(self.limits.elapsed_ns);
            let message = format!("the run took more than {limit:?} of virtual time");
            self.end_with_new(FailureKind::Limit, "elapsed_max", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::runtime::base::outcome::RunConfig;
    use crate::runtime::sim::{channel, current, run_traced};

    #[test]
    fn lists_of_objects_that_are_gone_are_removed() {
        let mut lists = WaitLists::default();
        lists.add(1, TaskId(1));
        for address in 2..10_000 {
            lists.add(address, TaskId(2));
            assert_eq!(lists.take(address, |_| 0), Some(TaskId(2)));
        }
        assert!(lists.lists.len() <= LISTS_MIN + 1, "{} lists", lists.lists.len());
        assert_eq!(lists.take(1, |_| 0), Some(TaskId(1)), "a list with a waiter stays");
    }

    #[test]
    fn timers_of_waits_that_are_over_do_not_pile_up() {
        let (outcome, _) = run_traced(&RunConfig::default(), || {
            let sim = current().unwrap();
            let hour_ns = 3_600_000_000_000;
            let (sender, receiver) = channel(None);
            let here = Location::caller();
            let job = move || {
                for number in 0..1_000 {
                    let sim = current().unwrap();
                    sim.sleep(1_000_000, here);
                    let _ = sender.send(number, None, here);
                }
            };
            sim.spawn("sender".into(), here, Box::new(job));
            for number in 0..1_000 {
                let deadline_ns = sim.now_ns() + hour_ns;
                assert_eq!(receiver.recv(Some(deadline_ns), here).ok(), Some(number));
            }
            sim.timers.borrow().iter().count()
        });
        let left = outcome.result.unwrap();
        assert!(left < 100, "{left} timers of waits that are over");
    }
}
