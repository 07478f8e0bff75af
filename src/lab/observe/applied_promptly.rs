//! The rule that a server applies committed entries soon.

use std::time::Duration;

use super::event::{Event, Kind, Observer, at};
use super::world::{Server, World};
use crate::api::{Index, ServerId};
use crate::runtime;

/// Maximum time that a server that is not stalled may take to deliver an entry that it knows to be
/// committed.
const PROMPT: Duration = Duration::from_secs(1);

/// "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine"
/// (Figure 2, all servers).
///
/// Fails if a live server knows of more committed entries but has delivered nothing for a second,
/// although its apply channel was read and none of its tasks was stalled. No other check would
/// notice, since the next commit would wake a sleeping applier. The rule judges at every event:
/// heartbeats keep coming even when nothing else happens.
pub(super) struct AppliedPromptly {
    owed: Vec<Option<Owed>>,
    /// The earliest moment at which a server may be judged late.
    due: Duration,
    /// The server that was late.
    late: Option<ServerId>,
}

#[derive(Debug, Clone, Copy)]
struct Owed {
    index: Index,
    since: Duration,
}

impl AppliedPromptly {
    pub(super) fn new(servers: usize) -> AppliedPromptly {
        AppliedPromptly { owed: vec![None; servers], due: Duration::MAX, late: None }
    }

    /// Records what `server` still has to deliver. Each delivery gives it another second.
    fn reckon(&mut self, server: ServerId, world: &World, delivered: bool) {
        let owed = &mut self.owed[server.slot()];
        let known = world.server(server);
        let due = world.owed(server).filter(|_| known.alive && known.reading);
        let Some(index) = due else {
            *owed = None;
            return;
        };
        if owed.is_none() || delivered {
            *owed = Some(Owed { index, since: world.now });
            self.due = self.due.min(world.now + PROMPT);
        }
    }

    fn judge(&mut self, world: &World) -> Result<(), String> {
        if world.now <= self.due {
            return Ok(());
        }
        self.due = Duration::MAX;
        for (slot, owed) in self.owed.iter().enumerate() {
            let Some(owed) = owed else { continue };
            let server = ServerId::from_slot(slot);
            let stalled = runtime::last_stall(server.0).unwrap_or_default();
            let since = owed.since.max(stalled);
            if world.now > since + PROMPT {
                self.late = Some(server);
                return Err(late(server, *owed, world.server(server)));
            }
            self.due = self.due.min(since + PROMPT);
        }
        Ok(())
    }
}

fn late(server: ServerId, owed: Owed, known: &Server) -> String {
    format!(
        "{server} has known since {} that the log is committed up to {}, but it has delivered only \
         up to {} on its apply channel, and nothing for a second in which it was not stalled",
        at(owed.since),
        owed.index,
        known.delivered
    )
}

impl Observer for AppliedPromptly {
    fn name(&self) -> &'static str {
        "AppliedPromptly"
    }

    fn kinds(&self) -> &'static [Kind] {
        Kind::ALL
    }

    fn blamed(&self) -> Option<ServerId> {
        self.late
    }

    fn see(&mut self, event: &Event<'_>, world: &World) -> Result<(), String> {
        match event {
            Event::Applied { server, .. } => self.reckon(*server, world, true),
            Event::Sent { from: server, .. }
            | Event::Answered { by: server, .. }
            | Event::Booted { server }
            | Event::Crashed { server }
            | Event::Reading { server } => self.reckon(*server, world, false),
            _ => {}
        }
        self.judge(world)
    }
}
