//! The worker: it owns a node and its database, in the loop of the [`driver`](crate::driver).
//!
//! What a `Ready` asks for is one transaction.

use std::sync::Arc;

use super::config::{CHUNK_PATIENCE, StoreConfig};
use super::error::StoreError;
use super::rpc::{ChunkArgs, ChunkReply};
use super::sending::{Action, ChunkCall, Sending};
use super::server::{Shown, StorePeer};
use super::staging::Staging;
use super::storage::PeerStorage;
use super::waiting::{Outcome, Waiting};
use super::{command::Command, gc};
use crate::api::Position;
use crate::api::kv_rpc::Refused;
use crate::driver::{Handle, Payload, Replies, Sent, Status, Worker, step};
use crate::kv::in_time;
use crate::labrpc;
use crate::runtime::channel::Sender;
use crate::runtime::sync::Quiet;
use crate::runtime::{block_on, thread};
use crate::tick::{Kind, Message, RawNode, Ready};

/// An event of the service and its snapshots.
pub(super) enum ServiceEvent {
    /// A client wants a change.
    Write { command: Command, outcome: Outcome },
    /// A client wants to read; the task of its call reads the database once it is told that it may.
    Read { outcome: Outcome },
    /// A chunk of a snapshot has arrived.
    Chunk { args: ChunkArgs, reply: Sender<ChunkReply> },
    /// A call with a chunk of this server has ended, with or without a reply.
    ChunkDone { call: ChunkCall, reply: Option<ChunkReply> },
}

/// The owner of a node and its database.
pub(super) struct StoreWorker {
    node: RawNode<PeerStorage>,
    handle: Arc<Handle<ServiceEvent>>,
    shown: Arc<Quiet<Shown>>,
    peers: Vec<StorePeer>,
    replies: Replies,
    waiting: Waiting,
    sending: Sending,
    staging: Staging,
    gc: gc::Gc,
}

impl StoreWorker {
    pub(super) fn new(
        node: RawNode<PeerStorage>,
        handle: Arc<Handle<ServiceEvent>>,
        shown: Arc<Quiet<Shown>>,
        peers: Vec<StorePeer>,
        config: StoreConfig,
    ) -> StoreWorker {
        StoreWorker {
            node,
            handle,
            shown,
            peers,
            replies: Replies::default(),
            waiting: Waiting::default(),
            sending: Sending::new(config),
            staging: Staging::default(),
            gc: gc::Gc::new(config.log_gc_limit),
        }
    }

    /// Whether the data include everything up to `position`.
    fn has(&self, position: Position) -> bool {
        self.node.storage().applied().index >= position.index
    }

    fn on_chunk(&mut self, args: ChunkArgs) -> ChunkReply {
        if args.term < self.node.raft().term() {
            ChunkReply::Stale
        } else if self.has(args.position) {
            ChunkReply::Has
        } else {
            self.staging.take(args)
        }
    }

    fn on_write(&mut self, command: &Command, outcome: Outcome) {
        match self.node.propose(command.encode()) {
            Ok(position) => self.waiting.add_write(position, outcome),
            Err(_) => drop(outcome.send(Err(self.refusal()))),
        }
    }

    fn on_read(&mut self, outcome: Outcome) {
        let context = self.waiting.next_context();
        if Status::of(&self.node).is_leader && self.node.read_index(context).is_ok() {
            self.waiting.add_read(context, outcome);
        } else {
            let _ = outcome.send(Err(self.refusal()));
        }
    }

    /// The answer to a client whose call was not accepted.
    fn refusal(&self) -> Refused {
        let leader_hint = Status::of(&self.node).leader.filter(|leader| *leader != self.handle.me);
        Refused { leader_hint, maybe_done: false }
    }

    /// Has the log compacted if it is long and this server leads.
    fn compact_if_due(&mut self) {
        if let Some(index) = self.gc.tick(&self.node, &self.sending) {
            // An error means that another server leads by now; it will do the same.
            let _ = self.node.propose(Command::Compact(index).encode());
        }
    }

    /// Does all work that the core asks for; a snapshot in it has `image` as its data.
    fn drive_with(&mut self, image: &[u8]) -> Result<(), StoreError> {
        while self.node.has_ready() {
            let mut ready = self.node.ready();
            self.node.storage_mut().carry_out(&ready, image)?;
            self.send(std::mem::take(&mut ready.messages))?;
            self.answer(&ready);
            self.node.advance();
        }
        self.publish();
        Ok(())
    }

    /// Sends each message: as the reply that a peer waits for, or as a call of its own.
    fn send(&mut self, messages: Vec<Message>) -> Result<(), StoreError> {
        let mut replies = std::mem::take(&mut self.replies);
        let mut snapshots = Vec::new();
        replies.send(messages, |message| match message.kind {
            Kind::Snapshot { .. } => snapshots.push(message),
            _ => self.call(message),
        });
        for message in snapshots {
            self.begin(message)?;
        }
        Ok(())
    }

    /// Holds the message of a snapshot back until the follower has its chunks.
    fn begin(&mut self, message: Message) -> Result<(), StoreError> {
        let (to, Kind::Snapshot { snapshot }) = (message.to, &message.kind) else { return Ok(()) };
        let Some(view) = self.node.storage().view(snapshot.position) else {
            self.node.report_snapshot(to, false);
            return Ok(());
        };
        let actions = self.sending.begin(message, view)?;
        self.act(actions);
        Ok(())
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(call) => self.call_chunk(call),
                Action::Deliver(message) => self.call(message),
                Action::GiveUp(to) => self.node.report_snapshot(to, false),
            }
        }
    }

    fn call(&self, message: Message) {
        if let Some(peer) = self.peers.get(message.to.slot()) {
            self.handle.call(&peer.messages, message);
        }
    }

    /// Sends one chunk in a task of its own, and waits [`CHUNK_PATIENCE`] for the reply.
    fn call_chunk(&self, call: ChunkCall) {
        let Some(peer) = self.peers.get(call.to.slot()) else { return };
        let (peer, handle) = (peer.chunks.clone(), self.handle.clone());
        thread::go(move || {
            let args = call.args.clone();
            let answer = async move { peer.chunk(labrpc::context(), args).await };
            let answer = handle.stop.clone().or(in_time(CHUNK_PATIENCE, answer));
            let Some(answer) = block_on(answer) else { return };
            let reply = answer.and_then(Result::ok);
            handle.send(ServiceEvent::ChunkDone { call, reply });
        });
    }

    /// Answers the calls that wait for what `ready` has applied.
    fn answer(&mut self, ready: &Ready) {
        for state in &ready.read_states {
            self.waiting.confirm(*state);
        }
        for entry in &ready.committed_entries {
            self.waiting.answer_write(entry.position());
        }
        self.waiting.answer_up_to(self.node.storage().applied().index);
    }
}

impl Worker for StoreWorker {
    type ServiceEvent = ServiceEvent;
    type Error = StoreError;

    /// Passes a message to the node.
    ///
    /// A message with a snapshot is dropped unless all of the snapshot's chunks are here. If they
    /// are, everything is done at once, so that no other snapshot comes in between.
    fn on_message(&mut self, message: Message, reply: Sender<Message>) -> Result<(), StoreError> {
        let Kind::Snapshot { snapshot } = &message.kind else {
            let place = step(&mut self.node, message);
            self.replies.expect(place, reply);
            return Ok(());
        };
        let image = if self.has(snapshot.position) {
            Vec::new()
        } else {
            match self.staging.complete(message.term, snapshot.position) {
                Some(image) => image,
                None => return Ok(()),
            }
        };
        self.drive()?;
        let place = step(&mut self.node, message);
        self.replies.expect(place, reply);
        self.drive_with(&image)
    }

    fn on_call_ended(&mut self, Sent { to, payload }: Sent, response: Option<Message>) {
        let arrived = response.is_some();
        if let Some(Payload::Snapshot(position)) = payload {
            self.sending.on_delivered(to, position, arrived);
        }
        if let Some(response) = response {
            step(&mut self.node, response);
        }
        match payload {
            Some(Payload::Snapshot(_)) => self.node.report_snapshot(to, arrived),
            Some(Payload::Append) if !arrived => self.node.report_unreachable(to),
            _ => {}
        }
    }

    fn on_service_event(&mut self, event: ServiceEvent) -> Result<(), StoreError> {
        match event {
            ServiceEvent::Write { command, outcome } => self.on_write(&command, outcome),
            ServiceEvent::Read { outcome } => self.on_read(outcome),
            ServiceEvent::Chunk { args, reply } => {
                // An error means that the caller has given up.
                let _ = reply.send(self.on_chunk(args));
            }
            ServiceEvent::ChunkDone { call, reply } => {
                let actions = self.sending.on_chunk(&call, reply)?;
                self.act(actions);
            }
        }
        Ok(())
    }

    fn tick(&mut self) {
        self.node.tick();
        self.compact_if_due();
    }

    fn drive(&mut self) -> Result<(), StoreError> {
        self.drive_with(&[])
    }

    /// Drops what the server no longer needs, too.
    fn publish(&mut self) {
        let storage = self.node.storage();
        let shown = Shown {
            applied: storage.applied().index,
            truncated: storage.truncated(),
            sent: self.sending.usage(),
            installed: storage.installed(),
        };
        self.staging.forget_up_to(shown.applied);
        self.sending.forget_before(shown.truncated.index);
        if self.sending.is_empty() {
            storage.forget_view();
        }
        self.shown.with(|place| *place = shown);
        if self.handle.publish(Status::of(&self.node)) {
            self.sending.clear();
            self.waiting.refuse_all(self.refusal());
        }
    }
}
