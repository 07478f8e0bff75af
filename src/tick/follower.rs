//! How a follower handles a message.

use super::message::Kind;
use super::raft::Raft;
use super::storage::Storage;
use crate::api::ServerId;

impl<S: Storage> Raft<S> {
    /// Handles a message of the node's own term.
    ///
    /// The sender of a leader's message is the leader of this term. Responses to appends,
    /// heartbeats and vote requests are ignored: a follower waits for none.
    pub(super) fn step_follower(&mut self, from: ServerId, kind: Kind) {
        if kind.is_from_leader() {
            self.election_elapsed = 0;
            self.lead = Some(from);
        }
        match kind {
            Kind::Append { prev, entries, commit } => self.on_append(from, prev, entries, commit),
            Kind::Heartbeat { commit, round } => self.on_heartbeat(from, commit, round),
            Kind::Snapshot { snapshot } => self.on_snapshot(from, *snapshot),
            Kind::TimeoutNow => self.on_timeout_now(),
            Kind::ReadIndexResponse { context, index } => self.on_read_answer(context, index),
            _ => {}
        }
    }
}
