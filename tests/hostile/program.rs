//! A hostile program as data: a tree of tasks, steps and values with destructors.
//!
//! Everything that a task or a value needs later is behind an `Arc`, so that a step can be taken
//! from a reference, and the tasks that it starts can outlive it. A program prints itself as text.

use std::fmt;
use std::sync::Arc;

use raftlab::runtime::RunConfig;

/// Steps that are taken one after the other.
pub(crate) type Body = Vec<Op>;

/// Number of a program's locks; its conditions and channels are counted below.
pub(crate) const LOCKS: usize = 4;
/// Locks from here on are leaves: no other lock is ever taken while one is held.
pub(crate) const LEAF: usize = 2;
pub(crate) const CONDITIONS: usize = 2;
/// Channel `i` has room for none, one, or any number of messages, in turn.
pub(crate) const CHANNELS: usize = 5;

/// What a program may do, which decides what is expected of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Nothing fails before main returns, and all destructors end.
    Calm,
    /// Like `Calm`, but main is certain to panic or fail.
    Failing,
    /// Panics anywhere except in destructors, deadlocks, waits without end, exceeded limits.
    Wild,
    /// Destructors panic too, even while their task unwinds.
    Doomed,
}

/// A program, with the configuration of its run.
pub(crate) struct Program {
    pub temper: Temper,
    pub config: RunConfig,
    pub main: Body,
    /// The value that main returns besides the seed.
    pub result: Option<Arc<Value>>,
}

/// A task to start.
pub(crate) struct Task {
    pub id: u32,
    pub captures: Vec<Arc<Value>>,
    pub body: Body,
    pub result: Option<Arc<Value>>,
}

/// A value with a destructor.
pub(crate) struct Value {
    pub id: u32,
    pub on_drop: Body,
    /// Dropped after its own destructor.
    pub inside: Vec<Arc<Value>>,
}

/// How long an operation on a channel may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    None,
    Ms(u64),
    Endless,
}

/// What a task does with the handle of a task that it spawned.
pub(crate) enum Handle {
    Dropped,
    Joined,
    /// Joined by the destructor of a local value, after these steps.
    JoinedInDrop(Body),
}

/// What a task does with a payload that it caught.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Drop,
    /// Drops it, then checks that waits still wait.
    Probe {
        join: bool,
    },
    Resume,
}

/// The payload of a panic.
pub(crate) enum Payload {
    Text(u32),
    Number(u32),
    Value(u32, Arc<Value>),
}

/// How the future of a `block_on` becomes ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ready {
    AtOnce,
    AfterMs(u64),
    /// Another task calls its waker.
    Woken,
    /// It is dropped after its first poll.
    Cancelled,
}

/// One step.
pub(crate) enum Op {
    Lock {
        lock: usize,
        body: Body,
    },
    TryLock {
        lock: usize,
        body: Body,
    },
    /// Puts a value in a mutex; drops the previous one under the lock.
    Put {
        lock: usize,
        value: Arc<Value>,
    },
    Wait {
        condition: usize,
        ms: Option<u64>,
    },
    Notify {
        condition: usize,
        all: bool,
    },
    Send {
        channel: usize,
        patience: Patience,
        value: Arc<Value>,
    },
    Recv {
        channel: usize,
        patience: Patience,
    },
    Sleep(u64),
    Yield,
    /// Reads the clock and everything else that a task may ask of its run.
    Look,
    Draw,
    Spawn {
        task: Arc<Task>,
        handle: Handle,
    },
    Go(Arc<Task>),
    /// Starts this many tasks that sleep for long.
    Crowd(u32),
    Scope {
        values: Vec<Arc<Value>>,
        body: Body,
    },
    Catch {
        body: Body,
        then: Then,
    },
    Swallow {
        times: u32,
        body: Body,
    },
    Panic(Payload),
    PanicUnlessPanicking(u32),
    Fail(u32),
    BlockOn {
        held: Arc<Value>,
        ready: Ready,
        body: Body,
    },
    SetLocal(Arc<Value>),
    /// Keeps the value in a thread-local, whose destructor runs when the OS thread ends.
    KeepInThread(Arc<Value>),
    UnderTest {
        label: u32,
        body: Body,
    },
    /// Checks that a sleep sleeps, that a wait times out and, if asked, that a task can be joined.
    Probe {
        join: bool,
    },
}

impl Op {
    /// The step's name, without the step's contents.
    fn head(&self) -> String {
        match self {
            Op::Lock { lock, .. } => format!("lock {lock}"),
            Op::TryLock { lock, .. } => format!("try_lock {lock}"),
            Op::Put { lock, .. } => format!("put in lock {lock}"),
            Op::Wait { condition, ms: None } => format!("wait {condition}"),
            Op::Wait { condition, ms: Some(ms) } => format!("wait {condition} for {ms} ms"),
            Op::Notify { condition, all } => format!("notify {condition} all={all}"),
            Op::Send { channel, patience, .. } => format!("send {channel} {patience:?}"),
            Op::Recv { channel, patience } => format!("recv {channel} {patience:?}"),
            Op::Sleep(ms) => format!("sleep {ms} ms"),
            Op::Yield => "yield".to_string(),
            Op::Look => "look at the clock".to_string(),
            Op::Draw => "draw chance".to_string(),
            Op::Spawn { handle: Handle::Dropped, .. } => "spawn".to_string(),
            Op::Spawn { handle: Handle::Joined, .. } => "spawn and join".to_string(),
            Op::Spawn { .. } => "spawn, joined in a destructor after".to_string(),
            Op::Go(_) => "go".to_string(),
            Op::Crowd(tasks) => format!("go {tasks} times"),
            Op::Scope { .. } => "scope".to_string(),
            Op::Catch { then, .. } => format!("catch, then {then:?}"),
            Op::Swallow { times, .. } => format!("swallow everything {times} times"),
            Op::Panic(Payload::Text(id)) => format!("panic with text {id}"),
            Op::Panic(Payload::Number(id)) => format!("panic with number {id}"),
            Op::Panic(Payload::Value(id, _)) => format!("panic {id} with a value"),
            Op::PanicUnlessPanicking(id) => format!("panic {id} unless panicking"),
            Op::Fail(id) => format!("fail {id}"),
            Op::BlockOn { ready, .. } => format!("block_on, ready {ready:?}"),
            Op::SetLocal(_) => "set_local".to_string(),
            Op::KeepInThread(_) => "keep in a thread_local".to_string(),
            Op::UnderTest { label, .. } => format!("under_test {label}"),
            Op::Probe { join } => format!("probe, join={join}"),
        }
    }

    /// The steps, the values and the task that the step contains.
    pub(crate) fn parts(&self) -> (&[Op], &[Arc<Value>], Option<&Arc<Task>>) {
        let one = std::slice::from_ref;
        match self {
            Op::Lock { body, .. }
            | Op::TryLock { body, .. }
            | Op::Catch { body, .. }
            | Op::Swallow { body, .. }
            | Op::UnderTest { body, .. } => (body, &[], None),
            Op::Put { value, .. }
            | Op::Send { value, .. }
            | Op::Panic(Payload::Value(_, value))
            | Op::SetLocal(value)
            | Op::KeepInThread(value) => (&[], one(value), None),
            Op::Spawn { task, handle: Handle::JoinedInDrop(body) } => (body, &[], Some(task)),
            Op::Spawn { task, .. } | Op::Go(task) => (&[], &[], Some(task)),
            Op::Scope { values, body } => (body, values, None),
            Op::BlockOn { held, body, .. } => (body, one(held), None),
            _ => (&[], &[], None),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunConfig { clock, schedule, elapsed_max, seed, .. } = &self.config;
        write!(f, "seed {seed}: {:?}, {clock} clock, {schedule} schedule, ", self.temper)?;
        writeln!(f, "at most {elapsed_max:?}")?;
        write_body(f, &self.main, 1)?;
        if let Some(value) = &self.result {
            writeln!(f, "  return")?;
            write_value(f, value, 2)?;
        }
        Ok(())
    }
}

fn write_body(f: &mut fmt::Formatter<'_>, body: &[Op], depth: usize) -> fmt::Result {
    for op in body {
        writeln!(f, "{:indent$}{}", "", op.head(), indent = depth * 2)?;
        let (steps, values, task) = op.parts();
        for value in values {
            write_value(f, value, depth + 1)?;
        }
        if let Some(task) = task {
            write_task(f, task, depth + 1)?;
        }
        write_body(f, steps, depth + 1)?;
    }
    Ok(())
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &Value, depth: usize) -> fmt::Result {
    writeln!(f, "{:indent$}value {} whose drop does", "", value.id, indent = depth * 2)?;
    write_body(f, &value.on_drop, depth + 1)?;
    value.inside.iter().try_for_each(|inner| write_value(f, inner, depth + 1))
}

fn write_task(f: &mut fmt::Formatter<'_>, task: &Task, depth: usize) -> fmt::Result {
    writeln!(f, "{:indent$}task t{}", "", task.id, indent = depth * 2)?;
    for value in &task.captures {
        writeln!(f, "{:indent$}captures", "", indent = depth * 2 + 2)?;
        write_value(f, value, depth + 2)?;
    }
    write_body(f, &task.body, depth + 1)?;
    if let Some(value) = &task.result {
        writeln!(f, "{:indent$}return", "", indent = depth * 2 + 2)?;
        write_value(f, value, depth + 2)?;
    }
    Ok(())
}
