//! Killed servers, which must stop all their tasks in time.

use std::time::Duration;

use crate::api::ServerId;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind, thread, time};

/// Maximum time that the tasks of a server may live after the server was killed.
///
/// This limit is generous. A task may poll whether its instance was killed, and may check again
/// only after a call has ended: a call to an unreachable server takes up to 7 s.
pub const KILLED_FOR_MAX: Duration = Duration::from_secs(10);

/// The lives that are over and whose tasks have not been checked yet.
///
/// A check changes nothing: it starts no task, and no time passes.
#[derive(Default)]
pub(super) struct Graves {
    /// The lives, in the order of their ends.
    open: Quiet<Vec<Grave>>,
}

/// One life that is over.
struct Grave {
    server: ServerId,
    ended: Duration,
    /// Number of tasks that the run had started when the life ended. The server's tasks that start
    /// later belong to its next life.
    tasks: u64,
}

impl Graves {
    /// Records that `server` has just been killed.
    pub(super) fn dig(&self, server: ServerId) {
        // The real clock keeps no list of tasks.
        if let Some(tasks) = runtime::tasks_started() {
            let ended = time::since_start();
            self.open.with(|open| open.push(Grave { server, ended, tasks }));
        }
    }

    /// Fails the run if a life that ended more than [`KILLED_FOR_MAX`] ago still has tasks.
    pub(super) fn look(&self) {
        let now = time::since_start();
        let due = self.open.with(|open| {
            open.first().is_some_and(|grave| now > grave.ended + KILLED_FOR_MAX).then(|| {
                let due = open.partition_point(|grave| now > grave.ended + KILLED_FOR_MAX);
                open.drain(..due).collect::<Vec<_>>()
            })
        });
        due.unwrap_or_default().iter().for_each(Grave::look);
    }
}

impl Grave {
    fn look(&self) {
        let Grave { server, ended, tasks } = *self;
        let left = runtime::describe_older_tasks(server.0, tasks).unwrap_or_default();
        if left.is_empty() {
            return;
        }
        let after = (time::since_start() - ended).as_secs_f64();
        let message = format!(
            "{server} was killed at {:.6} s and has not ended {after:.1} s later. Whenever a task \
             has waited, it must check whether its instance was killed; these tasks do not:\n{}",
            ended.as_secs_f64(),
            left.trim_end()
        );
        thread::with_label(Some(server.0), || {
            runtime::fail(FailureKind::Assertion, "outlives_kill", message)
        });
    }
}
