//! The service above one server: reads its apply channel and takes snapshots.

use std::sync::{Arc, Weak};

use super::diary::Diary;
use super::ledger::{Ledger, LifeNumber, Next};
use crate::api::{ApplyMsg, Consensus, ServerId};
use crate::lab::observe;
use crate::runtime::channel::Receiver;
use crate::runtime::{self, FailureKind, thread};

/// What one life of a service needs.
pub(super) struct Applier {
    pub(super) server: ServerId,
    pub(super) life: LifeNumber,
    pub(super) apply_ch: Receiver<ApplyMsg>,
    /// Weak, so that a server whose own tasks have ended is gone, and this task with it.
    pub(super) consensus: Weak<dyn Consensus>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) diary: Option<Arc<Diary>>,
    pub(super) observed: Option<Arc<observe::Life>>,
}

impl Applier {
    /// Reads until the last sender is gone; a dead server is drained, so that it can end.
    pub(super) fn run(self) {
        for message in self.apply_ch.iter() {
            if self.ledger.is_current(self.server, self.life) {
                self.take(&message);
            }
        }
    }

    fn take(&self, message: &ApplyMsg) {
        if let Some(observed) = &self.observed {
            // Marked, so that a report says whose message it was.
            thread::with_label(Some(self.server.0), || observed.applied(message));
        }
        let next = match &self.diary {
            Some(diary) => diary.take(self.server, message),
            None => self.ledger.take(self.server, message),
        };
        match next {
            Ok(Next::Wait) => {}
            Ok(Next::Snapshot(index, data)) => {
                // In place, by the task that reads the channel: a server that sends under its
                // lock deadlocks here, as it does in the course's harness.
                if let Some(consensus) = self.consensus.upgrade() {
                    thread::under_test(self.server.0, || consensus.snapshot(index, data));
                }
            }
            Err(breach) => thread::with_label(Some(self.server.0), || {
                runtime::fail(FailureKind::Assertion, breach.name, breach.message)
            }),
        }
    }
}
