//! The suite's own services: they read the apply channel, check its messages, and take snapshots.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;

use crate::api::{ApplyMsg, Consensus, Index, Position, ServerId};
use crate::lab::apply_order::Breach;
use crate::lab::{Alive, ServiceContext, ServiceInstance};
use crate::runtime::thread;

/// A check of the messages on apply channels.
pub(super) trait ApplyCheck: Send + Sync + 'static {
    /// Begins the next life of `server`, whose service has only the `stored` snapshot.
    fn begin_life(&self, server: ServerId, stored: Option<(Position, Bytes)>)
    -> Result<(), Breach>;

    /// Checks and records `message`, which `server` has applied, and says what the service does
    /// next.
    fn take(&self, server: ServerId, message: &ApplyMsg) -> Result<Next, Breach>;
}

/// The service's next step after it has received a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Only wait for the next message.
    Wait,
    /// Tell the server that its log may be trimmed.
    Snapshot(Index, Bytes),
}

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

/// The service of parts 2A to 2D: `check` receives what each server applies.
pub(super) fn checked_by<C: ApplyCheck>(
    check: &Arc<C>,
    pace: Arc<Pace>,
) -> impl Fn(ServiceContext) -> Box<dyn ServiceInstance> + use<C> {
    let check = check.clone();
    move |context| {
        let ServiceContext { server, consensus, apply_ch, stored } = context;
        if let Err(breach) = check.begin_life(server, stored.snapshot) {
            breach.fail(server);
        }
        let alive = Alive::new();
        let applier = Applier {
            server,
            alive: alive.clone(),
            consensus: Arc::downgrade(&consensus),
            check: check.clone(),
            pace: pace.clone(),
        };
        // This task is not under test: a delay of the reader would be the suite's fault.
        thread::spawn(format!("service{}", server.0), move || {
            // Read until the last sender is gone: a dead server's sends must return, so that it
            // can end.
            apply_ch.iter().for_each(|message| applier.take(&message));
        });
        Box::new(alive)
    }
}

/// The state of one life of the service.
struct Applier<C> {
    server: ServerId,
    alive: Alive,
    /// Weak, so that a server whose own tasks have ended is freed and this task ends too.
    consensus: Weak<dyn Consensus>,
    check: Arc<C>,
    pace: Arc<Pace>,
}

impl<C: ApplyCheck> Applier<C> {
    fn take(&self, message: &ApplyMsg) {
        self.pace.wait();
        if !self.alive.is_alive() {
            return;
        }
        match self.check.take(self.server, message) {
            Ok(Next::Wait) => {}
            Ok(Next::Snapshot(index, data)) => {
                // The task that reads the channel makes this call itself. So a server that sends on
                // the channel under its lock deadlocks here, as it does in the course's harness.
                if let Some(consensus) = self.consensus.upgrade() {
                    thread::under_test(self.server.0, || consensus.snapshot(index, data));
                }
            }
            Err(breach) => breach.fail(self.server),
        }
    }
}
