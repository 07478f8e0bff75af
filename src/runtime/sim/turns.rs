//! Turns: a timer that goes before those that are due sooner; and the timers that may.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use super::report::verb;
use super::schedule::{Timer, Wait};
use super::task::State;
use super::{Sim, ns_of};
use crate::runtime::base::outcome::RunConfig;
use crate::runtime::base::turns::{Pending, Turn};

/// What is left to do of what the configuration asks for.
pub(super) struct Ahead {
    /// When the next of these comes, or `u64::MAX`.
    at_ns: Cell<u64>,
    turns: RefCell<VecDeque<Turn>>,
    look_at: Cell<Option<Duration>>,
}

impl Ahead {
    pub(super) fn new(config: &RunConfig) -> Ahead {
        let ahead = Ahead {
            at_ns: Cell::new(u64::MAX),
            turns: RefCell::new(config.turns.iter().copied().collect()),
            look_at: Cell::new(config.look_at),
        };
        ahead.find_next();
        ahead
    }

    /// When the next of these comes, in nanoseconds since the run began.
    #[inline]
    pub(super) fn at_ns(&self) -> u64 {
        self.at_ns.get()
    }

    fn find_next(&self) {
        let turn = self.turns.borrow().front().map(|turn| turn.at);
        let next = turn.into_iter().chain(self.look_at.get()).min();
        self.at_ns.set(next.map_or(u64::MAX, ns_of));
    }
}

impl Sim {
    /// Does what is asked for before the clock moves on to `soonest_ns`.
    #[cold]
    pub(super) fn look_ahead(&self, soonest_ns: u64) {
        let is_before = |at: Duration| ns_of(at) < soonest_ns;
        if self.ahead.look_at.get().is_some_and(is_before) {
            self.ahead.look_at.set(None);
            self.notes.borrow_mut().pending = self.pending();
        }
        let turn = self.ahead.turns.borrow().front().copied().filter(|turn| is_before(turn.at));
        if let Some(Turn { timer, .. }) = turn {
            self.ahead.turns.borrow_mut().pop_front();
            self.notes.borrow_mut().turns_taken += usize::from(self.let_go_first(timer));
        }
        self.ahead.find_next();
    }

    /// The timers that a task waits for, soonest first.
    fn pending(&self) -> Vec<Pending> {
        let tasks = self.tasks.borrow();
        let mut timers: Vec<Timer> = self.timers.borrow().iter().collect();
        timers.sort_unstable();
        let pending = timers.into_iter().filter_map(|timer| {
            let task = &tasks[timer.task.slot()];
            let wait = self.wait_of(timer)?;
            Some(Pending {
                timer: timer.number,
                due: Duration::from_nanos(timer.deadline_ns),
                label: task.label,
                what: format!("{} {} at {}", task.shown_name(), verb(wait.kind), wait.place),
            })
        });
        pending.collect()
    }

    /// Holds back all timers that are due before `number`, for as long as that one needs. Returns
    /// whether a task waits for it.
    fn let_go_first(&self, number: u64) -> bool {
        let all: Vec<Timer> = self.timers.borrow().iter().collect();
        let mut waiting = all.into_iter().filter(|timer| self.wait_of(*timer).is_some());
        let Some(first) = waiting.find(|timer| timer.number == number) else { return false };
        let span_ns = first.deadline_ns - self.now_ns.get().min(first.deadline_ns);
        let mut held = Vec::new();
        self.timers.borrow_mut().change(|timer| {
            if timer.deadline_ns <= first.deadline_ns && timer.number != number {
                held.push(timer);
                timer.deadline_ns + span_ns
            } else {
                timer.deadline_ns
            }
        });
        held.sort_unstable();
        for timer in held {
            let label = self.tasks.borrow()[timer.task.slot()].label;
            let Some(place) = self.wait_of(timer).map(|wait| wait.place) else { continue };
            if let Some(label) = label {
                self.note_stall(label, timer.deadline_ns, span_ns, place);
            }
        }
        true
    }

    /// The wait that `timer` ends, unless it is already over.
    fn wait_of(&self, timer: Timer) -> Option<Wait> {
        let tasks = self.tasks.borrow();
        match &tasks[timer.task.slot()].state {
            State::Blocked(wait) if timer.is_of_a_wait(&tasks) => Some(wait.clone()),
            _ => None,
        }
    }
}
