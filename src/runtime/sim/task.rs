//! Tasks: coroutines, and the stacks they run on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::schedule::Wait;
use super::{Event, Place, Sim};
use crate::runtime::future::Timers;
use crate::runtime::panics::{self, Over};

/// Address space of a task's stack. Pages are touched only as needed: about 4 to 16 KiB each.
pub(super) const STACK_SIZE: usize = 256 * 1024;

/// How many unused stacks the process keeps for the next run.
const SHARED_STACKS_MAX: usize = 1024;

/// A slot in the table of tasks; reused once its task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u32);

impl TaskId {
    pub(super) fn slot(self) -> usize {
        self.0 as usize
    }
}

type Job = Box<dyn FnOnce()>;
pub(super) type TaskYielder = Yielder<(), ()>;
type TaskCoroutine = Coroutine<(), (), (), DefaultStack>;

/// What a task is doing.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// The slot has no task.
    Free,
    /// In the ready set.
    Ready,
    /// The one that has control.
    Running,
    /// Waits.
    Blocked(Wait),
}

/// One task.
pub(super) struct Task {
    pub(super) name: Arc<str>,
    /// The server whose code it runs, where it is under test.
    pub(super) label: Option<u32>,
    pub(super) state: State,
    /// Counts waits, so that a timer can tell whether its wait is still on.
    pub(super) wait_seq: u32,
    /// Whether the last wait was ended by its timer.
    pub(super) timed_out: bool,
    /// A stack is being unwound: points must not switch.
    pub(super) unwinding: bool,
    /// It waits below frames of C code, which cannot be unwound.
    pub(super) foreign_frames: bool,
    /// How often it was told that the run is over.
    pub(super) told: u32,
    /// A waker has been called since the last `park`.
    pub(super) token: bool,
    pub(super) future_timers: Timers,
    /// Lowest address of its stack.
    pub(super) stack_limit: usize,
    /// Counts the slot's tasks, so that a stale waker can be told apart.
    pub(super) generation: u32,
    pub(super) yielder: *const TaskYielder,
    pub(super) coroutine: Option<TaskCoroutine>,
}

impl Task {
    fn free_slot() -> Task {
        Task {
            name: "".into(),
            label: None,
            state: State::Free,
            wait_seq: 0,
            timed_out: false,
            unwinding: false,
            foreign_frames: false,
            told: 0,
            stack_limit: 0,
            token: false,
            future_timers: Timers::new(),
            generation: 0,
            yielder: std::ptr::null(),
            coroutine: None,
        }
    }

    fn occupy(&mut self, name: Arc<str>, label: Option<u32>, coroutine: TaskCoroutine) {
        self.name = name;
        self.label = label;
        self.state = State::Ready;
        self.unwinding = false;
        self.foreign_frames = false;
        self.told = 0;
        self.token = false;
        self.future_timers = Timers::new();
        self.generation += 1;
        self.coroutine = Some(coroutine);
    }
}

impl Sim {
    /// Starts a task; it takes the creator's label.
    pub(in crate::runtime) fn spawn(
        &self,
        name: Arc<str>,
        place: Place,
        job: impl FnOnce() + 'static,
    ) {
        let label = self.label();
        self.add_task(name, label, Box::new(job));
        self.point(Event::Spawn, place);
    }

    #[allow(unsafe_code, reason = "the coroutine refers to the simulation that owns it")]
    pub(super) fn add_task(&self, name: Arc<str>, label: Option<u32>, job: Job) {
        let id = self.take_slot();
        let stack = self.stacks.borrow_mut().take();
        let stack_limit = stack.limit().get();
        let sim: *const Sim = self;
        let coroutine = Coroutine::with_stack(stack, move |yielder: &TaskYielder, ()| {
            // SAFETY: the simulation outlives its coroutines; `run` drops them before it.
            let sim = unsafe { &*sim };
            sim.tasks.borrow_mut()[id.slot()].yielder = yielder;
            sim.run_job(job);
        });
        let mut tasks = self.tasks.borrow_mut();
        let task = &mut tasks[id.slot()];
        task.occupy(name, label, coroutine);
        task.stack_limit = stack_limit;
        drop(tasks);
        self.spawned.set(self.spawned.get() + 1);
        self.live.set(self.live.get() + 1);
        self.ready.borrow_mut().push_back(id);
    }

    /// The root of every task: what escapes from `job` is the run's failure.
    fn run_job(&self, job: Job) {
        if self.ending.get() {
            // The run was over before the task began: its closure is only dropped.
            return drop(job);
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(job))
            && !payload.is::<Over>()
        {
            self.end_with(panics::failure_of(&*payload));
        }
    }

    fn take_slot(&self) -> TaskId {
        if let Some(id) = self.free.borrow_mut().pop() {
            return id;
        }
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Task::free_slot());
        TaskId(u32::try_from(tasks.len() - 1).expect("fewer than 2^32 tasks live at once"))
    }

    /// Gives control to task `id` until it suspends or ends. Called by the root loop alone.
    pub(super) fn resume(&self, id: TaskId) {
        self.current.set(id);
        self.points_since_switch.set(0);
        self.switches.set(self.switches.get() + 1);
        self.mix(Event::Switch);
        let coroutine = {
            let mut tasks = self.tasks.borrow_mut();
            let task = &mut tasks[id.slot()];
            task.state = State::Running;
            self.stack_limit.set(task.stack_limit);
            task.coroutine.take()
        };
        let mut coroutine = coroutine.expect("a task that is resumed has a coroutine");
        match coroutine.resume(()) {
            CoroutineResult::Yield(()) => {
                self.tasks.borrow_mut()[id.slot()].coroutine = Some(coroutine);
            }
            CoroutineResult::Return(()) => {
                self.stacks.borrow_mut().give_back(coroutine.into_stack());
                self.tasks.borrow_mut()[id.slot()].state = State::Free;
                self.free.borrow_mut().push(id);
                self.live.set(self.live.get() - 1);
            }
        }
    }

    /// Suspends the current task to the root loop; returns when it is resumed.
    #[allow(unsafe_code, reason = "the yielder lives on the task's own stack")]
    pub(super) fn suspend(&self) {
        let yielder = self.with_current(|task| task.yielder);
        loop {
            // SAFETY: set by the task itself when it began, and valid as long as its stack is;
            // only the task itself, running on that stack, gets here.
            unsafe { &*yielder }.suspend(());
            if !self.dumping.get() {
                return;
            }
            self.note_backtrace();
        }
    }
}

/// Stacks that no task uses now.
pub(super) struct StackPool {
    stacks: Vec<DefaultStack>,
}

static SHARED: parking_lot::Mutex<Vec<DefaultStack>> = parking_lot::Mutex::new(Vec::new());

impl StackPool {
    /// Takes what earlier runs of this process have left: a new stack costs several microseconds.
    pub(super) fn borrow_shared() -> StackPool {
        let mut shared = SHARED.lock();
        let keep = shared.len() / 2;
        StackPool { stacks: shared.split_off(keep) }
    }

    fn take(&mut self) -> DefaultStack {
        self.stacks.pop().unwrap_or_else(|| {
            DefaultStack::new(STACK_SIZE).expect("the operating system gives address space")
        })
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
