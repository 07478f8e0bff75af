//! Replication: how a leader sends entries, how a follower stores them, when they are committed
//! (Raft §5.3, §5.4.2).
//!
//! ```text
//! leader    prev ├─ entries ──────┤           next advances at once, as if they had arrived
//!                │                 ╲
//! follower       └ has prev? ───────► append, commit up to the last new entry, return its index
//!                    no ────────────► return the last place at which the logs could agree
//! ```
//!
//! Entries that are sent to the same follower before the outbox is emptied share one append, which
//! also carries the newest commit index: under load a [`Ready`](super::Ready) has one append per
//! follower.

use bytes::Bytes;

use super::message::{Kind, Message};
use super::progress::{Flow, Outgoing};
use super::raft::{Error, Raft, Role};
use super::storage::Storage;
use crate::api::{Entry, Index, Position, ServerId};

impl<S: Storage> Raft<S> {
    /// Appends a command to the log and sends it to every other node.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`]: this node does not lead, or is transferring its leadership.
    pub fn propose(&mut self, data: Bytes) -> Result<Position, Error> {
        // Handout 2B: append the command if this node leads; send it to all others.
        if self.role != Role::Leader || self.lead_transferee.is_some() {
            return Err(Error::ProposalDropped { leader: self.lead });
        }
        let position = self.append_entry(data);
        self.broadcast_append();
        Ok(position)
    }

    /// Appends an entry of this term to a leader's log, and counts the leader's own copy.
    ///
    /// The copy may count before it is on disk: messages that rely on it leave in a later
    /// [`Ready`](super::Ready) than the one that stores the entry. In a cluster of one it is the
    /// same `Ready`, which stores the entry before it applies it.
    pub(super) fn append_entry(&mut self, data: Bytes) -> Position {
        // Handout 2A: append an entry of this term, such as the no-op; your own copy counts.
        let index = self.log.last_index().next();
        self.log.push(Entry { term: self.term, index, data });
        if let Some(slot) = self.prs.slot(self.id) {
            self.prs[slot].matched = index;
            self.prs[slot].next = index.next();
        }
        self.try_commit();
        Position { term: self.term, index }
    }

    /// Sends an append to every other node: with the entries that it lacks, or without entries.
    pub(super) fn broadcast_append(&mut self) {
        // Handout 2B: send every other node an append.
        for slot in 0..self.prs.len() {
            if self.prs[slot].id != self.id {
                self.send_append(slot);
            }
        }
    }

    /// Sends one node the entries that it lacks, or an append without entries if it lacks none.
    ///
    /// Sends a snapshot if those entries are compacted, and nothing while the node is paused.
    pub(super) fn send_append(&mut self, slot: usize) {
        // Handout 2B: send one node the entries after its `next`; 2D: a snapshot if they are gone.
        let inflight_max = self.inflight_max();
        let last = self.log.last_index();
        loop {
            if self.prs[slot].is_paused(inflight_max) {
                return;
            }
            if !self.join_outgoing(slot) {
                let prev = self.prs[slot].next.prev();
                let Some(term) = self.log.term_at(prev) else { return self.send_snapshot(slot) };
                self.push_append(slot, Position { term, index: prev });
            }
            if self.prs[slot].next > last {
                return;
            }
        }
    }

    /// Pushes an append with the entries after `prev`, as many as one append may carry.
    fn push_append(&mut self, slot: usize, prev: Position) {
        // Handout: left out.
        let (entries, bytes) = self.batch_after(prev.index, 0, true);
        let commit = self.log.committed();
        let last = prev.index.plus(entries.len());
        self.prs[slot].outgoing = Outgoing { epoch: self.epoch, at: self.msgs.len(), bytes };
        let (to, sent) = (self.prs[slot].id, !entries.is_empty());
        self.send(to, Kind::Append { prev, entries, commit });
        self.note_sent(slot, last, sent);
    }

    /// Tries to add a node's missing entries to its append in the outbox; returns whether it did.
    fn join_outgoing(&mut self, slot: usize) -> bool {
        // Handout: left out.
        let Outgoing { epoch, at, bytes } = self.prs[slot].outgoing;
        if epoch != self.epoch || self.prs[slot].flow != Flow::Replicate {
            return false;
        }
        let Some(Message { kind: Kind::Append { prev, entries, .. }, .. }) = self.msgs.get(at)
        else {
            return false;
        };
        let (prev_index, end) = (prev.index, prev.index.plus(entries.len()));
        if end.next() != self.prs[slot].next {
            return false;
        }
        let (more, added) = self.batch_after(end, bytes, false);
        if more.is_empty() && end < self.log.last_index() {
            return false;
        }
        let (last, committed) = (end.plus(more.len()), self.log.committed());
        if let Kind::Append { entries, commit, .. } = &mut self.msgs[at].kind {
            entries.extend(more);
            *commit = committed;
        }
        let node = &mut self.prs[slot];
        node.outgoing.bytes = bytes + added;
        // It counts as one append, however many entries joined it.
        let is_counted = end > prev_index && node.inflight.back() == Some(&end);
        if is_counted {
            node.inflight.pop_back();
        }
        self.note_sent(slot, last, is_counted || last > end);
        true
    }

    /// The entries after `prev` that fit into an append that already has `bytes`, and their size.
    ///
    /// The size is 0 where there is no limit.
    fn batch_after(&self, prev: Index, bytes: usize, at_least_one: bool) -> (Vec<Entry>, usize) {
        // Handout: left out.
        let bytes_max =
            self.config.flow_control.map_or(usize::MAX, |limits| limits.append_bytes_max);
        let entries = self.log.slice(prev.next(), self.log.last_index().next());
        if bytes_max == usize::MAX {
            return (entries.cloned().collect(), 0);
        }
        let mut total = bytes;
        let mut batch = Vec::new();
        for entry in entries {
            total += entry.data.len();
            if total > bytes_max && !(at_least_one && batch.is_empty()) {
                total -= entry.data.len();
                break;
            }
            batch.push(entry.clone());
        }
        (batch, total - bytes)
    }

    /// Notes that an append up to `last` was sent.
    ///
    /// A probe pauses the node until a response. Otherwise `next` advances, on the assumption that
    /// the append arrives; with flow control, an append with entries is counted as in flight.
    fn note_sent(&mut self, slot: usize, last: Index, has_entries: bool) {
        // Handout: left out.
        let paced = self.config.flow_control.is_some();
        let node = &mut self.prs[slot];
        match &mut node.flow {
            Flow::Probe { sent } => *sent = true,
            _ => {
                node.next = last.next();
                if paced && has_entries {
                    node.inflight.push_back(last);
                }
            }
        }
    }

    /// Maximum number of appends in flight to one follower.
    pub(super) fn inflight_max(&self) -> usize {
        // Handout: left out.
        self.config.flow_control.map_or(usize::MAX, |limits| limits.inflight_max)
    }

    /// Handles a leader's append (Figure 2, AppendEntries).
    ///
    /// If a snapshot covers the entry after `prev`, the response has the commit index: the logs
    /// agree at least up to there.
    pub(super) fn on_append(
        &mut self,
        from: ServerId,
        prev: Position,
        entries: Vec<Entry>,
        commit: Index,
    ) {
        // Handout 2B: append if the log has `prev`, and answer with the index that now agrees.
        if prev.index < self.log.truncated().index {
            let index = self.log.committed();
            return self.send(from, Kind::AppendResponse { index, rejection: None });
        }
        let kind = match self.log.append(prev, commit, entries) {
            Some(last_new) => Kind::AppendResponse { index: last_new, rejection: None },
            None => {
                // The leader's entries up to `prev` have at most the term of `prev`. Our entries of
                // newer terms cannot match them: skip these.
                let hint = self.log.last_with_term_at_most(prev.term, prev.index.prev());
                Kind::AppendResponse { index: prev.index, rejection: Some(hint) }
            }
        };
        self.send(from, kind);
    }

    /// Handles a response that a follower has the log up to `index`.
    pub(super) fn on_accepted(&mut self, slot: usize, index: Index) {
        // Handout 2B: note what the follower has; commit what a majority has.
        let inflight_max = self.inflight_max();
        let node = &mut self.prs[slot];
        let was_paused = node.is_paused(inflight_max);
        let is_news = node.update(index);
        let arrived = match node.flow {
            Flow::Probe { .. } => index >= node.matched,
            Flow::Snapshot { index: end, .. } => node.matched >= end,
            Flow::Replicate => false,
        };
        if arrived {
            node.become_replicate();
        }
        if !is_news && !arrived {
            return;
        }
        if self.try_commit() {
            self.release_reads();
            if self.config.broadcast_commit {
                self.broadcast_append();
            }
        }
        // While it was paused, it may have missed entries or a new commit index.
        if was_paused || self.prs[slot].next <= self.log.last_index() {
            self.send_append(slot);
        }
        self.complete_transfer(slot);
    }

    /// Commits what a majority has, if its last entry is of this term; returns whether it did.
    ///
    /// "Only log entries from the leader's current term are committed by counting replicas"
    /// (Raft §5.4.2): an entry of an older term that a majority has may still be replaced
    /// (Figure 8). The no-op entry of each leader ensures that there is an entry to count.
    fn try_commit(&mut self) -> bool {
        // Handout: left out.
        if self.role != Role::Leader {
            return false;
        }
        let index = self.prs.majority_has(|node| node.matched);
        self.log.commit(index, self.term)
    }

    /// Handles a rejection: the follower lacks `prev`, so go back to where both logs could agree.
    pub(super) fn on_rejected(&mut self, slot: usize, prev: Index, hint: Position) {
        // Handout 2B: go back to where both logs may agree, and send again.
        // The follower's entries up to the hint have at most the hint's term. Our entries of newer
        // terms cannot match them: skip these.
        let agreed = self.log.last_with_term_at_most(hint.term, hint.index).index;
        let node = &mut self.prs[slot];
        if !node.back_up(prev, agreed) {
            return;
        }
        if self.config.flow_control.is_some() {
            node.become_probe();
        }
        self.send_append(slot);
    }

    /// Reports that the transport could not reach a node.
    ///
    /// With flow control, the appends in flight to the node are assumed to be lost.
    pub fn report_unreachable(&mut self, id: ServerId) {
        // Handout 2B: with flow control, send again what was in flight; else nothing.
        let Some(slot) = self.prs.slot(id) else { return };
        let node = &mut self.prs[slot];
        if self.config.flow_control.is_some() && node.flow == Flow::Replicate {
            node.next = node.matched.next();
            node.become_probe();
        }
    }
}
