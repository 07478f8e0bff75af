//! Tasks, which are to a run what threads are to a program: starting, joining, labels and sleep.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::base::instant::ns_of;
use super::sync::{Condvar, Mutex};
use super::{context, real, sim};

/// A task whose result can be waited for.
pub struct JoinHandle<T> {
    packet: Arc<Packet<T>>,
}

struct Packet<T> {
    result: Mutex<Option<T>>,
    done: Condvar,
    /// Set when the task has ended, with a result or without.
    ended: AtomicBool,
    /// Returns the result of a task that left none: `()` if `T` is that type, otherwise `None`.
    nothing: fn() -> Option<T>,
}

/// Part of a task's closure. Its destructor records that the task has returned or was unwound.
struct Ending<T>(Arc<Packet<T>>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

impl<T> JoinHandle<T> {
    /// Waits for the task to end and returns its result.
    ///
    /// `join` has no error: a task that panics ends the whole run, including the tasks that wait
    /// for it. While the run ends, a destructor may join a task that left no result. `join` then
    /// returns `()` if `T` is that type; otherwise the joining task ends at that call.
    #[track_caller]
    pub fn join(self) -> T {
        let mut result = self.packet.result.lock();
        loop {
            if let Some(value) = result.take() {
                return value;
            }
            if self.packet.ended.load(Ordering::Acquire) {
                if let Some(nothing) = (self.packet.nothing)() {
                    return nothing;
                }
                end_task_if_over();
            }
            self.packet.done.wait(&mut result);
        }
    }

    /// Whether the task has returned its result.
    pub fn is_finished(&self) -> bool {
        self.packet.result.lock().is_some()
    }
}

/// Ends the current task if its run is over, because the result it waits for will not come.
fn end_task_if_over() {
    match sim::current() {
        Some(sim) => sim.end_task_if_over(),
        None => real::end_task_if_over(),
    }
}

/// Starts a task called `name`.
///
/// # Panics
/// Outside a run: every task belongs to a run.
#[track_caller]
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    f: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let packet = Arc::new(Packet {
        result: Mutex::new(None),
        done: Condvar::new(),
        ended: AtomicBool::new(false),
        nothing,
    });
    let ending = Ending(packet.clone());
    let job = move || {
        let value = f();
        *ending.0.result.lock() = Some(value);
        ending.0.done.notify_all();
    };
    let name: Arc<str> = name.into().into();
    start(name, Location::caller(), Box::new(job));
    JoinHandle { packet }
}

/// Starts `job` as a task. The caller boxes the job, so that the code behind this call is compiled
/// once and not for each closure.
fn start(name: Arc<str>, origin: &'static Location<'static>, job: Box<dyn FnOnce() + Send>) {
    match sim::current() {
        Some(sim) => sim.spawn(name, origin, job),
        None => {
            let (run, label) = real_run();
            run.spawn(name, label, job);
        }
    }
}

/// Returns `Some(())` if `T` is `()`, otherwise `None`.
fn nothing<T: 'static>() -> Option<T> {
    (&mut Some(()) as &mut dyn Any).downcast_mut::<Option<T>>()?.take()
}

/// Starts a short task without a name or a result, cheaply.
///
/// On the virtual clock, the task is a coroutine. On the real clock, a pool of threads runs it; the
/// pool grows as needed, so the task may block.
///
/// # Panics
/// Outside a run: every task belongs to a run.
#[track_caller]
pub fn go(f: impl FnOnce() + Send + 'static) {
    go_boxed(Location::caller(), Box::new(f));
}

/// Starts a boxed closure as [`go`] does. The code here is compiled once, not for each closure.
fn go_boxed(origin: &'static Location<'static>, job: Box<dyn FnOnce() + Send>) {
    let name = go_name(context::label());
    match sim::current() {
        Some(sim) => sim.spawn(name, origin, job),
        None => {
            let (run, label) = real_run();
            run.go(name, label, job);
        }
    }
}

/// The name of a short task: `go`, or for instance `go/2` if the task has the label 2.
fn go_name(label: Option<u32>) -> Arc<str> {
    thread_local! {
        static NAMES: RefCell<BTreeMap<Option<u32>, Arc<str>>> = const { RefCell::new(BTreeMap::new()) };
    }
    let make = || label.map_or_else(|| "go".into(), |label| format!("go/{label}").into());
    NAMES.with_borrow_mut(|names| names.entry(label).or_insert_with(make).clone())
}

fn real_run() -> (Arc<real::RealRun>, Option<u32>) {
    real::unwind_unless_leaving();
    real::with_task(|task| (task.run.clone(), task.label))
        .expect("tasks are started inside runtime::run, where they are counted and ended")
}

/// Runs `f` as code under test: meanwhile the current task has the label `label`.
///
/// Tasks that `f` starts inherit the label, and so do the tasks that those start. The schedule
/// stalls only labelled tasks. A panic of a labelled task counts as a failure of the code under
/// test, not as a failed check. The lab labels each server's tasks with the server's number.
pub fn under_test<T>(label: u32, f: impl FnOnce() -> T) -> T {
    with_label(Some(label), f)
}

/// Runs `f` while the current task has the label `label`, or has no label if that is `None`.
///
/// For a network: the task of the caller starts the task of the handler, but the handler is code of
/// the callee, so it gets the callee's label.
pub fn with_label<T>(label: Option<u32>, f: impl FnOnce() -> T) -> T {
    struct Restore(Option<u32>);
    impl Drop for Restore {
        fn drop(&mut self) {
            context::set_label(self.0);
        }
    }
    let _restore = Restore(context::set_label(label));
    f()
}

/// The label of the current task; see [`under_test`].
pub fn label() -> Option<u32> {
    context::label()
}

/// Sleeps for `span` on the clock of the current run; outside a run, in wall time.
#[track_caller]
pub fn sleep(span: Duration) {
    if let Some(sim) = sim::current() {
        return sim.sleep(ns_of(span), Location::caller());
    }
    match real::with_task(|task| task.run.clone()) {
        Some(run) => {
            run.sleep(span);
            real::unwind_if_over();
        }
        None => std::thread::sleep(span),
    }
}

/// Lets the other tasks end by themselves, for at most `span`, after the run has done its work: a
/// panic of theirs is no failure of the run any more. That costs less than to unwind them. On the
/// real clock it returns at once.
#[track_caller]
pub(crate) fn let_others_end(span: Duration) {
    if let Some(sim) = sim::current() {
        sim.decide();
        sim.sleep(ns_of(span), Location::caller());
    }
}

/// Lets other tasks run; the current task stays ready and may be the next one itself.
#[track_caller]
pub fn yield_now() {
    match sim::current() {
        Some(sim) => sim.yield_now(Location::caller()),
        None => {
            std::thread::yield_now();
            real::unwind_unless_leaving();
        }
    }
}
