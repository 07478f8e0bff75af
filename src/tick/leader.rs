//! How a leader handles a message, a command and a tick.

use bytes::Bytes;

use super::message::Kind;
use super::raft::{Error, Raft, Role};
use super::storage::Storage;
use crate::api::{Position, ServerId};

impl<S: Storage> Raft<S> {
    /// Handles a message of the leader's own term: a response or a follower's read.
    pub(super) fn step_leader(&mut self, from: ServerId, kind: Kind) {
        let Some(slot) = self.prs.slot(from) else { return };
        match kind {
            Kind::AppendResponse { index, rejection } => {
                self.prs[slot].recent_active = true;
                match rejection {
                    None => self.on_accepted(slot, index),
                    Some(hint) => self.on_rejected(slot, index, hint),
                }
            }
            Kind::HeartbeatResponse { round } => {
                self.prs[slot].recent_active = true;
                self.on_heartbeat_response(slot, round);
            }
            Kind::ReadIndex { context } => self.read_for(from, context),
            _ => {}
        }
    }

    /// Appends a command to the log and sends it to every other node.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`]: this node does not lead, or is transferring its leadership.
    pub fn propose(&mut self, data: Bytes) -> Result<Position, Error> {
        if self.role != Role::Leader || self.lead_transferee.is_some() {
            return Err(Error::ProposalDropped { leader: self.lead });
        }
        let position = self.append_entry(data);
        self.broadcast_append();
        Ok(position)
    }

    /// Handles one tick on a leader.
    pub(super) fn tick_heartbeat(&mut self) {
        self.election_elapsed += 1;
        self.heartbeat_elapsed += 1;
        if self.election_elapsed >= self.config.election_tick {
            self.election_elapsed = 0;
            self.check_quorum();
            self.lead_transferee = None;
        }
        if self.role == Role::Leader && self.heartbeat_elapsed >= self.config.heartbeat_tick {
            self.heartbeat_elapsed = 0;
            self.beat();
        }
    }
}
