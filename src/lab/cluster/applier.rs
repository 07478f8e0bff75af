//! The suite's own services: they read the apply channel, check its messages, and take snapshots.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::diary::Diary;
use super::ledger::{Breach, Ledger, Next};
use crate::api::{ApplyMsg, Consensus, Index, ServerId};
use crate::lab::application::{Application, Living, Seat};
use crate::runtime::{self, FailureKind, thread};

/// A judge of the messages on apply channels.
trait Judge: Send + Sync + 'static {
    /// Checks the stored snapshot from which a life begins.
    fn begin_life(&self, seat: &Seat) -> Result<(), Breach>;

    /// Checks `message`, which `server` has applied, and says what the service does next.
    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach>;
}

impl Judge for Ledger {
    fn begin_life(&self, seat: &Seat) -> Result<(), Breach> {
        let stored = seat.stored.snapshot.clone();
        Ledger::begin_life(self, seat.server, stored.map(|(at, data)| (at.index, data)))
    }

    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach> {
        Ledger::take(self, server, message)
    }
}

impl Judge for Diary {
    fn begin_life(&self, seat: &Seat) -> Result<(), Breach> {
        Diary::begin_life(self, seat.stored.snapshot.as_ref().map_or(Index(0), |(at, _)| at.index));
        Ok(())
    }

    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach> {
        Diary::take(self, server, message)
    }
}

/// The application of parts 2A to 2D: a ledger or a diary checks what each server applies.
pub(super) struct Judged<J>(pub(super) Arc<J>, pub(super) Arc<Pace>);

/// How long each service pauses before each message, in milliseconds; 0: not at all.
#[derive(Default)]
pub(super) struct Pace(AtomicU64);

impl Pace {
    pub(super) fn set(&self, pause: Duration) {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.0.store(pause_ms, Ordering::Relaxed);
    }

    fn wait(&self) {
        let pause_ms = self.0.load(Ordering::Relaxed);
        if pause_ms > 0 {
            thread::sleep(Duration::from_millis(pause_ms));
        }
    }
}

impl<J: Judge> Application for Judged<J> {
    fn begin_life(&self, seat: Seat) -> Box<dyn Living> {
        if let Err(Breach { name, message }) = self.0.begin_life(&seat) {
            runtime::fail(FailureKind::Assertion, name, message);
        }
        let alive = Arc::new(Alive(AtomicBool::new(true)));
        let applier = Applier {
            server: seat.server,
            alive: alive.clone(),
            consensus: Arc::downgrade(&seat.consensus),
            judge: self.0.clone(),
            pace: self.1.clone(),
        };
        let apply_ch = seat.apply_ch;
        // This task is not under test: a delay of the reader would be the suite's fault.
        thread::spawn(format!("service{}", seat.server.0), move || {
            // Read until the last sender is gone: a dead server's sends must return, so that it
            // can end.
            apply_ch.iter().for_each(|message| applier.take(&message));
        });
        Box::new(alive)
    }
}

/// Whether the life has not ended: entries that a crashed server applies do not count.
struct Alive(AtomicBool);

impl Living for Arc<Alive> {
    fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The state of one life of the service.
struct Applier<J> {
    server: ServerId,
    alive: Arc<Alive>,
    /// Weak, so that a server whose own tasks have ended is freed and this task ends too.
    consensus: Weak<dyn Consensus>,
    judge: Arc<J>,
    pace: Arc<Pace>,
}

impl<J: Judge> Applier<J> {
    fn take(&self, message: &ApplyMsg) {
        self.pace.wait();
        if !self.alive.0.load(Ordering::Relaxed) {
            return;
        }
        match self.judge.take(self.server, message) {
            Ok(Next::Wait) => {}
            Ok(Next::Snapshot(index, data)) => {
                // The task that reads the channel makes this call itself. So a server that sends on
                // the channel under its lock deadlocks here, as it does in the course's harness.
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
