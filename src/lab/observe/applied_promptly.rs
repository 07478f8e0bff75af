//! The rule that a server applies committed entries soon.

use std::time::Duration;

use super::observer::{Judged, Observer, Sent, at};
use super::world::{Handling, Server, World};
use crate::api::{ApplyMsg, Index, ServerId};
use crate::lab::Facts;
use crate::runtime::{self, Choice};

/// Maximum time that a server that is not stalled may take to deliver an entry that it knows to be
/// committed.
const PROMPT: Duration = Duration::from_secs(1);

/// The time that it usually takes at most. A run that is made smaller may leave out what is longer:
/// a second has twenty heartbeats.
const SOON: Duration = Duration::from_millis(200);

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
    /// [`SOON`], or [`PROMPT`] if it took longer than that.
    within: Duration,
}

impl AppliedPromptly {
    pub(super) fn new(servers: usize) -> AppliedPromptly {
        AppliedPromptly { owed: vec![None; servers], due: Duration::MAX, late: None }
    }

    /// Records what `server` still has to deliver. Each delivery gives it another second.
    fn reckon(&mut self, server: ServerId, world: &World, delivered: bool) -> Judged {
        let owed = &mut self.owed[server.slot()];
        let known = world.server(server);
        let due = world.owed(server).filter(|_| known.alive && known.reading);
        let Some(index) = due else {
            *owed = None;
            return Ok(());
        };
        if owed.is_none() || delivered {
            *owed = Some(Owed { index, since: world.now, within: SOON });
            self.due = self.due.min(world.now + SOON);
        }
        Ok(())
    }
}

fn late(server: ServerId, owed: Owed, known: &Server) -> String {
    let span = if owed.within == PROMPT { "a second" } else { "0.2 s" };
    format!(
        "{server} has known since {} that the log is committed up to {}, but it has delivered only \
         up to {} on its apply channel, and nothing for {span} in which it was not stalled",
        at(owed.since),
        owed.index,
        known.delivered
    )
}

impl Observer for AppliedPromptly {
    fn sent(&mut self, Sent { from, .. }: Sent<'_>, world: &World) -> Judged {
        self.reckon(from, world, false)
    }

    fn answered(&mut self, by: ServerId, _: &Handling, _: &Facts, world: &World) -> Judged {
        self.reckon(by, world, false)
    }

    fn applied(&mut self, server: ServerId, _: &ApplyMsg, world: &World) -> Judged {
        self.reckon(server, world, true)
    }

    fn booted(&mut self, server: ServerId, world: &World) -> Judged {
        self.reckon(server, world, false)
    }

    fn reading(&mut self, server: ServerId, world: &World) -> Judged {
        self.reckon(server, world, false)
    }

    fn crashed(&mut self, server: ServerId, world: &World) -> Judged {
        self.reckon(server, world, false)
    }

    fn happened(&mut self, world: &World) -> Judged {
        if world.now <= self.due {
            return Ok(());
        }
        self.due = Duration::MAX;
        for (slot, owed) in self.owed.iter_mut().enumerate() {
            let Some(owed) = owed else { continue };
            let server = ServerId::from_slot(slot);
            let stalled = runtime::last_stall(server.0).unwrap_or_default();
            let since = owed.since.max(stalled);
            if world.now > since + SOON && owed.within == SOON && runtime::keeps(Choice::Wait) {
                owed.within = PROMPT;
            }
            if world.now > since + owed.within {
                self.late = Some(server);
                return Err(late(server, *owed, world.server(server)));
            }
            self.due = self.due.min(since + owed.within);
        }
        Ok(())
    }

    fn blamed(&self) -> Option<ServerId> {
        self.late
    }
}
