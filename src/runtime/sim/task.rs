//! Tasks: coroutines, and the stacks they run on.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::schedule::Wait;
use super::{Event, Place, Sim};
use crate::runtime::base::panics::{self, Notes, Over};
use crate::runtime::base::wake_ups::WakeUps;

/// Address space of a task's stack. A task touches only the pages it needs: about 4 to 16 KiB.
pub(super) const STACK_SIZE: usize = 256 * 1024;

/// Maximum number of tasks that a run may still start after it is over.
const SPAWNED_AT_END_MAX: u32 = 100_000;

/// Maximum number of unused stacks that the process keeps for later runs.
const SHARED_STACKS_MAX: usize = 1024;

/// A slot in the table of tasks; reused once its task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u32);

impl TaskId {
    pub(super) fn slot(self) -> usize {
        self.0 as usize
    }
}

pub(super) type Job = Box<dyn FnOnce()>;
pub(super) type TaskYielder = Yielder<(), ()>;
type TaskCoroutine = Coroutine<(), (), (), DefaultStack>;

/// The state of a slot's task.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// The slot has no task.
    Free,
    /// Can run: the task is in the ready set.
    Ready,
    /// Has control; true of one task at most.
    Running,
    /// Waits, or was given up.
    Blocked(Wait),
}

/// One task, or a free slot of the table.
pub(super) struct Task {
    pub(super) name: Arc<str>,
    /// The number of the server whose code the task runs, if that code is under test.
    pub(super) label: Option<u32>,
    /// The label with which the task was started; it may carry another label for a while.
    pub(super) started_for: Option<u32>,
    /// Number of tasks that the run had started before this one.
    pub(super) number: u64,
    /// The place in the source where the task was started.
    pub(super) origin: Place,
    pub(super) state: State,
    /// Counts beginnings and ends of waits, so that a timer can tell whether its wait has ended.
    pub(super) wait_seq: u32,
    /// Whether the last wait has a timer, or had one.
    pub(super) has_timer: bool,
    /// Whether the last wait was ended by its timer or by the end of the run, not by a wake-up.
    pub(super) timed_out: bool,
    /// Whether the task's stack may be in the middle of unwinding; see [`Sim::may_be_unwinding`].
    pub(super) may_unwind: bool,
    /// The run is over and the task only runs destructors: nothing unwinds it any more.
    pub(super) leaving: bool,
    /// Notes of the task's latest panics: a failure names the place of its panic.
    pub(super) panics: Notes,
    /// The task waits in a function that C code has called; frames of C code cannot be unwound.
    pub(super) foreign_frames: bool,
    /// Sum of the weights of the task's actions since the run ended; see `ending.rs`.
    pub(super) weight_at_end: u32,
    /// A waker has been called since the last `park`.
    pub(super) token: bool,
    /// Not dropped when the simulation is: code outside the runtime may have made the wakers.
    pub(super) wake_ups: ManuallyDrop<WakeUps>,
    /// Lowest address of the task's stack.
    pub(super) stack_limit: usize,
    /// Counts the tasks that the slot has had, so that a waker of an earlier one can be recognised.
    pub(super) generation: u32,
    pub(super) yielder: *const TaskYielder,
    /// Never dropped while it is suspended: its frames refer to the simulation and to each other.
    /// A coroutine that does not end is leaked.
    pub(super) coroutine: Option<ManuallyDrop<TaskCoroutine>>,
}

impl Task {
    fn free_slot() -> Task {
        Task {
            name: "".into(),
            label: None,
            started_for: None,
            number: 0,
            origin: Location::caller(),
            state: State::Free,
            wait_seq: 0,
            has_timer: false,
            timed_out: false,
            may_unwind: false,
            leaving: false,
            panics: Notes::default(),
            foreign_frames: false,
            weight_at_end: 0,
            stack_limit: 0,
            token: false,
            wake_ups: ManuallyDrop::new(WakeUps::new()),
            generation: 0,
            yielder: std::ptr::null(),
            coroutine: None,
        }
    }

    /// The name with the server in front, as reports show it: `S2 ticker`. If the name already has
    /// the server's number, the number is removed: `raft2/apply` becomes `S2 raft/apply`.
    pub(super) fn shown_name(&self) -> String {
        let Some(label) = self.label else { return self.name.to_string() };
        let name = self.name.replacen(&format!("{label}/"), "/", 1);
        let name = name.strip_suffix(&format!("/{label}")).unwrap_or(&name);
        format!("S{label} {name}")
    }

    fn occupy(&mut self, start: Start, number: u64, coroutine: TaskCoroutine) {
        self.name = start.name;
        self.label = start.label;
        self.started_for = start.label;
        self.number = number;
        self.origin = start.origin;
        self.state = State::Ready;
        self.may_unwind = false;
        self.leaving = false;
        self.foreign_frames = false;
        self.weight_at_end = 0;
        self.token = false;
        self.generation = self.generation.wrapping_add(1);
        self.coroutine = Some(ManuallyDrop::new(coroutine));
    }
}

/// The identity of a new task.
pub(super) struct Start {
    pub(super) name: Arc<str>,
    pub(super) label: Option<u32>,
    pub(super) origin: Place,
}

impl Sim {
    /// Starts a task; it inherits the label of the current task.
    pub(in crate::runtime) fn spawn(&self, name: Arc<str>, origin: Place, job: Job) {
        let start = Start { name, label: self.label(), origin };
        match self.ending.get() {
            true => self.spawn_at_end(start, job),
            false => self.spawn_in_run(start, job),
        }
        self.point(Event::Spawn, origin);
    }

    fn spawn_in_run(&self, start: Start, job: Job) {
        if self.live.get() >= self.limits.tasks {
            self.fail_too_many_tasks(start.origin);
        }
        if let Err(job) = self.add_task(start, job) {
            self.fail_no_stack(job);
        }
    }

    /// Starts a task that will only drop its closure.
    ///
    /// A chain of destructors that start tasks must end: beyond the limit, closures are leaked.
    fn spawn_at_end(&self, start: Start, job: Job) {
        let spawned = self.spawned_at_end.get() + 1;
        self.spawned_at_end.set(spawned);
        let job = match spawned > SPAWNED_AT_END_MAX || self.live.get() >= self.limits.tasks {
            true => Err(job),
            false => self.add_task(start, job),
        };
        if let Err(job) = job {
            std::mem::forget(job);
            self.forgotten.set(self.forgotten.get() + 1);
        }
    }

    /// Makes `job` a ready task. Returns `job` if there is no memory for a stack.
    #[allow(unsafe_code, reason = "the coroutine refers to the simulation that owns it")]
    pub(super) fn add_task(&self, start: Start, job: Job) -> Result<(), Job> {
        let Some(stack) = self.stacks.borrow_mut().take() else { return Err(job) };
        let id = self.take_slot();
        let stack_limit = stack.limit().get();
        let sim: *const Sim = self;
        let coroutine = Coroutine::with_stack(stack, move |yielder: &TaskYielder, ()| {
            // SAFETY: only `resume` lets a coroutine run, and it borrows the simulation. A
            // coroutine that is suspended when the simulation is dropped is leaked and never runs
            // again.
            let sim = unsafe { &*sim };
            sim.tasks.borrow_mut()[id.slot()].yielder = yielder;
            sim.run_job(job);
        });
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks[id.slot()];
        let number = self.started.get();
        self.started.set(number + 1);
        task.occupy(start, number, coroutine);
        task.stack_limit = stack_limit;
        drop(tasks);
        self.live.set(self.live.get() + 1);
        self.ready.borrow_mut().push_back(id);
        Ok(())
    }

    /// The first function on a task's stack: a panic that escapes from `job` fails the run, unless
    /// that is decided.
    ///
    /// No panic leaves this function, since the scheduler, which resumed the task, catches none.
    fn run_job(&self, job: Job) {
        let caught = catch_unwind(AssertUnwindSafe(|| match self.ending.get() {
            // The run was over before the task began: its closure is only dropped.
            true => {
                self.leave();
                drop(job);
            }
            false => job(),
        }));
        let mut notes = self.with_current(|task| std::mem::take(&mut task.panics));
        if let Err(payload) = &caught
            && !(payload.is::<Over>() && self.ending.get())
            && !self.decided.get()
        {
            self.end_with(panics::failure_of(&**payload, &mut notes, self.here()));
        }
        let wake_ups = self.with_wake_ups(std::mem::take);
        self.leave();
        panics::drop_quietly((caught, wake_ups));
    }

    fn take_slot(&self) -> TaskId {
        if let Some(id) = self.free.borrow_mut().pop() {
            return id;
        }
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Task::free_slot());
        TaskId(u32::try_from(tasks.len() - 1).expect("fewer than 2^32 tasks live at once"))
    }

    /// Gives control to task `id` until it suspends or ends. Called only by the loop in `run_task`.
    pub(super) fn resume(&self, id: TaskId) {
        self.current.set(id);
        self.points_since_switch.set(0);
        self.free_parks.set(0);
        self.switches.set(self.switches.get() + 1);
        self.mix(Event::Switch);
        let coroutine = {
            let mut tasks = self.tasks.borrow_mut();
            let task = &mut tasks[id.slot()];
            task.state = State::Running;
            self.label.set(task.label);
            self.stack_limit.set(task.stack_limit);
            task.coroutine.take()
        };
        let mut coroutine = coroutine.expect("a task that is resumed has a coroutine");
        match coroutine.resume(()) {
            CoroutineResult::Yield(()) => {
                self.tasks.borrow_mut()[id.slot()].coroutine = Some(coroutine);
            }
            CoroutineResult::Return(()) => {
                let coroutine = ManuallyDrop::into_inner(coroutine);
                self.stacks.borrow_mut().give_back(coroutine.into_stack());
                self.tasks.borrow_mut()[id.slot()].state = State::Free;
                self.free.borrow_mut().push(id);
                self.live.set(self.live.get() - 1);
            }
        }
    }

    /// Suspends the current task: the root loop continues. Returns when the task is resumed.
    #[allow(unsafe_code, reason = "the yielder lives on the task's own stack")]
    pub(super) fn suspend(&self) {
        let unwinds = self.may_be_unwinding();
        let yielder = self.with_current(|task| {
            task.may_unwind = unwinds;
            task.yielder
        });
        let count = &self.unwinding_suspended;
        count.set(count.get() + u32::from(unwinds));
        loop {
            // SAFETY: the task itself set the yielder when it began, and the yielder is valid as
            // long as the task's stack is. Only the task itself, on that stack, runs this line.
            unsafe { &*yielder }.suspend(());
            if !self.dumping.get() {
                break;
            }
            self.note_backtrace();
        }
        count.set(count.get() - u32::from(unwinds));
    }
}

/// Stacks that no task uses now.
pub(super) struct StackPool {
    stacks: Vec<DefaultStack>,
}

static SHARED: parking_lot::Mutex<Vec<DefaultStack>> = parking_lot::Mutex::new(Vec::new());

impl StackPool {
    /// Takes half of the stacks that earlier runs of this process have left.
    ///
    /// A new stack costs several microseconds.
    pub(super) fn borrow_shared() -> StackPool {
        let mut shared = SHARED.lock();
        let keep = shared.len() / 2;
        StackPool { stacks: shared.split_off(keep) }
    }

    /// Takes a stack, or makes one. `None` if the operating system gives no memory.
    fn take(&mut self) -> Option<DefaultStack> {
        self.stacks.pop().or_else(|| DefaultStack::new(STACK_SIZE).ok())
    }

    fn give_back(&mut self, stack: DefaultStack) {
        self.stacks.push(stack);
    }
}

impl Drop for StackPool {
    fn drop(&mut self) {
        let mut shared = SHARED.lock();
        let room = SHARED_STACKS_MAX.saturating_sub(shared.len());
        shared.extend(self.stacks.drain(..).take(room));
    }
}
