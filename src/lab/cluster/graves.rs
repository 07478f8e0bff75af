//! What is left of servers that were killed.

use std::time::Duration;

use crate::api::ServerId;
use crate::runtime::sync::Quiet;
use crate::runtime::{self, FailureKind, thread, time};

/// How long the tasks of a server may live after its kill.
///
/// Ours is generous. A task may poll whether its instance was killed, and may look again only
/// after a call has ended: one to a server that cannot be reached takes up to 7 s.
pub const KILLED_FOR_MAX: Duration = Duration::from_secs(10);

/// The lives of servers that are over, until their tasks were looked for.
///
/// Looking costs nothing and changes nothing: no task is started for it, and no time passes.
#[derive(Default)]
pub(super) struct Graves {
    /// In the order of their ends.
    open: Quiet<Vec<Grave>>,
}

/// One life that is over.
struct Grave {
    server: ServerId,
    ended: Duration,
    /// How many tasks the run had started when the life was over: those of the server's next life
    /// come later.
    tasks: u64,
}

impl Graves {
    /// A life of `server` has just been killed.
    pub(super) fn dig(&self, server: ServerId) {
        // On the real clock no list of tasks is kept.
        if let Some(tasks) = runtime::tasks_started() {
            let ended = time::since_start();
            self.open.with(|open| open.push(Grave { server, ended, tasks }));
        }
    }

    /// Fails the run if a life that was over long ago still has tasks.
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
            "{server} was killed at {:.6} s and has not ended {after:.1} s later. A task must look \
             whether its instance was killed whenever it has waited; these do not:\n{}",
            ended.as_secs_f64(),
            left.trim_end()
        );
        thread::with_label(Some(server.0), || {
            runtime::fail(FailureKind::Assertion, "outlives_kill", message)
        });
    }
}
