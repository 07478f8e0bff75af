//! Leadership transfer (thesis §3.10).
//!
//! The leader accepts no more commands, brings the chosen node up to date, and tells it to start an
//! election at once. That election has the usual rules: if the chosen node does not win, the old
//! leader continues after an election timeout, or another node is elected.
//!
//! ```text
//! operator ── transfer_leader(S2) ─► S1 ── Append ───► S2
//!                                       ◄─ response ──
//!                                       ── TimeoutNow ► S2 ── RequestVote { transfer } ─► all
//! ```
//!
//! Off by default: only an operator, or a load balancer, needs it.

use super::message::Kind;
use super::raft::{Error, Raft, Role};
use super::storage::Storage;
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Starts a transfer of leadership to `to`; an unfinished one to another node is cancelled.
    ///
    /// # Errors
    /// [`Error::Disabled`], [`Error::NotLeader`] (ask the leader), [`Error::PeerNotFound`]:
    /// nothing was started.
    pub fn transfer_leader(&mut self, to: ServerId) -> Result<(), Error> {
        // Handout 2B: for leader transfer only.
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
        // The transfer as a whole may take one election timeout.
        self.election_elapsed = 0;
        if !self.complete_transfer(slot) {
            self.send_append(slot);
        }
        Ok(())
    }

    /// The node that leadership is being transferred to.
    pub const fn lead_transferee(&self) -> Option<ServerId> {
        self.lead_transferee
    }

    /// Tells the chosen node to start an election if it has the whole log; returns whether it did.
    pub(super) fn complete_transfer(&mut self, slot: usize) -> bool {
        // Handout 2B: for leader transfer only; otherwise false.
        let node = &self.prs[slot];
        let (id, matched) = (node.id, node.matched);
        let ready = self.lead_transferee == Some(id) && matched == self.log.last_index();
        if ready {
            self.send(id, Kind::TimeoutNow);
        }
        ready
    }

    /// Starts the election that the leader asked for: without a pre-vote, and in spite of leases.
    pub(super) fn on_timeout_now(&mut self) {
        // Handout 2A: for leader transfer only: start an election at once.
        if self.config.leader_transfer {
            self.hup(true);
        }
    }
}
