//! Where the libc functions of this test's executable are defined.

#![allow(unsafe_code, reason = "asks the dynamic linker about addresses")]

use std::ffi::c_void;
use std::mem::MaybeUninit;

/// A libc function, as the linker has bound it in this executable.
#[derive(Debug)]
pub(crate) struct Function {
    #[allow(dead_code, reason = "read where a check fails")]
    name: &'static str,
    /// Where the object that defines it is loaded: the executable, or libc.
    base: usize,
}

impl Function {
    /// Whether the executable itself defines it.
    pub(crate) fn is_in_the_executable(&self) -> bool {
        self.base == base_of(functions as *const c_void)
    }
}

/// The functions that the guard defines.
pub(crate) fn functions() -> [Function; 6] {
    let function = |name, address| Function { name, base: base_of(address) };
    [
        function("clock_gettime", libc::clock_gettime as *const c_void),
        function("getrandom", libc::getrandom as *const c_void),
        function("clock_nanosleep", libc::clock_nanosleep as *const c_void),
        function("nanosleep", libc::nanosleep as *const c_void),
        function("syscall", libc::syscall as *const c_void),
        function("pthread_create", libc::pthread_create as *const c_void),
    ]
}

/// Where the object that has `address` is loaded.
fn base_of(address: *const c_void) -> usize {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: all zeroes are a valid value; the linker writes it or returns 0.
    let (found, info) = unsafe {
        let found = libc::dladdr(address, info.as_mut_ptr());
        (found, info.assume_init())
    };
    assert_ne!(found, 0, "{address:?} is in no object");
    info.dli_fbase.addr()
}
