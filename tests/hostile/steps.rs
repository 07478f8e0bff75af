//! Takes the steps of a hostile program on the runtime's public API, as a student's code would.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use rand::RngExt;

use raftlab::runtime::channel::{self, RecvTimeoutError};
use raftlab::runtime::sync::MutexGuard;
use raftlab::runtime::thread::JoinHandle;
use raftlab::runtime::time::Instant;
use raftlab::runtime::{self, FailureKind, thread};

use crate::program::{Handle, Op, Patience, Payload, Ready, Task, Then, Value};
use crate::world::{Bomb, Ctx, Loaded, WITHOUT_TEXT, World};

/// How long a probe waits: long enough to be measured on either clock.
const PROBE: Duration = Duration::from_millis(2);

/// Longer than any program takes.
const LONG: Duration = Duration::from_secs(1000);

thread_local! {
    static KEPT: RefCell<Vec<Bomb>> = const { RefCell::new(Vec::new()) };
}

/// Data of a run, found by its type.
struct Local(#[allow(dead_code, reason = "it is there for its destructor")] Bomb);

/// Takes the steps of `body`, of a task or of a destructor.
pub(crate) fn take(body: &[Op], ctx: &Ctx) {
    for op in body {
        // A thread that its run has given up must not disturb the programs after it.
        if ctx.world.is_retired() {
            return;
        }
        step(op, ctx);
    }
}

fn step(op: &Op, ctx: &Ctx) {
    match op {
        Op::Lock { lock, body } => with_lock(ctx, *lock, |_| take(body, ctx)),
        Op::TryLock { lock, body } => try_lock(ctx, *lock, body),
        Op::Put { lock, value } => {
            let bomb = ctx.bomb(value);
            with_lock(ctx, *lock, |content| **content = Some(bomb));
        }
        Op::Wait { condition, ms } => wait(ctx, *condition, *ms),
        Op::Notify { condition, all } => notify(ctx, *condition, *all),
        Op::Send { channel, patience, value } => send(ctx, *channel, *patience, value),
        Op::Recv { channel, patience } => recv(ctx, *channel, *patience),
        Op::Sleep(ms) => thread::sleep(Duration::from_millis(*ms)),
        Op::Yield => thread::yield_now(),
        Op::Look => look(),
        Op::Draw => {
            let _drawn: u32 = runtime::rand::stream("hostile").random_range(0..100);
        }
        Op::Spawn { task, handle } => spawn(ctx, task, handle),
        Op::Go(task) => thread::go(job(ctx, task, |_| {})),
        Op::Crowd(tasks) => (0..*tasks).for_each(|_| thread::go(|| thread::sleep(LONG))),
        Op::Scope { values, body } => {
            let _held: Vec<Bomb> = values.iter().map(|value| ctx.bomb(value)).collect();
            take(body, ctx);
        }
        Op::Catch { body, then } => catch(ctx, body, *then),
        Op::Swallow { times, body } => (0..*times).for_each(|_| catch(ctx, body, Then::Drop)),
        Op::Panic(payload) => throw(ctx, payload),
        Op::PanicUnlessPanicking(id) => {
            if !std::thread::panicking() {
                throw(ctx, &Payload::Text(*id));
            }
        }
        Op::Fail(id) => fail(ctx, *id),
        Op::BlockOn { held, ready, body } => block_on(ctx, held, *ready, body),
        Op::SetLocal(value) => {
            runtime::set_local(Arc::new(Local(ctx.bomb(value))));
        }
        Op::KeepInThread(value) => {
            let bomb = ctx.bomb(value);
            KEPT.with_borrow_mut(|kept| kept.push(bomb));
        }
        Op::UnderTest { label, body } => thread::under_test(*label, || take(body, ctx)),
        Op::Probe { join } => probe(&ctx.world, *join),
    }
}

fn with_lock(ctx: &Ctx, lock: usize, f: impl FnOnce(&mut MutexGuard<'_, Option<Bomb>>)) {
    let lock = ctx.locks[lock].clone().expect("a holder has what its steps name");
    f(&mut lock.lock());
}

fn try_lock(ctx: &Ctx, lock: usize, body: &[Op]) {
    let lock = ctx.locks[lock].clone().expect("a holder has what its steps name");
    if let Some(_guard) = lock.try_lock() {
        take(body, ctx);
    }
}

fn wait(ctx: &Ctx, condition: usize, ms: Option<u64>) {
    let pair = ctx.conditions[condition].clone().expect("a holder has what its steps name");
    let mut guard = pair.0.lock();
    match ms {
        None => pair.1.wait(&mut guard),
        Some(ms) => {
            pair.1.wait_for(&mut guard, Duration::from_millis(ms));
        }
    }
}

fn notify(ctx: &Ctx, condition: usize, all: bool) {
    let pair = ctx.conditions[condition].clone().expect("a holder has what its steps name");
    if all { pair.1.notify_all() } else { pair.1.notify_one() }
}

/// Sends a value; drops it here if it comes back.
fn send(ctx: &Ctx, channel: usize, patience: Patience, value: &Arc<Value>) {
    let sender = ctx.senders[channel].clone().expect("a holder has what its steps name");
    let bomb = ctx.bomb(value);
    match patience {
        Patience::None => drop(sender.try_send(bomb)),
        Patience::Ms(ms) => drop(sender.send_timeout(bomb, Duration::from_millis(ms))),
        Patience::Endless => drop(sender.send(bomb)),
    }
}

fn recv(ctx: &Ctx, channel: usize, patience: Patience) {
    let receiver = ctx.receivers[channel].clone().expect("a holder has what its steps name");
    match patience {
        Patience::None => drop(receiver.try_recv()),
        Patience::Ms(ms) => drop(receiver.recv_timeout(Duration::from_millis(ms))),
        Patience::Endless => drop(receiver.recv()),
    }
}

fn look() {
    let _seen = (Instant::now(), runtime::time::since_start(), runtime::task_name());
    let _asked = (runtime::seed(), runtime::last_stall(1), runtime::tasks_labelled(1));
    drop(runtime::local::<Local>());
}

/// Marks the run as ended when it is dropped: when main ends, or when a task unwinds to its root.
pub(crate) struct Root(Option<Arc<World>>);

impl Root {
    pub(crate) fn new(world: Arc<World>) -> Root {
        Root(Some(world))
    }

    /// Notes that the task ended without a panic, so the run continues.
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some(world) = &self.0 {
            world.end();
        }
    }
}

/// Makes the closure of a task, which takes the task's steps, then passes the result to `with`.
fn job<R, F: FnOnce(Option<Bomb>) -> R>(
    ctx: &Ctx,
    task: &Arc<Task>,
    with: F,
) -> impl FnOnce() -> R + use<R, F> {
    let (ctx, task) = (ctx.for_task(task), task.clone());
    let captures: Vec<Bomb> = task.captures.iter().map(|value| ctx.bomb(value)).collect();
    move || {
        // By reference, so that the closure keeps the values until it has ended.
        let _captured = &captures;
        let mut root = Root::new(ctx.world.clone());
        take(&task.body, &ctx);
        let result = with(task.result.as_ref().map(|value| ctx.bomb(value)));
        root.disarm();
        result
    }
}

/// Joins a task when it is dropped.
struct Joins<T>(Option<JoinHandle<T>>);

impl<T> Drop for Joins<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            drop(handle.join());
        }
    }
}

/// Spawns a task; tasks with a result have another type than those without.
fn spawn(ctx: &Ctx, task: &Arc<Task>, handle: &Handle) {
    let name = format!("t{}", task.id);
    if task.result.is_some() {
        hold(ctx, thread::spawn(name, job(ctx, task, |result| result)), handle);
    } else {
        hold(ctx, thread::spawn(name, job(ctx, task, |_| {})), handle);
    }
}

fn hold<T>(ctx: &Ctx, task: JoinHandle<T>, handle: &Handle) {
    match handle {
        Handle::Dropped => drop(task),
        Handle::Joined => drop(task.join()),
        Handle::JoinedInDrop(body) => {
            let _joins = Joins(Some(task));
            take(body, ctx);
        }
    }
}

fn catch(ctx: &Ctx, body: &[Op], then: Then) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| take(body, ctx))) else { return };
    ctx.world.look_at(&*payload);
    match then {
        Then::Drop => drop(payload),
        Then::Resume => {
            ctx.world.note_resumed(&*payload);
            resume_unwind(payload)
        }
        Then::Probe { join } => {
            drop(payload);
            probe(&ctx.world, join);
        }
    }
}

fn throw(ctx: &Ctx, payload: &Payload) {
    match payload {
        Payload::Text(id) => {
            let text = format!("panic {id} of the program");
            ctx.world.note_throw(&text);
            panic!("{text}");
        }
        Payload::Number(id) => {
            ctx.world.note_throw(WITHOUT_TEXT);
            panic_any(*id);
        }
        Payload::Value(_, value) => {
            let bomb = ctx.bomb(value);
            ctx.world.note_throw(WITHOUT_TEXT);
            panic_any(Loaded(bomb));
        }
    }
}

fn fail(ctx: &Ctx, id: u32) {
    let message = format!("failure {id} of the program");
    ctx.world.note_throw(&message);
    ctx.world.end();
    runtime::fail(FailureKind::Observer, "Hostile", message)
}

/// Blocks on a future that holds a value, takes steps while it is polled, and may be cancelled.
fn block_on(ctx: &Ctx, held: &Arc<Value>, ready: Ready, body: &[Op]) {
    let held = ctx.bomb(held);
    let future = async move {
        let _held = held;
        take(body, ctx);
        match ready {
            Ready::AtOnce => {}
            Ready::AfterMs(ms) => runtime::time::sleep(Duration::from_millis(ms)).await,
            Ready::Woken => woken(&ctx.world).await,
            Ready::Cancelled => runtime::time::sleep(LONG).await,
        }
    };
    if !matches!(ready, Ready::Cancelled) {
        return runtime::block_on(future);
    }
    runtime::block_on(async {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _first = future.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
    });
}

/// Becomes ready once another task has called the waker, which is kept beyond that.
async fn woken(world: &Arc<World>) {
    let mut asked = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        world.wakers.with(|kept| kept.push(waker.clone()));
        thread::go(move || {
            thread::sleep(PROBE);
            waker.wake();
        });
        Poll::Pending
    })
    .await;
}

/// Complains unless waits wait, as they must until the run has ended.
fn probe(world: &World, join: bool) {
    let begun = Instant::now();
    thread::sleep(PROBE);
    let slept = begun.elapsed();
    let (sender, receiver) = channel::bounded::<u32>(0);
    let received = receiver.recv_timeout(PROBE);
    drop(sender);
    let ended = || world.ended.load(Ordering::SeqCst);
    if ended() {
        return;
    }
    if slept < PROBE {
        world.complain(format!("probe: a sleep of {PROBE:?} took {slept:?}"));
    }
    if received != Err(RecvTimeoutError::Timeout) {
        world.complain(format!("probe: a silent sender's channel returned {received:?}"));
    }
    if join {
        let joined = thread::spawn("probe", || 7).join();
        assert_eq!(joined, 7, "a task that returns 7 was joined");
    }
}
