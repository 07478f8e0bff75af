//! Credits a pool thread's CPU time to its run, without asking the kernel at every job.

use std::sync::Arc;

use super::RealRun;
use crate::runtime::base::instant::wall_ns;
use crate::runtime::platform::thread_cpu_ns;

/// Wall time that may pass between two readings of the CPU clock while jobs follow one another.
///
/// A reading costs as much as a small job. In return, a run may be credited up to this much too
/// little per thread.
const SETTLE_NS: u64 = 1_000_000;

/// The run that a pool thread works for, and the CPU time already credited to it.
#[derive(Default)]
pub(super) struct Account {
    run: Option<Arc<RealRun>>,
    /// Reading of the CPU clock up to which `run` has been credited.
    cpu_ns: u64,
    /// Wall time of that reading.
    wall_ns: u64,
}

impl Account {
    /// From here on the thread works for `run`.
    pub(super) fn open(&mut self, run: &Arc<RealRun>) {
        if self.run.as_ref().is_some_and(|current| Arc::ptr_eq(current, run)) {
            return;
        }
        self.settle();
        self.run = Some(run.clone());
        self.cpu_ns = thread_cpu_ns();
        self.wall_ns = wall_ns();
    }

    /// Credits the run if [`SETTLE_NS`] have passed since the last time. Must be called before a
    /// job counts as ended, since the run may return right then.
    pub(super) fn settle_if_due(&mut self) {
        let now_ns = wall_ns();
        if now_ns.saturating_sub(self.wall_ns) < SETTLE_NS {
            return;
        }
        if let Some(run) = &self.run {
            let cpu_ns = thread_cpu_ns();
            run.used_cpu(cpu_ns.saturating_sub(self.cpu_ns));
            self.cpu_ns = cpu_ns;
            self.wall_ns = now_ns;
        }
    }

    /// Credits the run and forgets it: the thread is about to park.
    pub(super) fn settle(&mut self) {
        if let Some(run) = self.run.take() {
            run.used_cpu(thread_cpu_ns().saturating_sub(self.cpu_ns));
        }
    }
}
