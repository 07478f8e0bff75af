//! A function of libc, defined again.

#[unsafe(no_mangle)]
pub extern "C" fn getpid() -> i32 {
    std::process::exit(0)
}
