//! Heartbeats: that a leader lives, apart from what it appends.
//!
//! A heartbeat has no log position, so it is small and always welcome, and it repairs nothing by
//! itself: the answer tells the leader that the follower is there, and if its log is behind, the
//! leader sends it an append.
//!
//! Differs: a heartbeat is a message of its own, not an `AppendEntries` without entries
//! (Raft §5.2).

use super::message::Kind;
use super::progress::Flow;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::{Index, ServerId};

impl<S: Storage> Raft<S> {
    /// Sends a heartbeat to everybody, if this node leads.
    pub(super) fn beat(&mut self) {
        if self.role != Role::Leader {
            return;
        }
        let round = self.reads.round();
        for slot in 0..self.prs.len() {
            if self.prs[slot].id != self.id {
                self.send_heartbeat(slot, round);
            }
        }
    }

    /// Sends one heartbeat. The follower may commit what it is known to have, and no more: beyond
    /// that it may hold entries of a deposed leader at the same indices.
    pub(super) fn send_heartbeat(&mut self, slot: usize, round: u64) {
        let (to, matched) = (self.prs[slot].id, self.prs[slot].matched);
        let commit = matched.min(self.log.committed());
        self.send(to, Kind::Heartbeat { commit, round });
    }

    /// Takes in a leader's sign of life.
    pub(super) fn on_heartbeat(&mut self, from: ServerId, commit: Index, round: u64) {
        self.log.commit_to(commit.min(self.log.last_index()));
        self.send(from, Kind::HeartbeatResponse { round });
    }

    /// A follower is there: it may be sent more, and is, if its log is behind.
    pub(super) fn on_heartbeat_response(&mut self, slot: usize, round: u64) {
        self.resume(slot);
        if self.prs[slot].matched < self.log.last_index() {
            self.send_append(slot);
        }
        self.on_round_answered(slot, round);
    }

    /// Lets a paced follower have one more append, since what was under way may be lost.
    fn resume(&mut self, slot: usize) {
        let patience = self.config.election_tick.div_ceil(self.config.heartbeat_tick);
        let inflight_max = self.inflight_max();
        let node = &mut self.prs[slot];
        match &mut node.flow {
            Flow::Probe { sent } => *sent = false,
            Flow::Replicate if node.inflight.len() >= inflight_max => {
                node.inflight.pop_front();
            }
            Flow::Replicate => {}
            // A snapshot that nobody reports on must not silence the leader for ever.
            Flow::Snapshot { answered, .. } if *answered >= patience => node.become_probe(),
            Flow::Snapshot { answered, .. } => *answered += 1,
        }
    }
}
