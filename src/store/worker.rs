//! The worker: the one task that owns a node and its database.
//!
//! As in the [`driver`](crate::driver), everything that happens to the server reaches the worker as
//! an event. It handles all events that wait, then does what the core wants done, in one
//! transaction for each `Ready`.

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
use crate::api::kv_rpc::Refused;
use crate::api::{Position, ServerId};
use crate::driver::{Burden, Inbox, Replies, Status, carry, narrate, step};
use crate::kv::in_time;
use crate::labrpc;
use crate::record::{emit, event};
use crate::runtime::channel::{Receiver, Sender};
use crate::runtime::sync::Quiet;
use crate::runtime::{Stop, block_on, thread};
use crate::tick::{Kind, Message, RawNode, Ready, Role};

/// Something that happens to a server.
pub(super) enum Event {
    /// A message has arrived, as a request or as the reply to one of our own calls.
    Deliver {
        message: Message,
        /// Where the response goes, if there is one.
        reply: Option<Sender<Message>>,
    },
    /// A call with an append got no response.
    Lost(ServerId),
    /// The outcome of the message of a snapshot.
    Delivered { to: ServerId, position: Position, response: Option<Message> },
    /// A client wants a change.
    Write { command: Command, outcome: Outcome },
    /// A client wants to read, and will do so itself once it is told that it may.
    Read { outcome: Outcome },
    /// A chunk of a snapshot has arrived.
    Chunk { args: ChunkArgs, reply: Sender<ChunkReply> },
    /// The outcome of a chunk that was sent.
    ChunkDone { call: ChunkCall, reply: Option<ChunkReply> },
    /// The instance is to end. The stop switch says so too; this event only wakes the worker.
    Stop,
}

/// The parts that a worker is made from.
pub(super) struct Parts {
    pub(super) me: ServerId,
    pub(super) peers: Vec<StorePeer>,
    pub(super) config: StoreConfig,
    /// Sends to the worker itself, for calls that have ended.
    pub(super) events: Sender<Event>,
    pub(super) shown: Arc<Quiet<Shown>>,
    pub(super) stop: Stop,
}

/// The owner of a node.
pub(super) struct Worker {
    node: RawNode<PeerStorage>,
    parts: Parts,
    inbox: Inbox<Event>,
    replies: Replies,
    waiting: Waiting,
    sending: Sending,
    staging: Staging,
    gc: gc::Gc,
}

impl Worker {
    pub(super) fn new(node: RawNode<PeerStorage>, parts: Parts, queue: Receiver<Event>) -> Worker {
        let inbox = Inbox::new(queue, parts.stop.clone(), parts.me, node.raft().term());
        let config = parts.config;
        Worker {
            node,
            parts,
            inbox,
            replies: Replies::default(),
            waiting: Waiting::default(),
            sending: Sending::new(config),
            staging: Staging::default(),
            gc: gc::Gc::new(config.log_gc_limit),
        }
    }

    /// Runs the node until the instance stops or its store fails.
    pub(super) fn run(mut self) {
        let me = self.parts.me;
        narrate(me, self.status());
        self.publish();
        while let Some(first) = self.inbox.wait() {
            let done = self.take_all(first).and_then(|()| self.drive());
            if let Err(error) = done {
                emit(|| event(me, format!("stops: {error}")));
                self.parts.stop.stop();
                break;
            }
        }
        // The calls that wait learn of the end because their channels close.
    }

    /// Handles the events that wait, and then the tick if it is due.
    fn take_all(&mut self, first: Option<Event>) -> Result<(), StoreError> {
        for event in self.inbox.batch(first) {
            self.take(event)?;
        }
        if self.inbox.ticks() {
            self.node.tick();
            self.collect();
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Deliver { message, reply } => return self.on_message(message, reply),
            Event::Lost(to) => self.node.report_unreachable(to),
            Event::Delivered { to, position, response } => {
                self.sending.on_delivered(to, position, response.is_some());
                let arrived = response.is_some();
                if let Some(message) = response {
                    step(&mut self.node, message);
                }
                self.node.report_snapshot(to, arrived);
            }
            Event::Write { command, outcome } => self.on_write(&command, outcome),
            Event::Read { outcome } => self.on_read(outcome),
            Event::Chunk { args, reply } => {
                // An error: the caller has given up.
                let _ = reply.send(self.on_chunk(args));
            }
            Event::ChunkDone { call, reply } => {
                let actions = self.sending.on_chunk(&call, reply)?;
                self.act(actions);
            }
            Event::Stop => {}
        }
        Ok(())
    }

    /// Passes a message to the node.
    ///
    /// A message with a snapshot is dropped unless all of the snapshot's chunks are here. If they
    /// are, everything is done at once, so that no other snapshot comes in between.
    fn on_message(
        &mut self,
        message: Message,
        reply: Option<Sender<Message>>,
    ) -> Result<(), StoreError> {
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
            Ok(position) => self.waiting.write(position, outcome),
            Err(_) => drop(outcome.send(Err(self.refusal()))),
        }
    }

    fn on_read(&mut self, outcome: Outcome) {
        let context = self.waiting.next_read();
        if self.status().is_leader && self.node.read_index(context).is_ok() {
            self.waiting.read(context, outcome);
        } else {
            let _ = outcome.send(Err(self.refusal()));
        }
    }

    /// The answer to a client whose call was not accepted.
    fn refusal(&self) -> Refused {
        let leader_hint = self.status().leader.filter(|leader| *leader != self.parts.me);
        Refused { leader_hint, maybe_done: false }
    }

    fn status(&self) -> Status {
        let raft = self.node.raft();
        let is_leader = raft.role() == Role::Leader;
        Status { term: raft.term(), is_leader, leader: raft.lead() }
    }

    /// Has the log cut if it is long and this server leads.
    fn collect(&mut self) {
        if let Some(index) = self.gc.tick(&self.node, &self.sending) {
            // Refused: another server leads by now, and will do it.
            let _ = self.node.propose(Command::Compact(index).encode());
        }
    }

    /// Does what the core wants done.
    fn drive(&mut self) -> Result<(), StoreError> {
        self.drive_with(&[])
    }

    /// Does what the core wants done; a snapshot in it has `image` as its data.
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

    /// Sends one message as a call; the outcome comes back as an event.
    fn call(&self, message: Message) {
        let Some(peer) = self.parts.peers.get(message.to.slot()) else { return };
        let (events, stop) = (self.parts.events.clone(), self.parts.stop.clone());
        let (to, burden) = (message.to, Burden::of(&message));
        let snapshot = match &message.kind {
            Kind::Snapshot { snapshot } => Some(snapshot.position),
            _ => None,
        };
        carry(peer.messages.clone(), message, stop, move |response| {
            let event = match (response, snapshot, burden) {
                (response, Some(position), _) => Event::Delivered { to, position, response },
                (Some(message), None, _) => Event::Deliver { message, reply: None },
                (None, None, Some(_)) => Event::Lost(to),
                (None, None, None) => return,
            };
            // An error: the instance has ended.
            let _ = events.send(event);
        });
    }

    /// Sends one chunk in a task of its own, and waits [`CHUNK_PATIENCE`] for the reply.
    fn call_chunk(&self, call: ChunkCall) {
        let Some(peer) = self.parts.peers.get(call.to.slot()) else { return };
        let (peer, events, stop) =
            (peer.chunks.clone(), self.parts.events.clone(), self.parts.stop.clone());
        thread::go(move || {
            let args = call.args.clone();
            let answer = async move { peer.chunk(labrpc::context(), args).await };
            let Some(answer) = block_on(stop.or(in_time(CHUNK_PATIENCE, answer))) else { return };
            let reply = answer.and_then(Result::ok);
            // An error: the instance has ended.
            let _ = events.send(Event::ChunkDone { call, reply });
        });
    }

    /// Answers the calls that wait for what `ready` has applied.
    fn answer(&mut self, ready: &Ready) {
        for state in &ready.read_states {
            self.waiting.confirm(*state);
        }
        for entry in &ready.committed_entries {
            self.waiting.applied(entry.position());
        }
        self.waiting.applied_up_to(self.node.storage().applied().index);
    }

    /// Publishes what the server is now.
    fn publish(&mut self) {
        let (status, storage) = (self.status(), self.node.storage());
        let shown = Shown {
            status,
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
        let before = self.parts.shown.with(|place| std::mem::replace(place, shown)).status;
        if before == status {
            return;
        }
        narrate(self.parts.me, status);
        if !status.is_leader || before.term != status.term {
            self.sending.clear();
            self.waiting.refuse_all(self.refusal());
        }
    }
}
