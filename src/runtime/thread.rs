//! Tasks: the counterpart of threads in an ordinary program.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::sync::{Condvar, Mutex};
use super::time::ns_of;
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
    /// Makes a `T` without the task's result, if `T` is `()`.
    nothing: fn() -> Option<T>,
}

/// Held by a task's closure: notes that the task has ended, by returning or by unwinding.
struct Ending<T>(Arc<Packet<T>>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

impl<T> JoinHandle<T> {
    /// Waits for the task to end and returns its result.
    ///
    /// There is no error: a task that panics ends the whole run, including the joining tasks. A
    /// destructor may join while the run ends: it gets `()` from a task that has no result. If
    /// the result has another type, the joining task ends there.
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
                context::end_task_if_over();
            }
            self.packet.done.wait(&mut result);
        }
    }

    /// Whether the task has returned its result.
    pub fn is_finished(&self) -> bool {
        self.packet.result.lock().is_some()
    }
}

/// Starts a task called `name`.
///
/// # Panics
/// Outside a run: tasks belong to one.
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
    let theirs = Ending(packet.clone());
    let job = move || {
        let value = f();
        *theirs.0.result.lock() = Some(value);
        theirs.0.done.notify_all();
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

/// Returns `()` if `T` is that type.
fn nothing<T: 'static>() -> Option<T> {
    (&mut Some(()) as &mut dyn Any).downcast_mut::<Option<T>>()?.take()
}

/// Starts a short task without a name or a result, cheaply.
///
/// It is a coroutine on the virtual clock and, on the real one, a job on a pool of threads that
/// grows as needed, so the task may block.
///
/// # Panics
/// Outside a run: tasks belong to one.
#[track_caller]
pub fn go(f: impl FnOnce() + Send + 'static) {
    go_boxed(Location::caller(), Box::new(f));
}

/// As [`go`], compiled once.
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

/// The name of a short task: `go`, with its server's number if it runs code under test: `go/2`.
fn go_name(label: Option<u32>) -> Arc<str> {
    thread_local! {
        static NAMES: RefCell<BTreeMap<Option<u32>, Arc<str>>> = const { RefCell::new(BTreeMap::new()) };
    }
    let make = || label.map_or_else(|| "go".into(), |label| format!("go/{label}").into());
    NAMES.with_borrow_mut(|names| names.entry(label).or_insert_with(make).clone())
}

fn real_run() -> (Arc<real::RealRun>, Option<u32>) {
    real::unwind_unless_leaving();
    context::with_real(|task| (task.run.clone(), task.label))
        .expect("tasks are started inside runtime::run, where they are counted and ended")
}

/// Runs `f` with the mark "code under test, belonging to `label`".
///
/// Tasks that `f` starts inherit the mark, and so do the tasks that they start. The schedule stalls
/// only marked tasks, and a panic of a marked task counts as the code's failure rather than as a
/// failed check. The lab labels each server's tasks with the server's number.
pub fn under_test<T>(label: u32, f: impl FnOnce() -> T) -> T {
    with_label(Some(label), f)
}

/// Runs `f` with the mark `label`, or without any: tasks that it starts belong to that server.
///
/// For a network: the caller's task starts the tasks of handlers, but the handlers are the callee's
/// code.
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

/// The mark that the current task carries; see [`under_test`].
pub fn label() -> Option<u32> {
    context::label()
}

/// Sleeps for `span` on the current clock.
#[track_caller]
pub fn sleep(span: Duration) {
    if let Some(sim) = sim::current() {
        return sim.sleep(ns_of(span), Location::caller());
    }
    match context::with_real(|task| task.run.clone()) {
        Some(run) => {
            run.sleep(span);
            real::unwind_if_over();
        }
        None => std::thread::sleep(span),
    }
}

/// Lets other tasks run.
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
