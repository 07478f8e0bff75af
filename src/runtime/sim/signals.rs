//! Two things that only a signal handler can see: a stack that overflows, and a task that spins.
//!
//! A coroutine's stack ends in a guard page. Touching it would end the process without a word, so
//! a handler for SIGSEGV says which task it was. And a task that never passes a scheduling point
//! cannot be asked who it is, so a signal to its OS thread makes it tell.

#![allow(unsafe_code, reason = "signal handlers")]

use std::fmt::Write as _;
use std::mem::MaybeUninit;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use super::current;
use super::task::STACK_SIZE;

/// How long a spinning OS thread may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What was in force for SIGSEGV before: std's own handler, which knows about OS threads' stacks.
static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(std::ptr::null_mut());

/// The answer of a spinning thread: task, virtual time, and where it is.
static SPINNER: parking_lot::Mutex<Option<Spinner>> = parking_lot::Mutex::new(None);

/// Who spins, and where.
#[derive(Debug, Clone)]
pub(super) struct Spinner {
    pub(super) task: String,
    pub(super) place: String,
    pub(super) at: Duration,
}

/// Installs both handlers, once per process.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = handle(libc::SIGSEGV, on_fault as *const () as usize, libc::SA_ONSTACK);
        PREVIOUS.store(Box::into_raw(Box::new(previous)), Ordering::Release);
        // On the task's own stack: the alternate one is too small for a backtrace.
        handle(libc::SIGUSR2, on_question as *const () as usize, 0);
    });
}

fn handle(signal: libc::c_int, handler: usize, flags: libc::c_int) -> libc::sigaction {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a zeroed sigaction is a valid one; all fields that matter are set below. The
    // handlers have the signature that SA_SIGINFO asks for.
    unsafe {
        let mut new = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_SIGINFO | flags;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(signal, &raw const new, old.as_mut_ptr());
        old.assume_init()
    }
}

/// Names the task whose stack overflowed; leaves every other fault to the previous handler.
extern "C" fn on_fault(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to a SA_SIGINFO handler.
    let address = unsafe { (*info).si_addr() }.addr();
    if let Some(sim) = current()
        && sim.stack_limit.get() <= address
        && address < sim.stack_limit.get() + STACK_SIZE
    {
        let mut text = FixedText::default();
        // Borrowed only if the fault came from the scheduler itself; then there is no name.
        let tasks = sim.tasks.try_borrow();
        let name = tasks.as_ref().map_or("unknown", |tasks| &tasks[sim.current.get().slot()].name);
        let _ = writeln!(
            text,
            "\ntask '{name}' has overflowed its stack of {STACK_SIZE} bytes \
             (seed {}, {:.6} s of virtual time): look for unbounded recursion or large arrays",
            sim.shared.seed,
            Duration::from_nanos(sim.now_ns()).as_secs_f64()
        );
        // SAFETY: writes from a live buffer; write and abort may be called in a handler.
        unsafe {
            libc::write(2, text.bytes.as_ptr().cast(), text.len);
            libc::abort();
        }
    }
    let previous = PREVIOUS.load(Ordering::Acquire);
    // SAFETY: `previous` was made from a Box that is never freed. The fault repeats on return and
    // then reaches the handler that was there before.
    unsafe { libc::sigaction(libc::SIGSEGV, previous, std::ptr::null_mut()) };
}

/// Text without memory from the heap, for a handler.
struct FixedText {
    bytes: [u8; 512],
    len: usize,
}

impl Default for FixedText {
    fn default() -> FixedText {
        FixedText { bytes: [0; 512], len: 0 }
    }
}

impl std::fmt::Write for FixedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.len() - self.len;
        let taken = text.len().min(room);
        self.bytes[self.len..self.len + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.len += taken;
        Ok(())
    }
}

/// CPU time that the OS thread `thread` has used.
pub(super) fn cpu_of(thread: libc::pthread_t) -> Duration {
    let mut clock: libc::clockid_t = 0;
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the caller still holds the thread's join handle, so the id is valid; both calls
    // write to locals.
    unsafe {
        libc::pthread_getcpuclockid(thread, &raw mut clock);
        libc::clock_gettime(clock, &raw mut spec);
    }
    Duration::new(u64::try_from(spec.tv_sec).unwrap_or(0), u32::try_from(spec.tv_nsec).unwrap_or(0))
}

/// Asks the OS thread `thread`, which spins in a simulation, who it is.
pub(super) fn ask(thread: libc::pthread_t) -> Option<Spinner> {
    *SPINNER.lock() = None;
    // SAFETY: the caller still holds the thread's join handle, so the id is valid.
    unsafe { libc::pthread_kill(thread, libc::SIGUSR2) };
    let asked_ns = crate::runtime::context::wall_ns();
    while crate::runtime::context::wall_ns() - asked_ns < super::super::time::ns_of(ANSWER_MAX) {
        if let Some(spinner) = SPINNER.lock().take() {
            return Some(spinner);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Answers [`ask`]. Takes memory, which a handler must not if it interrupted the allocator; a
/// thread that has spun for half a minute without a scheduling point did not stop in there, and
/// if it did, the asker gives up.
extern "C" fn on_question(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let Some(sim) = current() else { return };
    let task = match sim.tasks.try_borrow() {
        Ok(tasks) => tasks[sim.current.get().slot()].name.to_string(),
        Err(_) => return,
    };
    let at = Duration::from_nanos(sim.now_ns());
    let spinner = Spinner { task, place: super::report::callers_line(), at };
    if let Some(mut slot) = SPINNER.try_lock() {
        *slot = Some(spinner);
    }
}
