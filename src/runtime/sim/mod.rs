//! The virtual clock: every task is a coroutine on one OS thread, and the seed chooses which runs.
//!
//! The one idea: a task gives up control only at a *scheduling point* (lock, unlock, wait, notify,
//! send, receive, spawn, sleep, reading the clock), and there the scheduler, not the operating
//! system, decides which task runs next. Time is a number. When no task can run, the time jumps to
//! the next timer. Each point also adds a small amount, so that time moves in a spinning loop, too,
//! and the loop reaches a limit.
//!
//! ```text
//! task ──point──► charge, hash, due timers ──► stall? preempt? ──► continue
//!      ──block──► wait list, timer ──► pick a ready task ──► suspend to the root loop
//!                                      none? move the clock   which resumes the picked one
//!                                      no timer? deadlock
//! ```
//!
//! The suspending task picks its successor; if it picks itself, there is no switch. Locks and other
//! objects carry almost no scheduler state: the simulation keeps their wait lists, by address.
//!
//! Files: [`task`] (coroutines and their stacks), [`schedule`] (ready set, clock, wait lists),
//! [`explore`] (preemption and stalls), [`turns`] (which timer goes first), [`chan`] and [`park`]
//! (channels, wakers), [`ending`] (how a run ends), [`limits`] (how many tasks, how large a stack),
//! [`report`] (which task waits for what), [`run`] and [`watch`] (the simulation's OS thread),
//! [`trace`] (the events for an audit), [`guard`] (foreign clocks, waits and threads).

mod chan;
mod ending;
mod explore;
#[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
pub(super) mod guard;
mod limits;
mod park;
mod report;
mod run;
mod schedule;
mod task;
mod trace;
mod turns;
mod watch;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::base::chance::Chance;
use super::base::instant::ns_of;
use super::base::outcome::{Failure, RunConfig, SchedulerNotes};
use super::base::shared::Shared;
use super::base::wake_ups::WakeUps;
use ending::HandOver;
use explore::{Explorer, Stalled};
use schedule::{Timers, WaitLists};
use task::{StackPool, Task, TaskId};
use trace::Traced;
use turns::Ahead;
use watch::Heartbeat;

pub(super) use chan::{SimReceiver, SimSender, channel};
pub(super) use park::SimParker;
pub(super) use report::Holder;
pub(super) use run::{run, run_traced};
pub(super) use schedule::{WaitKind, Woken};
pub(super) use trace::Trace;

/// A place in the source.
pub(super) type Place = &'static Location<'static>;

/// Virtual time charged for each scheduling point.
const POINT_COST_NS: u64 = 200;

/// No clock moves beyond this, so that adding a span to a time cannot overflow. A wait beyond it
/// lasts for ever.
const END_OF_TIME_NS: u64 = u64::MAX / 2;

/// The operation at a scheduling point; part of the hash and of a site's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Event {
    Lock = 1,
    Unlock,
    Wait,
    Notify,
    Send,
    Recv,
    Spawn,
    Sleep,
    Now,
    Yield,
    Switch,
    Block,
    Clock,
}

/// One simulation. Lives on the stack of its OS thread; tasks find it through a thread-local.
pub(super) struct Sim {
    pub(super) id: u32,
    pub(super) shared: Shared,
    // Used at every point.
    now_ns: Cell<u64>,
    points: Cell<u64>,
    switches: Cell<u64>,
    hash: Cell<u64>,
    current: Cell<TaskId>,
    /// The current task's label, which is also in the table of tasks.
    label: Cell<Option<u32>>,
    /// The time at which a point must check the timers (or the limits).
    alarm_ns: Cell<u64>,
    points_since_switch: Cell<u32>,
    explorer: RefCell<Explorer>,
    ahead: Ahead,
    // Used at every switch.
    tasks: RefCell<Vec<Task>>,
    free: RefCell<Vec<TaskId>>,
    ready: RefCell<std::collections::VecDeque<TaskId>>,
    next: Cell<Option<TaskId>>,
    timers: RefCell<Timers>,
    waits: RefCell<WaitLists>,
    stacks: RefCell<StackPool>,
    live: Cell<u32>,
    /// Number of tasks started so far.
    started: Cell<u64>,
    // Used at the end.
    /// Sum of all tasks' weights since the end; see `ending.rs`.
    weight_at_end: Cell<u64>,
    ending: Cell<bool>,
    /// The run has done its work: no panic of a task fails it.
    decided: Cell<bool>,
    /// When the run ended, in virtual time.
    ended_ns: Cell<u64>,
    /// Tasks that were started since the end.
    spawned_at_end: Cell<u32>,
    /// Tasks that were started since the end and whose closures were leaked.
    forgotten: Cell<u32>,
    /// Suspended tasks whose stacks may be in the middle of unwinding.
    unwinding_suspended: Cell<u32>,
    /// Gives the run's outcome to the caller if this OS thread will not return.
    hand_over: Cell<Option<HandOver>>,
    dumping: Cell<bool>,
    failure: RefCell<Option<Failure>>,
    /// Filled only in a run with a record.
    notes: RefCell<SchedulerNotes>,
    stalled: RefCell<BTreeMap<u32, Stalled>>,
    /// Lowest address of the current task's stack, for the handler of faults.
    stack_limit: Cell<usize>,
    /// Readings of a foreign clock since the last scheduling point.
    foreign_looks: Cell<u32>,
    /// Number of parks, since the last switch, that did not have to wait.
    free_parks: Cell<u32>,
    /// Whether the current task is in the panic hook, where it must keep control: std would take
    /// another task's panic for a panic of the hook.
    in_hook: Cell<bool>,
    /// The source of random numbers for foreign callers.
    #[cfg_attr(
        not(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static"))),
        allow(dead_code, reason = "only the guard hands it out")
    )]
    foreign_chance: RefCell<Chance>,
    /// Every event, if an audit asks for them.
    trace: Option<RefCell<Trace>>,
    limits: Limits,
    heartbeat: Arc<Heartbeat>,
}

struct Limits {
    elapsed_ns: u64,
    points: u64,
    tasks: u32,
}

thread_local! {
    static CURRENT: Cell<*const Sim> = const { Cell::new(std::ptr::null()) };
}

/// Returns the simulation that the calling OS thread runs, if it runs one.
#[inline]
#[allow(unsafe_code, reason = "the thread-local holds a pointer to the run's stack")]
pub(super) fn current<'a>() -> Option<&'a Sim> {
    let sim = CURRENT.with(Cell::get);
    // SAFETY: `Entered` sets the pointer only while the simulation lives, and only code that runs
    // inside it, on the same OS thread, sees it.
    unsafe { sim.as_ref() }
}

/// Marks the OS thread as running `sim`, until dropped.
struct Entered;

impl Entered {
    fn new(sim: &Sim) -> Entered {
        CURRENT.with(|current| current.set(sim));
        Entered
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        forget_current();
    }
}

/// Records that the OS thread runs no simulation any more.
fn forget_current() {
    CURRENT.with(|current| current.set(std::ptr::null()));
}

impl Sim {
    fn new(config: &RunConfig, heartbeat: Arc<Heartbeat>) -> Sim {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        // 24 bits, since a waker packs the id into one word; never 0.
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed) % 0x00ff_ffff + 1;
        let limits = Limits {
            elapsed_ns: ns_of(config.elapsed_max).min(END_OF_TIME_NS),
            points: config.points_max,
            tasks: config.tasks_max,
        };
        Sim {
            id: u32::try_from(id).expect("24 bits fit 32"),
            shared: Shared::new(config.seed, config.record),
            now_ns: Cell::new(0),
            points: Cell::new(0),
            switches: Cell::new(0),
            hash: Cell::new(config.seed ^ 0x9e37_79b9_7f4a_7c15),
            current: Cell::new(TaskId(0)),
            label: Cell::new(None),
            alarm_ns: Cell::new(limits.elapsed_ns),
            points_since_switch: Cell::new(0),
            explorer: RefCell::new(Explorer::new(config)),
            ahead: Ahead::new(config),
            tasks: RefCell::default(),
            free: RefCell::default(),
            ready: RefCell::default(),
            next: Cell::new(None),
            timers: RefCell::default(),
            waits: RefCell::default(),
            stacks: RefCell::new(StackPool::borrow_shared()),
            live: Cell::new(0),
            started: Cell::new(0),
            weight_at_end: Cell::new(0),
            ending: Cell::new(false),
            decided: Cell::new(false),
            ended_ns: Cell::new(0),
            spawned_at_end: Cell::new(0),
            forgotten: Cell::new(0),
            unwinding_suspended: Cell::new(0),
            hand_over: Cell::new(None),
            dumping: Cell::new(false),
            failure: RefCell::default(),
            notes: RefCell::default(),
            stalled: RefCell::default(),
            stack_limit: Cell::new(0),
            foreign_looks: Cell::new(0),
            free_parks: Cell::new(0),
            in_hook: Cell::new(false),
            foreign_chance: RefCell::new(Chance::new(config.seed, "runtime/foreign")),
            trace: None,
            limits,
            heartbeat,
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    /// Passes a scheduling point: charges time, wakes due tasks, and may let other tasks run.
    #[inline]
    pub(super) fn point(&self, event: Event, place: Place) {
        if self.ending.get() {
            return self.point_at_end();
        }
        self.points.set(self.points.get() + 1);
        self.foreign_looks.set(0);
        self.now_ns.set(self.now_ns.get() + POINT_COST_NS);
        self.mix_at(event, Some(place));
        if self.now_ns.get() >= self.alarm_ns.get() {
            self.alarm();
            self.unwind_if_over();
        }
        match (self.in_hook.get(), self.may_be_unwinding()) {
            (true, _) => {}
            // A panicking task lets others run only after a long turn, so that its failure is the
            // run's first.
            (false, true) => self.end_long_turn(),
            (false, false) => self.explore(event, place),
        }
    }

    /// Adds (virtual time, task, event) to the rolling hash.
    #[inline]
    fn mix(&self, event: Event) {
        self.mix_at(event, None);
    }

    #[inline]
    fn mix_at(&self, event: Event, place: Option<Place>) {
        let word =
            self.now_ns.get() ^ (u64::from(self.current.get().0) << 40) ^ ((event as u64) << 56);
        let hash = (self.hash.get().rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        self.hash.set(hash);
        if let Some(trace) = &self.trace {
            let (at_ns, task) = (self.now_ns.get(), self.current.get().0);
            trace.borrow_mut().push(Traced { at_ns, task, what: event, place });
        }
    }

    pub(super) fn task_name(&self) -> Arc<str> {
        self.with_current(|task| task.name.clone())
    }

    pub(super) fn label(&self) -> Option<u32> {
        self.label.get()
    }

    pub(super) fn set_label(&self, label: Option<u32>) -> Option<u32> {
        self.with_current(|task| task.label = label);
        self.label.replace(label)
    }

    /// Number of tasks started so far.
    pub(super) fn tasks_started(&self) -> u64 {
        self.started.get()
    }

    pub(super) fn with_wake_ups<R>(&self, f: impl FnOnce(&mut WakeUps) -> R) -> R {
        self.with_current(|task| f(&mut task.wake_ups))
    }

    /// When the last stall of a task labelled `label` ends, in nanoseconds since the start.
    pub(super) fn last_stall_ns(&self, label: u32) -> Option<u64> {
        self.stalled.borrow().get(&label).map(|stalled| stalled.until_ns)
    }

    /// Total time so far in which tasks with the current task's label were stalled.
    pub(super) fn stalled_ns(&self) -> u64 {
        let stalled = |label| self.stalled.borrow().get(&label).copied();
        self.label().and_then(stalled).unwrap_or_default().total_by(self.now_ns.get())
    }

    /// The names of the live tasks that carry `label`.
    pub(super) fn tasks_labelled(&self, label: u32) -> Vec<Arc<str>> {
        let tasks = self.tasks.borrow();
        let there = tasks.iter().filter(|task| !matches!(task.state, task::State::Free));
        there.filter(|task| task.label == Some(label)).map(|task| task.name.clone()).collect()
    }

    fn with_current<R>(&self, f: impl FnOnce(&mut Task) -> R) -> R {
        f(&mut self.tasks.borrow_mut()[self.current.get().slot()])
    }
}
