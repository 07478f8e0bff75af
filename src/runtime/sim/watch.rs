//! Watches a simulation from outside, to find one that has halted.
//!
//! A task that passes no scheduling point cannot be stopped from inside: it spins, or it waits for
//! the machine. The caller's thread looks once a second. If the system tells the CPU time of
//! another thread, the watch can distinguish the two cases; otherwise it knows only that no point
//! has passed. It counts looks, not wall time, since a suspended machine does not look.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::report::{NO_LINE, callers_line};
use super::task::STACK_SIZE;
use crate::runtime::base::aborts;
use crate::runtime::base::here::Here;
use crate::runtime::base::kept::Choices;
use crate::runtime::base::outcome::{Failure, FailureKind, Outcome, SchedulerNotes};
use crate::runtime::platform::{Halted, Watched};

/// Interval at which the caller checks whether the simulation makes progress.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// A simulation that uses more CPU time than this without progress spins, and is given up.
const SPIN_MAX: Duration = Duration::from_secs(5);

/// Number of looks after which a simulation is given up that neither progresses nor uses a CPU.
const LOOKS_MAX: u32 = 60;

/// Maximum CPU time over [`LOOKS_MAX`] looks that does not count as use of the processor.
const IDLE_MAX: Duration = Duration::from_millis(100);

/// The state that a simulation's OS thread and the watching thread share.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    latest: AtomicU64,
    given_up: AtomicBool,
}

impl Heartbeat {
    /// Records progress of the simulation: `points`, or another number that grows with them.
    ///
    /// Does not return once the simulation was given up: its caller has an outcome and has
    /// continued.
    pub(super) fn beat(&self, points: u64) {
        self.latest.store(points, Ordering::Relaxed);
        if self.given_up.load(Ordering::Relaxed) {
            // The thread leaves the simulation, so that no guard objects to the wait.
            super::forget_current();
            aborts::park_for_good()
        }
    }

    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Relaxed)
    }

    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// How a simulation has halted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// It uses the processor, but passes no scheduling point.
    Spins,
    /// It does not use the processor: the task that has control waits for the machine.
    Blocked,
    /// It spins or is blocked; the system does not tell which.
    Standstill,
}

/// The results of the looks so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Scheduling points passed, or a number that grows with them.
    beat: u64,
    cpu_at_beat: Option<Duration>,
    /// CPU time at the latest look.
    cpu: Option<Duration>,
    /// Number of looks since the last beat, or since the thread last used the processor.
    looks: u32,
    cpu_at_use: Option<Duration>,
}

impl Watch {
    /// Evaluates one look; `cpu` is the CPU time of the simulation's thread, if known.
    pub(super) fn look(&mut self, beat: u64, cpu: Option<Duration>) -> Option<Halt> {
        if beat != self.beat {
            *self = Watch { beat, cpu_at_beat: cpu, cpu, looks: 0, cpu_at_use: cpu };
            return None;
        }
        self.cpu = cpu;
        self.looks += 1;
        let Some(cpu) = cpu else {
            return (self.looks >= LOOKS_MAX).then_some(Halt::Standstill);
        };
        if cpu.saturating_sub(self.cpu_at_beat.unwrap_or_default()) > SPIN_MAX {
            return Some(Halt::Spins);
        }
        if cpu.saturating_sub(self.cpu_at_use.unwrap_or_default()) > IDLE_MAX {
            (self.looks, self.cpu_at_use) = (0, Some(cpu));
        }
        (self.looks >= LOOKS_MAX).then_some(Halt::Blocked)
    }

    /// Makes the outcome of a simulation that has halted. Its OS thread is left behind.
    pub(super) fn give_up<T>(&self, halt: Halt, thread: Option<&Watched>) -> Outcome<T> {
        self.outcome(halt, thread.and_then(ask))
    }

    fn outcome<T>(&self, halt: Halt, halted: Option<Halted>) -> Outcome<T> {
        let points = self.beat;
        let (kind, name, what) = match halt {
            Halt::Spins => (
                FailureKind::Livelock,
                "spin",
                format!("a task has used {SPIN_MAX:?} of CPU time without a scheduling point"),
            ),
            Halt::Blocked => (
                FailureKind::Deadlock,
                "blocked",
                "a task waits outside the runtime, for instance for a foreign lock, a pipe or \
                 input, which stops the whole simulation"
                    .to_string(),
            ),
            Halt::Standstill => (
                FailureKind::Livelock,
                "standstill",
                format!("no scheduling point has passed in {LOOKS_MAX} looks, one per second"),
            ),
        };
        let message = format!(
            "{what} (the last one was number {points} or later): wait on a condition, a channel or \
             a sleep of raftlab::runtime instead"
        );
        let unknown = Halted { task: "unknown".into(), place: NO_LINE.into(), at: Duration::ZERO };
        let Halted { task, place, at } = halted.unwrap_or(unknown);
        let failure = Here { task, label: None, at }.failure(kind, name, message);
        let failure = Failure { place, ..failure };
        Outcome {
            result: Err(failure),
            hash: 0,
            elapsed: Duration::ZERO,
            cpu: self.cpu.unwrap_or_default(),
            points,
            switches: 0,
            tasks_left: 1,
            thread_left: true,
            notes: SchedulerNotes::default(),
            choices: Choices::default(),
        }
    }
}

/// Number of times that a thread is asked for its line.
const ASKS_MAX: u32 = 20;

/// Asks `thread` until it knows its line. An optimized loop has instructions that belong to no
/// line, and a task that spins is at another one the next time.
fn ask(thread: &Watched) -> Option<Halted> {
    let mut halted = thread.ask()?;
    for _ in 1..ASKS_MAX {
        if halted.place != NO_LINE {
            break;
        }
        let Some(again) = thread.ask() else { break };
        halted = again;
    }
    Some(halted)
}

/// Bytes of a task's stack that must be free for a backtrace.
const BACKTRACE_ROOM: usize = 96 * 1024;

/// The task that has control of the calling OS thread, and where. Called in a signal handler.
pub(super) fn halted_here() -> Option<Halted> {
    let sim = super::current()?;
    let task = sim.tasks.try_borrow().ok()?[sim.current.get().slot()].name.to_string();
    let here = (&raw const task).addr();
    let limit = sim.stack_limit.get();
    let room = here.checked_sub(limit).filter(|room| *room < STACK_SIZE).unwrap_or(STACK_SIZE);
    let place = match room < BACKTRACE_ROOM {
        true => "unknown: its stack is too full for a backtrace".to_string(),
        false => callers_line(),
    };
    Some(Halted { task, place, at: Duration::from_nanos(sim.now_ns()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of the look that finds a halt, and the halt. `cpu_ms` has the CPU time at each
    /// look; the beat does not change.
    fn found(cpu_ms: impl Iterator<Item = Option<u64>>) -> Option<(usize, Halt)> {
        let mut watch = Watch::default();
        let cpu = cpu_ms.map(|ms| ms.map(Duration::from_millis));
        cpu.enumerate().find_map(|(look, cpu)| Some((look + 1, watch.look(0, cpu)?)))
    }

    #[test]
    fn a_thread_that_uses_the_processor_spins() {
        assert_eq!(found((1..100).map(|look| Some(look * 1000))), Some((6, Halt::Spins)));
        // A busy machine gives it only a twentieth of a processor.
        assert_eq!(found((1..1000).map(|look| Some(look * 50))), Some((101, Halt::Spins)));
    }

    #[test]
    fn a_thread_that_does_not_is_blocked() {
        assert_eq!(found((1..100).map(|_| Some(20))), Some((60, Halt::Blocked)));
        // It computed for a while first.
        let cpu = (1..200).map(|look| Some(if look < 4 { look * 1000 } else { 3000 }));
        assert_eq!(found(cpu), Some((63, Halt::Blocked)));
    }

    #[test]
    fn where_cpu_time_is_unknown_the_looks_are_counted() {
        assert_eq!(found((1..100).map(|_| None)), Some((60, Halt::Standstill)));
    }

    #[test]
    fn a_simulation_that_gets_on_is_left_alone() {
        for cpu in [None, Some(0), Some(20_000)] {
            let mut watch = Watch::default();
            let cpu_at = |look| cpu.map(|ms| Duration::from_millis(ms * look));
            assert!((1..1000).all(|look| watch.look(look / 30, cpu_at(look / 150)).is_none()));
        }
    }
}
