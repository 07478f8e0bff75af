//! Observers: they look on while a cluster runs, and end the run when a rule of Raft is broken.

use std::any::Any;
use std::sync::Arc;

use super::Facts;
use super::situations::Situations;
use crate::api::{ApplyMsg, ServerId};
use crate::persister::{Persisted, Watch, Write};

/// All observers of one run. The lab makes one and gives it to the network as a tap.
pub struct Observers {
    servers: usize,
}

/// Whether what ought to happen soon is judged, beside what must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The schedule is mild, so that a server that does nothing is at fault.
    Judged,
    /// The schedule may hold up any server for long: safety only.
    Ignored,
}

impl Observers {
    /// Observers of a cluster of `servers` whose messages `facts` translates.
    pub fn new(servers: usize, facts: fn(&dyn Any) -> Facts, liveness: Liveness) -> Arc<Observers> {
        let _ = (facts, liveness);
        Arc::new(Observers { servers })
    }

    /// `server` starts a life from `persisted`: call it before the server is made.
    ///
    /// Give the life to the new persister as its watch. The server's earlier life, if any, is over.
    pub fn boot(self: &Arc<Observers>, server: ServerId, persisted: &Persisted) -> Arc<Life> {
        let _ = persisted;
        assert!(server.slot() < self.servers, "{server} is not one of {} servers", self.servers);
        Arc::new(Life { observers: self.clone(), server })
    }

    /// The run is at its end: judges what was left open.
    pub fn finish(&self) {}

    /// What happened in the run so far, counted.
    pub fn situations(&self) -> Situations {
        Situations::default()
    }
}

/// One life of one server, from boot to crash. What comes later from a life that is over, its
/// writes above all, is ignored.
pub struct Life {
    observers: Arc<Observers>,
    server: ServerId,
}

impl Life {
    /// The apply channel's reader has received `msg`. Call it before the service sees the message.
    pub fn applied(&self, msg: &ApplyMsg) {
        let _ = (msg, &self.observers, self.server);
    }

    /// Whether the apply channel's reader reads (at first it does) or has been told to pause.
    pub fn reads(&self, reading: bool) {
        let _ = reading;
    }

    /// The life is over. Call it before the server is killed and its persister crashed.
    pub fn end(&self) {}
}

impl Watch for Life {
    fn wrote(&self, _write: &Write<'_>) {}
}

impl crate::labrpc::Tap for Observers {}
