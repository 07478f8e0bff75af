//! The platform code that Linux and Apple's systems share.

#![allow(unsafe_code, reason = "one call into libc with a local out-parameter")]

/// CPU time that the calling OS thread has used, in nanoseconds.
pub(super) fn cpu_ns() -> Option<u64> {
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `spec` is a valid timespec that the call only writes to.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut spec) };
    let seconds = u64::try_from(spec.tv_sec).ok().filter(|_| status == 0)?;
    Some(seconds * 1_000_000_000 + u64::try_from(spec.tv_nsec).ok()?)
}
