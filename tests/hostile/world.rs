//! The objects that the tasks and values of a hostile program share, and the notes on its run.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use raftlab::runtime::channel::{self, Receiver, Sender};
use raftlab::runtime::sync::{Condvar, Mutex, Quiet};
use raftlab::runtime::{self, thread};

use crate::program::{CHANNELS, CONDITIONS, LOCKS, Op, Task, Value};
use crate::steps;

/// A panic or failure that the program caused, as the report of its run must name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thrown {
    pub message: String,
    pub task: String,
    /// The mark of code under test; `None` if the panic was resumed, perhaps in other code.
    pub label: Option<Option<u32>>,
}

/// The text of a payload, if it is a text.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
}

/// The report's words for a payload that is no text.
pub(crate) const WITHOUT_TEXT: &str = "a panic without a text";

/// The notes that a run's tasks make for the judge.
#[derive(Default)]
pub(crate) struct World {
    /// The run has been judged: the tasks that are left do nothing any more.
    pub retired: AtomicBool,
    /// Main has returned, or a failure is ending the run: from here on, waits need not wait.
    pub ended: AtomicBool,
    pub thrown: Quiet<Vec<Thrown>>,
    /// What the runtime did wrong.
    pub complaints: Quiet<Vec<String>>,
    /// Wakers that outlive the tasks that they wake.
    pub wakers: Quiet<Vec<Waker>>,
}

/// A payload with a destructor.
pub(crate) struct Loaded(#[allow(dead_code, reason = "it is there for its destructor")] pub Bomb);

impl World {
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    pub(crate) fn complain(&self, text: String) {
        self.complaints.with(|all| all.push(text));
    }

    /// Notes that the caller is about to panic, or to fail, with `message`.
    pub(crate) fn note_throw(&self, message: &str) {
        let (task, label) = (runtime::task_name(), Some(thread::label()));
        self.thrown.with(|all| all.push(Thrown { message: message.to_string(), task, label }));
    }

    /// Notes that the caller is about to resume a panic that it caught.
    pub(crate) fn note_resumed(&self, payload: &(dyn Any + Send)) {
        let message = text_of(payload).unwrap_or_else(|| WITHOUT_TEXT.to_string());
        let task = runtime::task_name();
        self.thrown.with(|all| all.push(Thrown { message, task, label: None }));
    }

    /// Checks that a caught panic is the program's own.
    pub(crate) fn look_at(&self, payload: &(dyn Any + Send)) {
        match text_of(payload) {
            Some(text) => {
                let ours = self.thrown.with(|all| all.iter().any(|one| one.message == text));
                // Outside a run, in a thread-local's destructor, many calls panic.
                if !ours && runtime::in_run() {
                    self.complain(format!("caught a panic that is not the program's: {text}"));
                }
            }
            None if payload.is::<u32>() || payload.is::<Loaded>() => {}
            None => self.end(),
        }
    }
}

/// A mutex that may have a value.
pub(crate) type Lock = Mutex<Option<Bomb>>;

/// A condition, and the mutex that a task releases while it waits.
pub(crate) type Condition = (Mutex<()>, Condvar);

/// Those objects of a program that the holder uses.
#[derive(Clone)]
pub(crate) struct Ctx {
    pub world: Arc<World>,
    pub locks: Vec<Option<Arc<Lock>>>,
    pub conditions: Vec<Option<Arc<Condition>>>,
    pub senders: Vec<Option<Sender<Bomb>>>,
    pub receivers: Vec<Option<Receiver<Bomb>>>,
}

impl Ctx {
    /// Makes all objects, on the clock of the caller's run.
    pub(crate) fn new(world: Arc<World>) -> Ctx {
        let channels = (0..CHANNELS).map(|at| match at % 3 {
            2 => channel::unbounded(),
            capacity => channel::bounded(capacity),
        });
        let (senders, receivers) = channels.map(|(tx, rx)| (Some(tx), Some(rx))).unzip();
        let locks = (0..LOCKS).map(|_| Some(Arc::new(Mutex::new(None)))).collect();
        let conditions = (0..CONDITIONS).map(|_| Some(Arc::default())).collect();
        Ctx { world, locks, conditions, senders, receivers }
    }

    /// Takes the objects that the holder of `uses` needs, so that all others may end without it.
    fn part(&self, uses: &Uses) -> Ctx {
        Ctx {
            world: self.world.clone(),
            locks: part_of(&self.locks, &uses.locks),
            conditions: part_of(&self.conditions, &uses.conditions),
            senders: part_of(&self.senders, &uses.senders),
            receivers: part_of(&self.receivers, &uses.receivers),
        }
    }

    pub(crate) fn for_task(&self, task: &Task) -> Ctx {
        let mut uses = Uses::default();
        uses.task(task);
        self.part(&uses)
    }

    pub(crate) fn bomb(&self, spec: &Arc<Value>) -> Bomb {
        let mut uses = Uses::default();
        uses.body(&spec.on_drop);
        let inside = spec.inside.iter().map(|inner| self.bomb(inner)).collect();
        Bomb { spec: spec.clone(), ctx: self.part(&uses), _inside: inside }
    }
}

fn part_of<T: Clone>(all: &[Option<T>], wanted: &BTreeSet<usize>) -> Vec<Option<T>> {
    let part = |(at, one): (usize, &Option<T>)| one.clone().filter(|_| wanted.contains(&at));
    all.iter().enumerate().map(part).collect()
}

/// A value whose destructor takes steps.
pub(crate) struct Bomb {
    spec: Arc<Value>,
    ctx: Ctx,
    _inside: Vec<Bomb>,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        steps::take(&self.spec.on_drop, &self.ctx);
    }
}

/// The objects that a piece of a program names.
#[derive(Default)]
struct Uses {
    locks: BTreeSet<usize>,
    conditions: BTreeSet<usize>,
    senders: BTreeSet<usize>,
    receivers: BTreeSet<usize>,
}

impl Uses {
    fn body(&mut self, body: &[Op]) {
        for op in body {
            match op {
                Op::Lock { lock, .. } | Op::TryLock { lock, .. } | Op::Put { lock, .. } => {
                    self.locks.insert(*lock);
                }
                Op::Wait { condition, .. } | Op::Notify { condition, .. } => {
                    self.conditions.insert(*condition);
                }
                Op::Send { channel, .. } => {
                    self.senders.insert(*channel);
                }
                Op::Recv { channel, .. } => {
                    self.receivers.insert(*channel);
                }
                _ => {}
            }
            let (steps, values, task) = op.parts();
            self.body(steps);
            values.iter().for_each(|value| self.value(value));
            task.into_iter().for_each(|task| self.task(task));
        }
    }

    fn value(&mut self, value: &Value) {
        self.body(&value.on_drop);
        value.inside.iter().for_each(|inner| self.value(inner));
    }

    fn task(&mut self, task: &Task) {
        self.body(&task.body);
        task.captures.iter().chain(&task.result).for_each(|value| self.value(value));
    }
}
