//! The worker: the one task that owns a core.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Parts;
use super::core::{Core, Status};
use super::inbox::Inbox;
use super::numbering::{unwrap_command, unwrap_snapshot, wrap_command, wrap_snapshot};
use super::post::{Replies, carry};
use crate::api::{ApplyMsg, Entry, Index, NotLeader, Position, ServerId, Started, Term};
use crate::persister::PersistError;
use crate::record::{emit, event};
use crate::runtime::channel::{Receiver, Sender};
use crate::tick::{Kind, Message, ReadState, Ready};

/// Something that happens to a server.
pub(super) enum Event {
    /// A message has arrived: as a request, or as the reply to a call of this server.
    Deliver {
        message: Message,
        /// The receiver of the response, if there is one.
        reply: Option<Sender<Message>>,
    },
    /// A call ended without a response.
    Lost { to: ServerId, what: Burden },
    /// The service has a command.
    Start { command: Bytes, answer: Sender<Result<Started, NotLeader>> },
    /// The service has a snapshot of all commands up to number `index`.
    Snapshot { index: Index, data: Bytes, done: Sender<()> },
    /// The service wants to read.
    Read { answer: Sender<Result<Index, NotLeader>> },
    /// The instance must stop. Its stop switch says so too; this event only wakes the worker.
    Stop,
}

/// The kind of a message whose loss the core wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Burden {
    Append,
    Snapshot,
}

impl Burden {
    /// The kind of `message`, if the core wants to know of its loss.
    pub(crate) fn of(message: &Message) -> Option<Burden> {
        match message.kind {
            Kind::Append { .. } => Some(Burden::Append),
            Kind::Snapshot { .. } => Some(Burden::Snapshot),
            _ => None,
        }
    }
}

/// The owner of a core.
pub(super) struct Worker<C> {
    core: C,
    parts: Parts,
    /// The stored term and vote.
    ballot: (Term, Option<ServerId>),
    inbox: Inbox<Event>,
    replies: Replies,
    /// Reads that wait for a confirmation, by the name that the core knows.
    reads: BTreeMap<u64, Sender<Result<Index, NotLeader>>>,
    reads_begun: u64,
}

impl<C: Core> Worker<C> {
    pub(super) fn new(core: C, parts: Parts, queue: Receiver<Event>) -> Worker<C> {
        let ballot = parts.persister.durable_vote();
        let inbox = Inbox::new(queue, parts.stop.clone(), parts.me, ballot.0);
        let (replies, reads) = (Replies::default(), BTreeMap::new());
        Worker { core, parts, ballot, inbox, replies, reads, reads_begun: 0 }
    }

    /// Drives the core until the instance stops.
    pub(super) fn run(mut self) {
        narrate(self.parts.me, self.core.status());
        while let Some(first) = self.inbox.wait() {
            let done = self.take_all(first).and_then(|()| self.drive());
            if let Err(error) = done {
                let me = self.parts.me;
                emit(|| event(me, format!("stops: its storage failed: {error}")));
                self.parts.stop.stop();
                return;
            }
        }
    }

    /// Handles the events that wait, then a tick if it is due.
    ///
    /// The tick comes last, so that a leader's message counts even if the worker was delayed.
    fn take_all(&mut self, first: Option<Event>) -> Result<(), PersistError> {
        for event in self.inbox.batch(first) {
            self.take(event)?;
        }
        if self.inbox.ticks() {
            self.core.tick();
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), PersistError> {
        match event {
            Event::Deliver { message, reply } => self.on_message(message, reply),
            Event::Lost { to, what: Burden::Append } => self.core.report_unreachable(to),
            Event::Lost { to, what: Burden::Snapshot } => self.core.report_snapshot_lost(to),
            Event::Start { command, answer } => return self.on_start(&command, &answer),
            Event::Snapshot { index, data, done } => return self.on_snapshot(index, &data, &done),
            Event::Read { answer } => self.on_read(answer),
            Event::Stop => {}
        }
        Ok(())
    }

    fn on_message(&mut self, message: Message, reply: Option<Sender<Message>>) {
        let place = self.core.step(message);
        self.replies.expect(place, reply);
    }

    /// Appends a command to the log, if this server leads.
    ///
    /// The command's number depends on all entries before it. So entries that the core has not
    /// handed out yet, such as the no-op entry of a new term, are handled first.
    fn on_start(
        &mut self,
        command: &[u8],
        answer: &Sender<Result<Started, NotLeader>>,
    ) -> Result<(), PersistError> {
        if self.parts.numbering.last() != self.core.last_index() {
            self.drive()?;
        }
        let data = wrap_command(command);
        let outcome = self.core.propose(data.clone()).map(|Position { term, index }| {
            self.parts.numbering.learn(&[Entry { term, index, data }]);
            Started { term, index: self.parts.numbering.commands_up_to(index) }
        });
        self.publish();
        // An error means that the caller is gone.
        let _ = answer.send(outcome.ok_or_else(|| self.refusal()));
        Ok(())
    }

    /// Drops the entries that a snapshot of the service covers.
    fn on_snapshot(
        &mut self,
        command: Index,
        data: &[u8],
        done: &Sender<()>,
    ) -> Result<(), PersistError> {
        let data = wrap_snapshot(command, data);
        let place = self.parts.numbering.place_of(command);
        if let Some(position) = place.and_then(|index| self.core.compact(index, data.clone())) {
            self.parts.numbering.compact(position.index);
            self.parts.persister.save_snapshot(position, data);
            self.parts.persister.sync()?;
        }
        let _ = done.send(());
        Ok(())
    }

    fn on_read(&mut self, answer: Sender<Result<Index, NotLeader>>) {
        self.reads_begun += 1;
        if self.core.read_index(self.reads_begun) {
            self.reads.insert(self.reads_begun, answer);
        } else {
            let _ = answer.send(Err(self.refusal()));
        }
    }

    fn refusal(&self) -> NotLeader {
        let Status { term, leader, .. } = self.core.status();
        NotLeader { term, leader_hint: leader }
    }

    /// Does all work that the core asks for, in the order that [`Ready`] demands.
    fn drive(&mut self) -> Result<(), PersistError> {
        while let Some(mut ready) = self.core.ready() {
            self.store(&ready)?;
            self.send(std::mem::take(&mut ready.messages));
            self.apply(&mut ready);
            self.answer_reads(&ready.read_states);
            self.core.advance();
        }
        self.publish();
        Ok(())
    }

    /// Stores what is new in a [`Ready`].
    ///
    /// The term comes first: a crash must not leave entries of a term without that term itself.
    fn store(&mut self, ready: &Ready) -> Result<(), PersistError> {
        let Parts { persister, numbering, .. } = &mut self.parts;
        if let Some(state) = ready.hard_state
            && self.ballot != (state.term, state.vote)
        {
            persister.save_vote(state.term, state.vote);
            self.ballot = (state.term, state.vote);
        }
        if let Some(snapshot) = &ready.snapshot {
            let (command, _) = unwrap_snapshot(&snapshot.data)?;
            persister.save_snapshot(snapshot.position, snapshot.data.clone());
            numbering.install(snapshot.position.index, command);
        }
        persister.append(&ready.entries);
        numbering.learn(&ready.entries);
        if ready.must_sync { persister.sync() } else { Ok(()) }
    }

    /// Sends each message: as the reply that a caller waits for, or as a call of its own.
    fn send(&mut self, messages: Vec<Message>) {
        let mut replies = std::mem::take(&mut self.replies);
        replies.send(messages, |message| self.call(message));
    }

    /// Sends one message as a call; its outcome comes back as an event.
    fn call(&self, message: Message) {
        let Some(peer) = self.parts.peers.get(message.to.slot()).cloned() else { return };
        let (events, stop) = (self.parts.events.clone(), self.parts.stop.clone());
        let (to, burden) = (message.to, Burden::of(&message));
        carry(peer, message, stop, move |response| {
            let event = match (response, burden) {
                (Some(message), _) => Event::Deliver { message, reply: None },
                (None, Some(what)) => Event::Lost { to, what },
                (None, None) => return,
            };
            // An error means that the instance has ended.
            let _ = events.send(event);
        });
    }

    /// Passes committed commands and snapshots on, under the numbers that the service knows.
    fn apply(&self, ready: &mut Ready) {
        let numbering = &self.parts.numbering;
        let snapshot = ready.snapshot.take().and_then(|snapshot| {
            let (index, data) = unwrap_snapshot(&snapshot.data).ok()?;
            let last_included = Position { index, ..snapshot.position };
            Some(ApplyMsg::Snapshot { last_included, data })
        });
        let commands = ready.committed_entries.drain(..).filter_map(|entry| {
            let index = numbering.commands_up_to(entry.index);
            let command = unwrap_command(&entry.data)?;
            Some(ApplyMsg::Command { index, term: entry.term, command })
        });
        for message in snapshot.into_iter().chain(commands) {
            // An error means that the service is gone.
            let _ = self.parts.applier.send(message);
        }
    }

    /// Answers the reads that are confirmed.
    fn answer_reads(&mut self, confirmed: &[ReadState]) {
        for ReadState { context, index } in confirmed {
            let command = self.parts.numbering.commands_up_to(*index);
            if let Some(answer) = self.reads.remove(context) {
                let _ = answer.send(Ok(command));
            }
        }
    }

    /// Publishes the core's status; refuses waiting reads unless it still leads the same term.
    fn publish(&mut self) {
        let status = self.core.status();
        let before = self.parts.status.with(|shown| std::mem::replace(shown, status));
        if before == status {
            return;
        }
        narrate(self.parts.me, status);
        if !status.is_leader || before.term != status.term {
            let refusal = self.refusal();
            for (_, answer) in std::mem::take(&mut self.reads) {
                let _ = answer.send(Err(refusal));
            }
        }
    }
}

/// Records a server's new role.
pub(crate) fn narrate(me: ServerId, status: Status) {
    let Status { term, is_leader, leader } = status;
    emit(|| {
        let role = match leader {
            _ if is_leader => "leads".to_string(),
            Some(leader) => format!("follows {leader}"),
            None => "has no leader".to_string(),
        };
        event(me, format!("{role} in term {term}"))
    });
}
