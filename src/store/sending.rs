//! The sender's side of a snapshot: chunks to each follower that needs one, then the message.
//!
//! ```text
//! core ── Snapshot message ──► kept back
//!                              chunk 0, 1, 2, … ──► follower     a few in flight at a time
//!                              ◄── wants 3                       lost ones are sent again
//!                              Snapshot message ──► follower     when all chunks are there
//! core ◄── done, or lost
//! ```
//!
//! A snapshot that was given up is not forgotten: when the core asks for it again, the sender
//! continues with the first chunk that the follower lacks. Nothing here waits or makes a call; the
//! actions to take are returned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::config::{CHUNK_LOSSES_MAX, StoreConfig};
use super::error::StoreError;
use super::image::{Cutter, View};
use super::rpc::{ChunkArgs, ChunkReply};
use super::server::StoreUsage;
use crate::api::{Index, Position, ServerId};
use crate::tick::Message;

/// An action that the owner must take.
#[derive(Debug)]
pub(super) enum Action {
    /// Send a chunk, and report the outcome.
    Send(ChunkCall),
    /// Send the message: the follower has all chunks.
    Deliver(Message),
    /// Tell the core that the snapshot to this follower is lost.
    GiveUp(ServerId),
}

/// A call that sends a chunk, and the state of the transfer when it was made.
#[derive(Debug, Clone)]
pub(super) struct ChunkCall {
    pub(super) to: ServerId,
    pub(super) args: ChunkArgs,
    /// The attempt to which it belongs.
    attempt: u64,
    /// How many chunks the follower had confirmed when this one was sent.
    confirmed: u64,
}

/// All snapshots that are being sent, at most one to a follower.
pub(super) struct Sending {
    config: StoreConfig,
    transfers: BTreeMap<ServerId, Transfer>,
    /// Attempts so far. Outcomes of an earlier attempt are ignored.
    attempts: u64,
    usage: StoreUsage,
}

/// A snapshot that is being sent to one follower.
struct Transfer {
    message: Message,
    view: Arc<View>,
    cutter: Cutter,
    stage: Stage,
    attempt: u64,
    /// Chunks that were cut so far.
    cut: u64,
    /// Whether the last chunk was cut.
    is_cut: bool,
    /// The follower has all chunks before this one.
    confirmed: u64,
    /// Chunks that the follower has not confirmed, and the last one of all.
    kept: BTreeMap<u64, Chunk>,
    /// Chunks before this one were sent in this attempt.
    sent_up_to: u64,
    /// Chunks in `kept` whose calls have not ended.
    in_flight: BTreeSet<u64>,
    /// Calls without a reply since the last one with a reply.
    losses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Chunks,
    Message,
    GivenUp,
}

struct Chunk {
    data: Bytes,
    is_last: bool,
}

impl Sending {
    pub(super) fn new(config: StoreConfig) -> Sending {
        let (transfers, usage) = (BTreeMap::new(), StoreUsage::default());
        Sending { config, transfers, attempts: 0, usage }
    }

    /// How many chunks and snapshots were sent.
    pub(super) const fn usage(&self) -> StoreUsage {
        self.usage
    }

    pub(super) fn is_empty(&self) -> bool {
        self.transfers.is_empty()
    }

    /// The last entry of the snapshot that is being sent to a follower.
    pub(super) fn position(&self, to: ServerId) -> Option<Position> {
        let transfer = self.transfers.get(&to).filter(|known| known.stage != Stage::GivenUp)?;
        Some(transfer.view.position())
    }

    /// Forgets the snapshots that were given up and after which the log no longer continues.
    pub(super) fn forget_before(&mut self, truncated: Index) {
        self.transfers.retain(|_, transfer| {
            transfer.stage != Stage::GivenUp || transfer.view.position().index >= truncated
        });
    }

    /// Forgets all snapshots: the server no longer leads.
    pub(super) fn clear(&mut self) {
        self.transfers.clear();
    }

    /// Begins to send a snapshot to a follower; its data are `view`.
    ///
    /// A different snapshot that is being sent to the same follower is replaced; the same one
    /// continues.
    pub(super) fn begin(
        &mut self,
        message: Message,
        view: Arc<View>,
    ) -> Result<Vec<Action>, StoreError> {
        let to = message.to;
        let attempt = self.next_attempt();
        match self.transfers.get_mut(&to) {
            Some(known) if known.view.position() == view.position() => {
                known.message = message;
                if known.stage != Stage::GivenUp {
                    return Ok(Vec::new());
                }
                known.resume(attempt);
            }
            _ => drop(self.transfers.insert(to, Transfer::new(message, view, attempt))),
        }
        self.pump(to)
    }

    /// Handles the outcome of a chunk: `None` if there was no reply.
    pub(super) fn on_chunk(
        &mut self,
        call: &ChunkCall,
        reply: Option<ChunkReply>,
    ) -> Result<Vec<Action>, StoreError> {
        let (to, number) = (call.to, call.args.number);
        let again = self.attempts + 1;
        let Some(transfer) = self.transfers.get_mut(&to) else { return Ok(Vec::new()) };
        if transfer.attempt != call.attempt || transfer.stage != Stage::Chunks {
            return Ok(Vec::new());
        }
        transfer.in_flight.remove(&number);
        match reply {
            None => {
                transfer.losses += 1;
                if transfer.losses > CHUNK_LOSSES_MAX {
                    transfer.stage = Stage::GivenUp;
                    return Ok(vec![Action::GiveUp(to)]);
                }
                let again = self.send(to, number);
                self.usage.chunks_resent += u64::from(again.is_some());
                return Ok(again.into_iter().collect());
            }
            Some(ChunkReply::Wants(next)) if next < call.confirmed => {
                // It had more once, so it has crashed since, and lost all of it.
                self.attempts = again;
                transfer.restart(again);
            }
            Some(ChunkReply::Wants(next)) => transfer.confirm(next),
            Some(ChunkReply::Has) => transfer.confirm(u64::MAX),
            Some(ChunkReply::Stale) => {
                self.transfers.remove(&to);
                return Ok(vec![Action::GiveUp(to)]);
            }
        }
        self.pump(to)
    }

    /// Handles the outcome of the message to a follower: whether it was answered.
    pub(super) fn on_delivered(&mut self, to: ServerId, position: Position, answered: bool) {
        if self.position(to) != Some(position) {
            return;
        }
        if answered {
            self.transfers.remove(&to);
            self.usage.snapshots_sent += 1;
        } else if let Some(transfer) = self.transfers.get_mut(&to) {
            transfer.stage = Stage::GivenUp;
        }
    }

    fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    /// Sends as many chunks as may be in flight, or the message if the follower has all chunks.
    fn pump(&mut self, to: ServerId) -> Result<Vec<Action>, StoreError> {
        let StoreConfig { chunk_bytes, chunks_in_flight, .. } = self.config;
        let Some(transfer) = self.transfers.get_mut(&to) else { return Ok(Vec::new()) };
        if transfer.is_confirmed() {
            transfer.stage = Stage::Message;
            return Ok(vec![Action::Deliver(transfer.message.clone())]);
        }
        while !transfer.is_cut && transfer.kept.len() < chunks_in_flight.max(1) {
            let (data, is_last) = transfer.cutter.cut(chunk_bytes.max(1))?;
            transfer.kept.insert(transfer.cut, Chunk { data, is_last });
            transfer.cut += 1;
            transfer.is_cut = is_last;
        }
        let confirmed = transfer.confirmed;
        let idle: Vec<u64> = transfer
            .kept
            .keys()
            .copied()
            // The follower may hold a later chunk already, but it lacks the one that it asks for.
            .filter(|number| !transfer.in_flight.contains(number))
            .filter(|number| *number == confirmed || !transfer.was_sent(*number))
            .collect();
        Ok(idle.into_iter().filter_map(|number| self.send(to, number)).collect())
    }

    /// Makes the call that sends a chunk.
    fn send(&mut self, to: ServerId, number: u64) -> Option<Action> {
        let transfer = self.transfers.get_mut(&to)?;
        let chunk = transfer.kept.get(&number)?;
        let args = ChunkArgs {
            from: transfer.message.from,
            term: transfer.message.term,
            position: transfer.view.position(),
            number,
            is_last: chunk.is_last,
            data: chunk.data.clone(),
        };
        let (attempt, confirmed) = (transfer.attempt, transfer.confirmed);
        transfer.in_flight.insert(number);
        transfer.sent_up_to = transfer.sent_up_to.max(number + 1);
        self.usage.chunks_sent += 1;
        Some(Action::Send(ChunkCall { to, args, attempt, confirmed }))
    }
}

impl Transfer {
    fn new(message: Message, view: Arc<View>, attempt: u64) -> Transfer {
        Transfer {
            message,
            cutter: Cutter::new(view.clone()),
            view,
            stage: Stage::Chunks,
            attempt,
            cut: 0,
            is_cut: false,
            confirmed: 0,
            kept: BTreeMap::new(),
            sent_up_to: 0,
            in_flight: BTreeSet::new(),
            losses: 0,
        }
    }

    /// Starts again with the first chunk.
    fn restart(&mut self, attempt: u64) {
        *self = Transfer::new(self.message.clone(), self.view.clone(), attempt);
    }

    /// Continues after the snapshot was given up.
    ///
    /// It continues with the first chunk that the follower may lack, or with the last chunk, to
    /// learn whether the follower still has the others.
    fn resume(&mut self, attempt: u64) {
        let asks = self.confirmed.min(self.cut.saturating_sub(1));
        if asks < self.cut && !self.kept.contains_key(&asks) {
            return self.restart(attempt);
        }
        (self.stage, self.attempt, self.losses) = (Stage::Chunks, attempt, 0);
        self.in_flight.clear();
        (self.confirmed, self.sent_up_to) = (asks, asks);
    }

    /// Records that the follower has all chunks before `next`.
    fn confirm(&mut self, next: u64) {
        self.losses = 0;
        self.confirmed = self.confirmed.max(next);
        let (cut, confirmed) = (self.cut, self.confirmed);
        // The last chunk is kept: see `resume`.
        self.kept
            .retain(|number, chunk| *number >= confirmed || chunk.is_last && *number + 1 == cut);
    }

    fn is_confirmed(&self) -> bool {
        self.confirmed == u64::MAX || self.is_cut && self.confirmed >= self.cut
    }

    /// Whether a chunk was sent in this attempt.
    const fn was_sent(&self, number: u64) -> bool {
        number < self.sent_up_to
    }
}
