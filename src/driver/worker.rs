//! The worker of a driver: it owns a core, and does what the core asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::Peer;
use super::core::{Core, Life, Status, election_chance};
use super::event_loop::{EventLoop, Worker};
use super::handle::Handle;
use super::numbering::{Numbering, unwrap_command, unwrap_snapshot, wrap_command, wrap_snapshot};
use super::post::{Payload, Replies, Sent};
use super::timing::READYS_MAX;
use crate::api::{ApplyMsg, Entry, Index, NotLeader, Position, ServerId, Started, Term};
use crate::persister::{PersistError, Persister};
use crate::runtime::channel::Sender;
use crate::tick::{Message, ReadState, Ready};

/// A request of the service above the log.
pub(super) enum ServiceEvent {
    /// The service has a command.
    Start { command: Bytes, answer: Sender<Result<Started, NotLeader>> },
    /// The service has a snapshot of all commands up to number `index`.
    Snapshot { index: Index, data: Bytes, done: Sender<()> },
    /// The service wants to read.
    Read { answer: Sender<Result<Index, NotLeader>> },
}

/// The owner of a core, its storage and the numbers of its commands.
pub(super) struct CoreWorker<C> {
    core: C,
    handle: Arc<Handle<ServiceEvent>>,
    peers: Vec<Peer>,
    persister: Persister,
    numbering: Numbering,
    applier: Sender<ApplyMsg>,
    /// The stored term and vote.
    ballot: (Term, Option<ServerId>),
    replies: Replies,
    /// Reads that wait for a confirmation, by the name that the core knows.
    reads: BTreeMap<u64, Sender<Result<Index, NotLeader>>>,
    reads_begun: u64,
}

impl<C: Core> CoreWorker<C> {
    /// Makes the worker of server `me`, in its loop, from what earlier lives stored in `persister`.
    ///
    /// Committed commands and newer snapshots go to `applier`.
    pub(super) fn restart(
        peers: Vec<Peer>,
        me: ServerId,
        persister: Persister,
        applier: Sender<ApplyMsg>,
    ) -> Result<EventLoop<CoreWorker<C>>, PersistError> {
        let persisted = persister.load()?;
        let numbering = Numbering::of(&persisted)?;
        let chance = election_chance(me, persisted.current_term);
        let ballot = (persisted.current_term, persisted.voted_for);
        let core = C::restart(Life { me, servers: peers.len(), persisted, chance });
        let (handle, queue) = Handle::new(me, core.status());
        let worker = CoreWorker {
            core,
            handle: handle.clone(),
            peers,
            persister,
            numbering,
            applier,
            ballot,
            replies: Replies::default(),
            reads: BTreeMap::new(),
            reads_begun: 0,
        };
        Ok(EventLoop::new(worker, handle, queue))
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
        if self.numbering.last() != self.core.last_index() {
            self.drive()?;
        }
        let data = wrap_command(command);
        let outcome = self.core.propose(data.clone()).map(|Position { term, index }| {
            self.numbering.learn(&[Entry { term, index, data }]);
            Started { term, index: self.numbering.commands_up_to(index) }
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
        let place = self.numbering.place_of(command);
        if let Some(position) = place.and_then(|index| self.core.compact(index, data.clone())) {
            self.numbering.compact(position.index);
            self.persister.save_snapshot(position, data);
            self.persister.sync()?;
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

    /// Stores what is new in a [`Ready`].
    ///
    /// The term comes first: a crash must not leave entries of a term without that term itself.
    fn store(&mut self, ready: &Ready) -> Result<(), PersistError> {
        let (persister, numbering) = (&self.persister, &mut self.numbering);
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
        self.replies.send(messages, |message| {
            if let Some(peer) = self.peers.get(message.to.slot()) {
                self.handle.call(peer, message);
            }
        });
    }

    /// Passes committed commands and snapshots on, under the numbers that the service knows.
    fn apply(&self, ready: &mut Ready) {
        let numbering = &self.numbering;
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
            let _ = self.applier.send(message);
        }
    }

    /// Answers the reads that are confirmed.
    fn answer_reads(&mut self, confirmed: &[ReadState]) {
        for ReadState { context, index } in confirmed {
            let command = self.numbering.commands_up_to(*index);
            if let Some(answer) = self.reads.remove(context) {
                let _ = answer.send(Ok(command));
            }
        }
    }
}

impl<C: Core> Worker for CoreWorker<C> {
    type ServiceEvent = ServiceEvent;
    type Error = PersistError;

    fn on_message(&mut self, message: Message, reply: Sender<Message>) -> Result<(), PersistError> {
        let place = self.core.step(message);
        self.replies.expect(place, reply);
        Ok(())
    }

    fn on_call_ended(&mut self, Sent { to, payload }: Sent, response: Option<Message>) {
        match (response, payload) {
            (Some(response), _) => {
                self.core.step(response);
            }
            (None, Some(Payload::Append)) => self.core.report_unreachable(to),
            (None, Some(Payload::Snapshot(_))) => self.core.report_snapshot_lost(to),
            (None, None) => {}
        }
    }

    fn on_service_event(&mut self, event: ServiceEvent) -> Result<(), PersistError> {
        match event {
            ServiceEvent::Start { command, answer } => self.on_start(&command, &answer),
            ServiceEvent::Snapshot { index, data, done } => self.on_snapshot(index, &data, &done),
            ServiceEvent::Read { answer } => {
                self.on_read(answer);
                Ok(())
            }
        }
    }

    fn tick(&mut self) {
        self.core.tick();
    }

    /// Does all work that the core asks for, in the order that [`Ready`] demands.
    fn drive(&mut self) -> Result<(), PersistError> {
        let mut count = 0;
        while let Some(mut ready) = self.core.ready() {
            count += 1;
            assert!(
                count < READYS_MAX,
                "the core has had {READYS_MAX} Readys without a message or a tick between them: \
                 `advance` must note all that the last one handed out"
            );
            self.store(&ready)?;
            self.send(std::mem::take(&mut ready.messages));
            self.apply(&mut ready);
            self.answer_reads(&ready.read_states);
            self.core.advance();
        }
        self.publish();
        Ok(())
    }

    fn publish(&mut self) {
        if self.handle.publish(self.core.status()) {
            let refusal = self.refusal();
            for (_, answer) in std::mem::take(&mut self.reads) {
                let _ = answer.send(Err(refusal));
            }
        }
    }

    /// The applier is told first: it waits for nothing else.
    fn end(self, queue: impl Sized) {
        drop(self.applier);
        drop(queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{RunConfig, channel, run};

    /// A core whose `advance` forgets everything.
    struct Forgetful;

    impl Core for Forgetful {
        fn restart(_: Life) -> Forgetful {
            Forgetful
        }

        fn tick(&mut self) {}

        fn step(&mut self, _: Message) -> Option<usize> {
            None
        }

        fn propose(&mut self, _: Bytes) -> Option<Position> {
            None
        }

        fn read_index(&mut self, _: u64) -> bool {
            false
        }

        fn report_unreachable(&mut self, _: ServerId) {}

        fn report_snapshot_lost(&mut self, _: ServerId) {}

        fn compact(&mut self, _: Index, _: Bytes) -> Option<Position> {
            None
        }

        fn ready(&mut self) -> Option<Ready> {
            Some(Ready::default())
        }

        fn advance(&mut self) {}

        fn status(&self) -> Status {
            Status::default()
        }

        fn last_index(&self) -> Index {
            Index(0)
        }
    }

    #[test]
    fn a_core_that_forgets_in_advance_what_it_handed_out_is_named() {
        let outcome = run(&RunConfig::default(), || {
            let (applier, _to_apply) = channel::unbounded();
            let persister = Persister::default();
            let event_loop =
                CoreWorker::<Forgetful>::restart(Vec::new(), ServerId(0), persister, applier);
            event_loop.unwrap().run();
        });
        let failure = outcome.result.unwrap_err();
        assert!(failure.message.contains("10000 Readys"), "{failure:?}");
    }
}
