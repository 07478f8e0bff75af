//! What the process does with memory that it has freed.

/// Keeps freed memory for the next run, where the C library would give it back to the system.
///
/// A run ends with its OS thread, and then glibc gives back what the thread has freed; the next run
/// gets it again page by page, for a tenth of its time.
#[cfg(all(target_os = "linux", target_env = "gnu", not(raftlab_portable)))]
#[allow(unsafe_code, reason = "a call into libc")]
pub(in crate::runtime) fn keep_freed() {
    for (what, bytes) in [(libc::M_TRIM_THRESHOLD, 64 << 20), (libc::M_MMAP_THRESHOLD, 32 << 20)] {
        // SAFETY: the call has numbers as arguments, and may be made at any time.
        unsafe { libc::mallopt(what, bytes) };
    }
}

/// Nothing is known to help.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(raftlab_portable))))]
pub(in crate::runtime) fn keep_freed() {}
