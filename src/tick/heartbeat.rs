//! Heartbeats: a leader's sign of life, apart from its appends.
//!
//! A heartbeat has no log position, so it is small, and no follower rejects it. It repairs nothing
//! by itself: the response tells the leader that the follower is alive, and if the follower's log
//! is behind, the leader sends an append.
//!
//! Differs: a heartbeat is a message of its own, not an `AppendEntries` without entries
//! (Raft §5.2).

use super::message::Kind;
use super::progress::Flow;
use super::raft::{Raft, Role};
use super::storage::Storage;
use crate::api::{Index, ServerId};

impl<S: Storage> Raft<S> {
    /// Handles one tick on a leader.
    pub(super) fn tick_heartbeat(&mut self) {
        // Handout 2A: count the tick; when it is time, send heartbeats.
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

    /// Sends a heartbeat to every other node, if this node leads.
    pub(super) fn beat(&mut self) {
        // Handout 2A: send a heartbeat to every other node, if this node leads.
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

    /// Sends one heartbeat.
    ///
    /// The follower may commit only what it is known to have: beyond that, it may have entries of a
    /// deposed leader at the same indices.
    pub(super) fn send_heartbeat(&mut self, slot: usize, round: u64) {
        // Handout 2A: send one; 2B: which commit index may this follower have?
        let (to, matched) = (self.prs[slot].id, self.prs[slot].matched);
        let commit = matched.min(self.log.committed());
        self.send(to, Kind::Heartbeat { commit, round });
    }

    /// Handles a leader's heartbeat: commits as far as it says, and responds.
    pub(super) fn on_heartbeat(&mut self, from: ServerId, commit: Index, round: u64) {
        // Handout 2A: answer; 2B: commit as far as the leader says.
        self.log.commit_to(commit.min(self.log.last_index()));
        self.send(from, Kind::HeartbeatResponse { round });
    }

    /// Handles a heartbeat response: resumes the follower, and repairs its log if it is behind.
    pub(super) fn on_heartbeat_response(&mut self, slot: usize, round: u64) {
        // Handout 2A: nothing yet; 2B: send the follower what it lacks.
        self.resume(slot);
        if self.prs[slot].matched < self.log.last_index() {
            self.send_append(slot);
        }
        self.on_round_answered(slot, round);
    }

    /// Allows a paused follower one more append, since the appends in flight may be lost.
    fn resume(&mut self, slot: usize) {
        // Handout: left out.
        let patience = self.config.election_tick.div_ceil(self.config.heartbeat_tick);
        let inflight_max = self.inflight_max();
        let node = &mut self.prs[slot];
        match &mut node.flow {
            Flow::Probe { sent } => *sent = false,
            Flow::Replicate if node.inflight.len() >= inflight_max => {
                node.inflight.pop_front();
            }
            Flow::Replicate => {}
            // A snapshot without a report must not silence the leader for ever.
            Flow::Snapshot { answered, .. } if *answered >= patience => node.become_probe(),
            Flow::Snapshot { answered, .. } => *answered += 1,
        }
    }
}
