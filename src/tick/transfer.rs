//! Handing leadership over (thesis §3.10).
//!
//! The leader takes no more commands, brings the chosen node up to date, and tells it to stand for
//! election at once. It is elected as anyone is: if it fails to, the old leader goes on after an
//! election timeout, or somebody else is elected.
//!
//! ```text
//! operator ── transfer_leader(S2) ─► S1 ── Append ───► S2
//!                                       ◄─ response ──
//!                                       ── TimeoutNow ► S2 ── RequestVote { transfer } ─► all
//! ```
//!
//! Off by default: only an operator, or a scheduler of load, needs it.

use super::message::Kind;
use super::raft::{Error, Raft, Role};
use super::storage::Storage;
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Begins to hand leadership to `to`. A transfer to another node that is under way is given up.
    ///
    /// # Errors
    /// [`Error::Disabled`], [`Error::NotLeader`] (ask the leader), [`Error::PeerNotFound`]:
    /// nothing was begun.
    pub fn transfer_leader(&mut self, to: ServerId) -> Result<(), Error> {
        if !self.config.leader_transfer {
            return Err(Error::Disabled);
        }
        if self.role != Role::Leader {
            return Err(Error::NotLeader { leader: self.lead });
        }
        let slot = self.prs.slot(to).ok_or(Error::PeerNotFound(to))?;
        if to == self.id {
            self.lead_transferee = None;
            return Ok(());
        }
        if self.lead_transferee == Some(to) {
            return Ok(());
        }
        self.lead_transferee = Some(to);
        // The whole of it must not take longer than an election would.
        self.election_elapsed = 0;
        if !self.complete_transfer(slot) {
            self.send_append(slot);
        }
        Ok(())
    }

    /// The node that leadership is being handed to.
    pub const fn lead_transferee(&self) -> Option<ServerId> {
        self.lead_transferee
    }

    /// Tells the chosen node to stand, once it has the whole log; whether it was told.
    pub(super) fn complete_transfer(&mut self, slot: usize) -> bool {
        let node = &self.prs[slot];
        let (id, matched) = (node.id, node.matched);
        let ready = self.lead_transferee == Some(id) && matched == self.log.last_index();
        if ready {
            self.send(id, Kind::TimeoutNow);
        }
        ready
    }

    /// Stands for election because the leader wants it: without a pre-vote, and past all leases.
    pub(super) fn on_timeout_now(&mut self) {
        if self.config.leader_transfer {
            self.hup(true);
        }
    }
}
