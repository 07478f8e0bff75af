//! Reads without a log entry (thesis §6.4).
//!
//! A read may use a leader's commit index if the leader still leads; otherwise another leader may
//! have committed more. So the leader notes the index, starts a *round*, and waits until a majority
//! has responded, in the leader's term, to a heartbeat of that round. Heartbeats carry the newest
//! round, so one response confirms all earlier reads too, and losing one is harmless: the next
//! heartbeat repeats the round.
//!
//! ```text
//! read ──► leader: index 7, round 3 ── Heartbeat { round: 3 } ─► majority
//!                                      ◄─ HeartbeatResponse ───
//!          ReadState { index: 7 }: answer once entry 7 is applied
//! ```
//!
//! A new leader does not know how far its predecessors had committed, so reads wait until an
//! entry of its own term is committed. A follower may ask too: its request travels to the leader.
//! A lost request or response is not repeated: the application asks again under a new name.
//!
//! Off by default: a read through the log needs no such safety argument.
//!
//! Differs: reads by lease (thesis §6.4.1) are left out. A leader that checks its majority once per
//! election timeout learns too late that its lease has ended.

use std::collections::VecDeque;

use super::message::Kind;
use super::raft::{Error, Raft};
use super::storage::Storage;
use crate::api::{Index, ServerId};

/// A read that may be answered: the leadership was confirmed after the read was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadState {
    /// The application's own name for the read.
    pub context: u64,
    /// A state machine that has applied this entry may answer.
    pub index: Index,
}

/// The reads that wait on a leader.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The newest round; 0 before the first.
    round: u64,
    /// The epoch of the outbox that has the newest round's heartbeats: until the outbox is emptied,
    /// more reads may join the round.
    epoch: u64,
    /// Reads whose round is not confirmed, oldest first.
    waiting: VecDeque<Waiting>,
    /// Reads that came before this term's first commit.
    postponed: Vec<(ServerId, u64)>,
}

#[derive(Debug)]
struct Waiting {
    round: u64,
    from: ServerId,
    context: u64,
    index: Index,
}

impl Reads {
    /// Forgets all reads; each term numbers its rounds from 1 again.
    pub(super) fn clear(&mut self) {
        // Handout 2A: forget all reads.
        self.round = 0;
        self.epoch = 0;
        self.waiting.clear();
        self.postponed.clear();
    }

    /// The round that heartbeats carry: the newest one while a read waits, else 0.
    pub(super) fn round(&self) -> u64 {
        // Handout 2A: the round that heartbeats carry: 0 while no read waits.
        if self.waiting.is_empty() { 0 } else { self.round }
    }
}

impl<S: Storage> Raft<S> {
    /// Finds the index that a read must wait for; it comes in a later [`Ready`](super::Ready).
    ///
    /// # Errors
    /// [`Error::Disabled`], or [`Error::NotLeader`] without a known leader: ask again later.
    pub fn read_index(&mut self, context: u64) -> Result<(), Error> {
        // Handout 2B: accept the read if this node leads; else pass it on.
        if !self.config.read_index {
            return Err(Error::Disabled);
        }
        match self.lead {
            Some(lead) if lead == self.id => self.read_for(lead, context),
            Some(lead) => self.send(lead, Kind::ReadIndex { context }),
            None => return Err(Error::NotLeader { leader: None }),
        }
        Ok(())
    }

    /// Accepts a read on a leader: its own or a follower's.
    pub(super) fn read_for(&mut self, from: ServerId, context: u64) {
        // Handout 2B: note the commit index; who else must confirm that you lead?
        let index = self.log.committed();
        if !self.config.read_index {
            // The follower has the feature on, this leader has it off: the read is ignored.
        } else if self.log.term_at(index) != Some(self.term) {
            self.reads.postponed.push((from, context));
        } else if self.prs.len() == 1 {
            self.answer_read(from, context, index);
        } else {
            self.start_round(Waiting { round: 0, from, context, index });
        }
    }

    /// Lets a read wait for the round whose heartbeats have not left yet, or for a new round.
    fn start_round(&mut self, read: Waiting) {
        // Handout: left out.
        let joins = self.reads.epoch == self.epoch && !self.reads.waiting.is_empty();
        if !joins {
            self.reads.round += 1;
            self.reads.epoch = self.epoch;
        }
        let round = self.reads.round;
        self.reads.waiting.push_back(Waiting { round, ..read });
        if !joins {
            self.beat();
        }
    }

    /// Accepts the reads that waited for this term's first commit.
    pub(super) fn release_reads(&mut self) {
        // Handout 2B: accept the reads that waited for the first commit of this term.
        if self.reads.postponed.is_empty() {
            return;
        }
        for (from, context) in std::mem::take(&mut self.reads.postponed) {
            self.read_for(from, context);
        }
    }

    /// Handles a response to a heartbeat of `round`: the node was in this term after it began.
    pub(super) fn on_round_answered(&mut self, slot: usize, round: u64) {
        // Handout 2B: answer the reads that a majority has confirmed.
        if round <= self.prs[slot].round {
            return;
        }
        self.prs[slot].round = round;
        let (id, newest) = (self.id, self.reads.round);
        let confirmed =
            self.prs.majority_has(|node| if node.id == id { newest } else { node.round });
        while self.reads.waiting.front().is_some_and(|read| read.round <= confirmed) {
            let Some(read) = self.reads.waiting.pop_front() else { return };
            self.answer_read(read.from, read.context, read.index);
        }
    }

    fn answer_read(&mut self, from: ServerId, context: u64, index: Index) {
        // Handout: left out.
        if from == self.id {
            self.read_states.push(ReadState { context, index });
        } else {
            self.send(from, Kind::ReadIndexResponse { context, index });
        }
    }

    /// Handles the leader's response to this follower's read.
    pub(super) fn on_read_answer(&mut self, context: u64, index: Index) {
        // Handout 2B: hand the leader's answer to the application.
        self.read_states.push(ReadState { context, index });
    }
}
