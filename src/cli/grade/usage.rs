//! Waits for programs, and says what they used.

#![allow(
    clippy::disallowed_methods,
    reason = "this code is outside any run: it waits for programs"
)]

use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use wait4::{ResUse, Wait4};

use crate::runtime::time;

/// What a program used, together with all programs that it started and waited for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Usage {
    /// CPU seconds, the system's included.
    pub(super) cpu_s: f64,
    /// The most memory that one of the programs had at a time, in MB.
    pub(super) memory_mb: u64,
}

/// Waits for `child`, and kills it if it still runs at `end`.
pub(super) fn wait(child: &mut Child, end: Duration) -> io::Result<(ExitStatus, Usage)> {
    while !is_over(child)? {
        if time::since_start() >= end {
            child.kill()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let ResUse { status, rusage } = child.wait4()?;
    let cpu_s = (rusage.utime + rusage.stime).as_secs_f64();
    Ok((status, Usage { cpu_s, memory_mb: rusage.maxrss >> 20 }))
}

/// Whether `child` has ended. What it used is kept for the call that waits for it.
#[cfg(unix)]
fn is_over(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), look)?.is_some())
}

#[cfg(not(unix))]
fn is_over(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn used(script: &str, wall: Duration) -> (ExitStatus, Usage) {
        let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        wait(&mut child, time::since_start() + wall).unwrap()
    }

    #[test]
    fn what_the_programs_of_a_program_use_counts() {
        // `tail` keeps a line of 30 MB, and has to look at each byte.
        let script = "head -c 30000000 /dev/zero | tail -n 1 >/dev/null; exit 7";
        let (status, usage) = used(script, Duration::from_secs(60));
        assert_eq!(status.code(), Some(7));
        assert!((28..200).contains(&usage.memory_mb), "{usage:?}");
        assert!(usage.cpu_s > 0.0 && usage.cpu_s < 60.0, "{usage:?}");
    }

    #[test]
    fn a_program_that_lasts_too_long_is_killed() {
        let (status, usage) = used("exec sleep 1000", Duration::from_millis(50));
        assert!(!status.success());
        assert!(usage.memory_mb < 28, "{usage:?}");
    }
}
