//! [`guard!`](crate::guard): the one line with which an executable turns the guard on.
//!
//! Only an executable may replace functions of libc: a library that replaced them would change
//! every program that it is linked into. So a macro defines the functions, in the crate that calls
//! the macro. Each definition calls a function of `sim/guard.rs`.

#[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
pub use super::sim::guard::{
    clock_gettime, clock_nanosleep, getrandom, libc, nanosleep, pthread_create, syscall,
};

/// Catches foreign clocks, random numbers, waits and threads inside a simulation.
///
/// Foreign means: not from [`runtime`](crate::runtime). Write the line once in an executable, at
/// the top of its `main.rs` or of a file of tests:
///
/// ```
/// raftlab::guard!();
/// # fn main() {}
/// ```
///
/// The executable then defines `clock_gettime`, `getrandom`, `clock_nanosleep`, `nanosleep`,
/// `syscall` and `pthread_create`. Inside a simulation `std::time::Instant::now()`, a hash map's
/// order and `std::thread::sleep` follow from the seed, and a foreign thread or a foreign wait ends
/// the run with a failure that names the task. Everywhere else, the functions behave as libc's.
///
/// Without this line nothing is caught. Runs whose code uses only `runtime` are the same with and
/// without it.
///
/// The line works on Linux with glibc. On other systems, and where glibc is linked statically
/// (`crt-static`), it has no effect. In a statically linked executable its definition would be the
/// only one: there would be no function of libc that a call could be passed on to.
#[cfg(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static")))]
#[macro_export]
// In a backtrace these frames are lines of the runtime, not of the executable.
#[collapse_debuginfo(no)]
macro_rules! guard {
    () => {
        mod raftlab_guard {
            use ::std::ffi::{c_int, c_long, c_uint, c_void};

            use $crate::runtime::interpose::{self, libc};

            #[unsafe(no_mangle)]
            unsafe extern "C" fn clock_gettime(
                clock: libc::clockid_t,
                spec: *mut libc::timespec,
            ) -> c_int {
                // SAFETY: the caller keeps libc's contract, which is also the callee's. This holds
                // for each function below, too.
                unsafe { interpose::clock_gettime(clock, spec) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn getrandom(
                buffer: *mut c_void,
                len: usize,
                flags: c_uint,
            ) -> isize {
                unsafe { interpose::getrandom(buffer, len, flags) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn clock_nanosleep(
                clock: libc::clockid_t,
                flags: c_int,
                span: *const libc::timespec,
                left: *mut libc::timespec,
            ) -> c_int {
                unsafe { interpose::clock_nanosleep(clock, flags, span, left) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn nanosleep(
                span: *const libc::timespec,
                left: *mut libc::timespec,
            ) -> c_int {
                unsafe { interpose::nanosleep(span, left) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn syscall(
                number: c_long,
                a1: c_long,
                a2: c_long,
                a3: c_long,
                a4: c_long,
                a5: c_long,
                a6: c_long,
            ) -> c_long {
                unsafe { interpose::syscall(number, a1, a2, a3, a4, a5, a6) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn pthread_create(
                thread: *mut libc::pthread_t,
                attributes: *const libc::pthread_attr_t,
                start: extern "C" fn(*mut c_void) -> *mut c_void,
                argument: *mut c_void,
            ) -> c_int {
                unsafe { interpose::pthread_create(thread, attributes, start, argument) }
            }
        }
    };
}

/// Has no effect in this build: see the documentation for Linux with glibc.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(target_feature = "crt-static"))))]
#[macro_export]
macro_rules! guard {
    () => {};
}
