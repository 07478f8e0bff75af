//! A node as its application uses it: inputs go in, and a `Ready` with work for it comes out.

use bytes::Bytes;

use super::config::{Chance, Config};
use super::message::{Local, Message};
use super::raft::{Error, Raft};
use super::ready::{Ready, SoftState};
use super::storage::{HardState, Storage};
use crate::api::{Index, Position, ServerId};

/// A node, with a record of the state that its application knows.
///
/// It has one owner and does nothing by itself. The owner's loop:
///
/// ```
/// use bytes::Bytes;
/// use raftlab::api::ServerId;
/// use raftlab::tick::{Config, MemoryStorage, RawNode};
///
/// let config = Config::new(ServerId(1), vec![ServerId(1)]);
/// let mut node = RawNode::new(config, MemoryStorage::new(), Box::new(|_| 0))?;
/// node.campaign();
/// node.propose(Bytes::from("a command"))?;
///
/// let mut applied = Vec::new();
/// while node.has_ready() {
///     let ready = node.ready();
///     let storage = node.storage_mut();
///     storage.append(ready.entries);
///     if let Some(hard_state) = ready.hard_state {
///         storage.set_hard_state(hard_state);
///     }
///     // In a cluster of one there are no `ready.messages` to send.
///     applied.extend(ready.committed_entries.into_iter().map(|entry| entry.data));
///     node.advance();
/// }
/// assert_eq!(applied, ["", "a command"]);
/// # Ok::<(), raftlab::tick::Error>(())
/// ```
#[derive(Debug)]
pub struct RawNode<S> {
    raft: Raft<S>,
    told_soft: SoftState,
    told_hard: HardState,
    handed: Option<Handed>,
}

/// The contents of the current [`Ready`], as the node needs them in `advance`.
#[derive(Debug)]
struct Handed {
    soft: SoftState,
    hard: HardState,
    last_entry: Option<Position>,
    snapshot: Option<Index>,
    applied: Option<Index>,
}

impl<S: Storage> RawNode<S> {
    /// Starts a node that continues from its storage.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Storage`]: nothing was started.
    pub fn new(config: Config, storage: S, chance: Box<dyn Chance>) -> Result<RawNode<S>, Error> {
        // Handout 2A: make the node; remember what its application knows.
        let raft = Raft::new(config, storage, chance)?;
        let told_soft = SoftState { lead: raft.lead, role: raft.role };
        let told_hard = raft.hard_state();
        Ok(RawNode { raft, told_soft, told_hard, handed: None })
    }

    /// Counts one tick, which is the node's only clock.
    #[inline]
    pub fn tick(&mut self) {
        self.raft.tick();
    }

    /// Handles a message from another node.
    ///
    /// # Errors
    /// [`Error::Misdirected`] if it is for another node, [`Error::PeerNotFound`] if it is a
    /// response from a node outside the cluster: nothing changes.
    pub fn step(&mut self, message: Message) -> Result<(), Error> {
        if message.to != self.raft.id {
            return Err(Error::Misdirected(message.to));
        }
        if message.is_response() && self.raft.prs.slot(message.from).is_none() {
            return Err(Error::PeerNotFound(message.from));
        }
        self.raft.step(message);
        Ok(())
    }

    /// Starts an election now, without waiting for a timeout. A leader stays the leader.
    pub fn campaign(&mut self) {
        self.raft.hup(false);
    }

    /// Appends a command to the log; returns its position there if it is ever committed.
    ///
    /// # Errors
    /// [`Error::ProposalDropped`]: nothing was appended; try the leader that the error names.
    pub fn propose(&mut self, data: Bytes) -> Result<Position, Error> {
        self.raft.propose(data)
    }

    /// Starts a transfer of leadership to `to`.
    ///
    /// # Errors
    /// As for [`Raft::transfer_leader`].
    pub fn transfer_leader(&mut self, to: ServerId) -> Result<(), Error> {
        self.raft.step_local(Local::TransferLeader { to })
    }

    /// Finds the index that a read must wait for; it comes in the `read_states` of a [`Ready`].
    ///
    /// # Errors
    /// As for [`Raft::read_index`].
    pub fn read_index(&mut self, context: u64) -> Result<(), Error> {
        self.raft.step_local(Local::ReadIndex { context })
    }

    /// Reports that the transport could not reach a node.
    pub fn report_unreachable(&mut self, id: ServerId) {
        self.raft.report_unreachable(id);
    }

    /// Reports whether a snapshot that was sent to node `id` has arrived.
    pub fn report_snapshot(&mut self, id: ServerId, arrived: bool) {
        self.raft.report_snapshot(id, arrived);
    }

    /// The state of the node, to read.
    pub const fn raft(&self) -> &Raft<S> {
        &self.raft
    }

    /// The state of the node, for scripts and tests that prepare it.
    pub const fn raft_mut(&mut self) -> &mut Raft<S> {
        &mut self.raft
    }

    /// The disk as the core reads it.
    pub const fn storage(&self) -> &S {
        self.raft.log.storage()
    }

    /// The disk, to which the application writes what a [`Ready`] names.
    pub const fn storage_mut(&mut self) -> &mut S {
        self.raft.log.storage_mut()
    }

    /// Whether there is anything to store, to send or to apply.
    pub fn has_ready(&self) -> bool {
        // Handout 2A: whether there is anything new to store, send or apply.
        let log = &self.raft.log;
        !self.raft.msgs.is_empty()
            || log.stabled() < log.last_index()
            || log.applied() < log.committed()
            || log.pending_snapshot().is_some()
            || !self.raft.read_states.is_empty()
            || self.raft.hard_state() != self.told_hard
            || self.soft_state() != self.told_soft
    }

    /// Hands over everything that the application must do now. See [`Ready`] for the order.
    ///
    /// # Panics
    /// If the last one was not [advanced](RawNode::advance): part of it may still be undone.
    pub fn ready(&mut self) -> Ready {
        // Handout 2A: hand over all that is new; its documentation has the contract.
        assert!(self.handed.is_none(), "ready again before advance: {:?}", self.handed);
        let (soft, hard) = (self.soft_state(), self.raft.hard_state());
        let log = &self.raft.log;
        let entries: Vec<_> = log.unstable_entries().cloned().collect();
        let committed_entries: Vec<_> = log.next_ents().cloned().collect();
        let snapshot = log.pending_snapshot().cloned();
        let durable = |state: HardState| (state.term, state.vote);
        let must_sync =
            !entries.is_empty() || snapshot.is_some() || durable(hard) != durable(self.told_hard);
        self.handed = Some(Handed {
            soft,
            hard,
            last_entry: entries.last().map(crate::api::Entry::position),
            snapshot: snapshot.as_ref().map(|snapshot| snapshot.position.index),
            applied: committed_entries.last().map(|entry| entry.index),
        });
        Ready {
            soft_state: (soft != self.told_soft).then_some(soft),
            hard_state: (hard != self.told_hard).then_some(hard),
            entries,
            snapshot,
            committed_entries,
            messages: self.raft.take_msgs(),
            read_states: std::mem::take(&mut self.raft.read_states),
            must_sync,
        }
    }

    /// Confirms that all of the last [`Ready`] is stored, sent and applied.
    ///
    /// # Panics
    /// If there was none.
    pub fn advance(&mut self) {
        // Handout 2A: note that all of the last one is done.
        let handed = self.handed.take().expect("advance follows a ready");
        self.told_soft = handed.soft;
        self.told_hard = handed.hard;
        let log = &mut self.raft.log;
        if let Some(position) = handed.last_entry {
            log.mark_stabled(position);
        }
        if let Some(index) = handed.snapshot {
            log.mark_snapshot_stabled(index);
        }
        if let Some(index) = handed.applied {
            log.mark_applied(index);
        }
        log.maybe_compact();
    }

    fn soft_state(&self) -> SoftState {
        SoftState { lead: self.raft.lead, role: self.raft.role }
    }
}
