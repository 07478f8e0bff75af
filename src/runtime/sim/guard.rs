//! The guard: catches foreign clocks, random numbers, waits and threads inside a simulation.
//!
//! A run is a function of its seed only if its code asks the machine for nothing: no time, no
//! random numbers, no threads. So an executable that says [`guard!`](crate::guard) defines the few
//! functions of libc through which Rust's std (and most crates) asks. A definition in the
//! executable takes precedence over libc's. Each definition calls the function of the same name in
//! this file. Outside a simulation these functions pass every call on to libc.
//!
//! | call inside a simulation | result |
//! | --- | --- |
//! | `clock_gettime` | virtual time; no scheduling point, no random draw |
//! | `getrandom` | numbers from a separate stream of the seed |
//! | `clock_nanosleep`, `nanosleep` | a sleep in virtual time |
//! | `syscall(SYS_futex, WAIT)` | a failure that names the task, instead of a hang |
//! | `pthread_create` | a failure that names the task |
//!
//! A failure here must not unwind, because frames of foreign code are on the stack. Instead, the
//! task is given up, its stack is leaked, and the run ends without it.
//!
//! Each function has the contract of the libc function that it replaces, and its only caller is
//! the definition that the macro makes.

#![allow(unsafe_code, reason = "replaces functions of libc, and calls the real ones")]
#![allow(clippy::missing_safety_doc, reason = "the contract of each is libc's")]

pub use libc;
use std::cell::Cell;
use std::ffi::{CStr, c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Sim, current};
use crate::runtime::base::outcome::{Failure, FailureKind};

/// The wall clock's time when a simulation begins: 2026-01-01T00:00:00Z.
const WALL_EPOCH_S: u64 = 1_767_225_600;

/// Number of readings of a foreign clock, between two scheduling points, that cost no time.
const FREE_LOOKS: u32 = 64;

/// Virtual time that each further reading costs.
const LOOK_COST_NS: u64 = 1_000;

/// Maximum time that another OS thread may hold a foreign lock, stdout's for instance.
static FOREIGN_LOCK_MAX: libc::timespec = libc::timespec { tv_sec: 2, tv_nsec: 0 };

thread_local! {
    /// Set while the guard itself runs: its own calls into libc pass.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// The current simulation, unless the guard itself makes the call.
fn guarded() -> Option<&'static Sim> {
    if INSIDE.get() { None } else { current() }
}

/// The real function called `name`: the next definition after the executable's.
fn real(cache: &AtomicUsize, name: &CStr) -> usize {
    let cached = cache.load(Ordering::Relaxed);
    if cached != 0 {
        return cached;
    }
    // SAFETY: a lookup by a valid C string.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }.addr();
    if found == 0 {
        absent(name);
    }
    cache.store(found, Ordering::Relaxed);
    found
}

/// Ends the process with a message. Without the real function no result would be right, and this
/// may happen before `main`, where code must not allocate or panic.
fn absent(name: &CStr) -> ! {
    let pieces = [
        c"raftlab: the C library's own ",
        name,
        c" cannot be found (is it linked statically?): leave raftlab::guard!() out\n",
    ];
    for piece in pieces {
        // SAFETY: the bytes of a C string, written to standard error.
        unsafe { libc::write(2, piece.as_ptr().cast(), piece.to_bytes().len()) };
    }
    std::process::abort()
}

macro_rules! real {
    ($name:literal as $type:ty) => {{
        static CACHE: AtomicUsize = AtomicUsize::new(0);
        let address = real(&CACHE, $name);
        // SAFETY: libc's function of that name has this type.
        unsafe { std::mem::transmute::<usize, $type>(address) }
    }};
}

fn timespec_of(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0),
    }
}

fn ns_of(spec: &libc::timespec) -> u64 {
    let seconds = u64::try_from(spec.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(spec.tv_nsec).unwrap_or(0))
}

/// Returns virtual time. Clocks of CPU time are not virtual: they are for measuring, not deciding.
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, spec: *mut libc::timespec) -> c_int {
    let cpu_time = [libc::CLOCK_PROCESS_CPUTIME_ID, libc::CLOCK_THREAD_CPUTIME_ID];
    match guarded() {
        Some(sim) if !cpu_time.contains(&clock) => {
            let now_ns = sim.foreign_now_ns();
            let wall = [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE].contains(&clock);
            let base_ns = if wall { WALL_EPOCH_S * 1_000_000_000 } else { 0 };
            // SAFETY: the caller passes a valid pointer, as for the real function.
            unsafe { *spec = timespec_of(base_ns + now_ns) };
            0
        }
        _ => {
            type F = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int;
            let forward = real!(c"clock_gettime" as F);
            // SAFETY: the arguments are the caller's.
            unsafe { forward(clock, spec) }
        }
    }
}

/// Returns numbers of a stream that follows from the seed.
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    match guarded() {
        Some(sim) => {
            // SAFETY: the caller passes a buffer of `len` bytes, as for the real function.
            let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len) };
            sim.foreign_chance(bytes);
            isize::try_from(len).unwrap_or(isize::MAX)
        }
        None => {
            type F = unsafe extern "C" fn(*mut c_void, usize, c_uint) -> isize;
            let forward = real!(c"getrandom" as F);
            // SAFETY: the arguments are the caller's.
            unsafe { forward(buffer, len, flags) }
        }
    }
}

/// Sleeps in virtual time, for a span or until a point of time. No signal cuts the sleep short.
pub unsafe extern "C" fn clock_nanosleep(
    clock: libc::clockid_t,
    flags: c_int,
    span: *const libc::timespec,
    left: *mut libc::timespec,
) -> c_int {
    match guarded() {
        Some(sim) => {
            // SAFETY: the caller passes a valid span, as for the real function.
            let asked_ns = ns_of(unsafe { &*span });
            let absolute = flags & libc::TIMER_ABSTIME != 0;
            let base_ns = match (absolute, clock) {
                (false, _) => 0,
                (true, libc::CLOCK_REALTIME) => sim.now_ns() + WALL_EPOCH_S * 1_000_000_000,
                (true, _) => sim.now_ns(),
            };
            sim.foreign_sleep(asked_ns.saturating_sub(base_ns));
            0
        }
        None => {
            type F = unsafe extern "C" fn(
                libc::clockid_t,
                c_int,
                *const libc::timespec,
                *mut libc::timespec,
            ) -> c_int;
            let forward = real!(c"clock_nanosleep" as F);
            // SAFETY: the arguments are the caller's.
            unsafe { forward(clock, flags, span, left) }
        }
    }
}

/// Sleeps in virtual time for a span. No signal cuts the sleep short.
pub unsafe extern "C" fn nanosleep(
    span: *const libc::timespec,
    left: *mut libc::timespec,
) -> c_int {
    match guarded() {
        Some(sim) => {
            // SAFETY: the caller passes a valid span, as for the real function.
            sim.foreign_sleep(ns_of(unsafe { &*span }));
            0
        }
        None => {
            type F = unsafe extern "C" fn(*const libc::timespec, *mut libc::timespec) -> c_int;
            let forward = real!(c"nanosleep" as F);
            // SAFETY: the arguments are the caller's.
            unsafe { forward(span, left) }
        }
    }
}

/// Catches futex waits; passes all other calls.
///
/// The real function takes any number of arguments. In the 64-bit calling conventions of Linux,
/// seven integers are passed the same way, and the callee uses as many as it needs.
pub unsafe extern "C" fn syscall(
    number: c_long,
    a1: c_long,
    a2: c_long,
    a3: c_long,
    a4: c_long,
    a5: c_long,
    a6: c_long,
) -> c_long {
    type F = unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;
    let real = real!(c"syscall" as F);
    let operation = a2 & 0x7f;
    let waits = number == libc::SYS_futex
        && [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET].map(c_long::from).contains(&operation);
    match guarded() {
        Some(sim) if waits => {
            let (number_of, wait) =
                (libc::SYS_futex, c_long::from(libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG));
            if a4 == 0 {
                // A wait without a timeout may be for a lock that another OS thread holds briefly.
                let limit = (&raw const FOREIGN_LOCK_MAX).addr();
                let limit = c_long::try_from(limit).unwrap_or(0);
                // SAFETY: the futex word is the caller's; the timeout is a static.
                let result = unsafe { real(number_of, a1, wait, a3, limit, 0, 0) };
                // SAFETY: errno of this very thread.
                let timed_out =
                    result != 0 && unsafe { *libc::__errno_location() } == libc::ETIMEDOUT;
                if !timed_out {
                    return result;
                }
            }
            sim.give_up_task(
                "foreign_wait",
                "a task waits for a lock, condition, channel or join of std, parking_lot or \
                 crossbeam, which stops the whole simulation: use those of raftlab::runtime",
            )
        }
        // SAFETY: the arguments are the caller's.
        _ => unsafe { real(number, a1, a2, a3, a4, a5, a6) },
    }
}

/// Fails the run: a thread would escape the simulation.
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    match guarded() {
        Some(sim) => sim.give_up_task(
            "foreign_thread",
            "a task started an operating-system thread, which the seed cannot schedule: use \
             raftlab::runtime::thread::spawn",
        ),
        None => {
            type F = unsafe extern "C" fn(
                *mut libc::pthread_t,
                *const libc::pthread_attr_t,
                extern "C" fn(*mut c_void) -> *mut c_void,
                *mut c_void,
            ) -> c_int;
            let forward = real!(c"pthread_create" as F);
            // SAFETY: the arguments are the caller's.
            unsafe { forward(thread, attributes, start, argument) }
        }
    }
}

impl Sim {
    /// Virtual time for a foreign clock. It moves even in a loop that only reads the clock.
    fn foreign_now_ns(&self) -> u64 {
        let looks = self.foreign_looks.get() + 1;
        self.foreign_looks.set(looks);
        if looks > FREE_LOOKS {
            self.now_ns.set(self.now_ns.get() + LOOK_COST_NS);
        }
        self.now_ns.get()
    }

    fn foreign_chance(&self, bytes: &mut [u8]) {
        use rand::Rng as _;
        self.foreign_chance.borrow_mut().fill_bytes(bytes);
    }

    /// Sleeps for a caller in libc, whose frames cannot be unwound: if the run ends meanwhile, the
    /// task is given up.
    fn foreign_sleep(&self, span_ns: u64) {
        let deadline_ns = self.now_ns.get().saturating_add(span_ns);
        while self.now_ns.get() < deadline_ns {
            self.block_in_foreign_frames(deadline_ns);
        }
    }

    /// Ends the run as failed and gives up the current task, which never gets control again.
    fn give_up_task(&self, name: &str, message: &str) -> ! {
        INSIDE.set(true);
        let place = super::report::callers_line();
        INSIDE.set(false);
        let failure = self.failure_now(FailureKind::Assertion, name, message.to_string());
        self.end_with(Failure { place, ..failure });
        self.abandon_task()
    }
}
