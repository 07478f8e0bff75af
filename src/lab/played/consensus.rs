//! The consensus module that a scenario controls.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;

use crate::api::{
    ApplyMsg, Consensus, Entry, Index, Leadership, NotLeader, Position, ServerId, Started, Term,
};
use crate::persister::Persister;
use crate::runtime::channel::{Receiver, Sender, bounded};
use crate::runtime::sync::Quiet;
use crate::runtime::thread;

/// Pause of a held call between two checks whether it is still held.
const LOOK: Duration = Duration::from_millis(5);

/// The answer of a played consensus module to a request for a read index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The read must go through the log.
    ThroughLog,
    /// A service that has applied this index may answer.
    At(Index),
    /// Leadership cannot be confirmed.
    Refused,
    /// No answer yet: leadership is still being confirmed.
    Held,
}

/// A consensus module that does what the scenario says.
pub struct Played {
    me: ServerId,
    /// For the task that delivers entries.
    myself: Weak<Played>,
    persister: Persister,
    state: Quiet<State>,
}

struct State {
    term: Term,
    leads: bool,
    hint: Option<ServerId>,
    /// The entries after `begins`.
    log: Vec<Entry>,
    /// The entry before the log's first entry.
    begins: Position,
    /// The last index that was sent to the service.
    delivered: Index,
    /// The indices up to which the service took snapshots.
    snapshots: Vec<Index>,
    reading: Reading,
    /// Whether commands are committed as soon as they are started.
    at_once: bool,
    /// Whether a task is delivering entries.
    delivering: bool,
    /// `None` once killed.
    sender: Option<Sender<ApplyMsg>>,
}

impl Played {
    /// Makes a module for `me`, with the content of `persister`, and its apply channel. The module
    /// begins as a follower, in term 1 or later.
    pub(super) fn new(me: ServerId, persister: Persister) -> (Arc<Played>, Receiver<ApplyMsg>) {
        let (sender, receiver) = bounded(0);
        let persisted = persister.load().expect("it was written by a played module");
        let state = State {
            term: persisted.current_term.max(Term(1)),
            leads: false,
            hint: None,
            log: persisted.entries,
            begins: persisted.last_included,
            delivered: persisted.last_included.index,
            snapshots: Vec::new(),
            reading: Reading::ThroughLog,
            at_once: false,
            delivering: false,
            sender: Some(sender),
        };
        let played = Arc::new_cyclic(|myself| Played {
            me,
            myself: myself.clone(),
            persister,
            state: Quiet::new(state),
        });
        (played, receiver)
    }

    /// Makes the module lead from now on, in `term`.
    pub fn leads(&self, term: u64) {
        self.state.with(|state| (state.leads, state.term) = (true, Term(term)));
    }

    /// Makes the module follow from now on, in `term`; `leader` is its leader hint.
    pub fn follows(&self, term: u64, leader: Option<ServerId>) {
        self.state.with(|state| {
            (state.leads, state.term, state.hint) = (false, Term(term), leader);
        });
    }

    /// Sets the module's answer to requests for a read index from now on.
    pub fn reads(&self, reading: Reading) {
        self.state.with(|state| state.reading = reading);
    }

    /// Sets whether a task commits commands as soon as they are started, without waiting for
    /// `start` to return; otherwise [`Replica::commit`](super::Replica::commit) commits them.
    pub fn commits_at_once(&self, on: bool) {
        self.state.with(|state| state.at_once = on);
        self.deliver_if_due();
    }

    /// Starts a task that delivers the entries of the log, if they are committed at once and no
    /// such task is running.
    fn deliver_if_due(&self) {
        let due = self.state.with(|state| {
            let due = state.at_once && !state.delivering;
            state.delivering |= due;
            due
        });
        if due {
            let myself = self.myself.clone();
            thread::go(move || while deliver_one(&myself) {});
        }
    }

    /// The last index in the log.
    pub fn last_index(&self) -> Index {
        self.state.with(|state| state.last_index())
    }

    /// The last index that was sent to the service.
    pub fn delivered(&self) -> Index {
        self.state.with(|state| state.delivered)
    }

    /// The command at `index`.
    ///
    /// # Panics
    /// If the log has no entry at `index`.
    pub fn command(&self, index: Index) -> Bytes {
        let entry = self.state.with(|state| state.entry(index));
        entry.unwrap_or_else(|| panic!("the log of {} has no entry {index}", self.me)).data
    }

    /// The indices up to which the service took snapshots.
    pub fn snapshots(&self) -> Vec<Index> {
        self.state.with(|state| state.snapshots.clone())
    }

    /// Whether the module was killed.
    pub fn is_killed(&self) -> bool {
        self.state.with(|state| state.sender.is_none())
    }

    /// The module's storage.
    pub fn persister(&self) -> &Persister {
        &self.persister
    }

    /// Replaces all entries that were not delivered by one entry of another leader.
    pub(super) fn overwrite(&self, term: u64, command: Bytes) {
        let entry = self.state.with(|state| {
            let keep = usize::try_from(state.delivered.0 - state.begins.index.0);
            state.log.truncate(keep.expect("a log fits into memory"));
            let entry = Entry { term: Term(term), index: state.last_index().next(), data: command };
            state.log.push(entry.clone());
            entry
        });
        self.store(|persister| persister.append(&[entry]));
    }

    /// Replaces the log by another leader's snapshot.
    pub(super) fn replace(&self, at: Position, data: &Bytes) {
        self.state.with(|state| {
            state.log.clear();
            (state.begins, state.delivered) = (at, at.index);
        });
        self.store(|persister| persister.save_snapshot(at, data.clone()));
    }

    /// Returns the next message for the service, and the sender for it. From then on, the message
    /// counts as delivered.
    pub(super) fn next_message(&self) -> Option<(ApplyMsg, Sender<ApplyMsg>)> {
        self.state.with(State::next_message)
    }

    /// The sender of the apply channel; `None` once the module was killed.
    pub(super) fn sender(&self) -> Option<Sender<ApplyMsg>> {
        self.state.with(|state| state.sender.clone())
    }

    fn store(&self, write: impl FnOnce(&Persister)) {
        write(&self.persister);
        self.persister.sync().expect("memory takes every write");
    }
}

/// Delivers the next entry, if there is one. Returns whether there may be another.
fn deliver_one(played: &Weak<Played>) -> bool {
    let Some(played) = played.upgrade() else { return false };
    let next = played.state.with(|state| {
        let next = if state.at_once { state.next_message() } else { None };
        state.delivering = next.is_some();
        next
    });
    drop(played);
    next.is_some_and(|(message, sender)| sender.send(message).is_ok())
}

impl State {
    fn next_message(&mut self) -> Option<(ApplyMsg, Sender<ApplyMsg>)> {
        let Entry { term, index, data } = self.entry(self.delivered.next())?;
        let sender = self.sender.clone()?;
        self.delivered = index;
        Some((ApplyMsg::Command { index, term, command: data }, sender))
    }

    fn last_index(&self) -> Index {
        self.begins.index.plus(self.log.len())
    }

    fn entry(&self, index: Index) -> Option<Entry> {
        self.log.iter().find(|entry| entry.index == index).cloned()
    }
}

impl Consensus for Played {
    fn start(&self, command: Bytes) -> Result<Started, NotLeader> {
        let entry = self.state.with(|state| {
            if !state.leads || state.sender.is_none() {
                return Err(NotLeader { term: state.term, leader_hint: state.hint });
            }
            let (term, index) = (state.term, state.last_index().next());
            let entry = Entry { term, index, data: command };
            state.log.push(entry.clone());
            Ok(entry)
        })?;
        let started = Started { term: entry.term, index: entry.index };
        self.store(|persister| persister.append(&[entry]));
        self.deliver_if_due();
        if self.state.with(|state| state.at_once) {
            // A caller may be delayed at this point; meanwhile the service gets the entry.
            thread::sleep(LOOK);
        }
        Ok(started)
    }

    fn get_state(&self) -> Leadership {
        self.state.with(|state| Leadership { term: state.term, is_leader: state.leads })
    }

    fn snapshot(&self, index: Index, data: Bytes) {
        let covered = self.state.with(|state| {
            state.snapshots.push(index);
            let entry = state.entry(index)?;
            state.log.retain(|entry| entry.index > index);
            state.begins = entry.position();
            Some(state.begins)
        });
        if let Some(covered) = covered {
            self.store(|persister| persister.save_snapshot(covered, data));
        }
    }

    fn read_index(&self) -> Result<Option<Index>, NotLeader> {
        loop {
            let (reading, refused) = self.state.with(|state| {
                let refused = NotLeader { term: state.term, leader_hint: state.hint };
                let ended = !state.leads || state.sender.is_none();
                (if ended { Reading::Refused } else { state.reading }, refused)
            });
            match reading {
                Reading::ThroughLog => return Ok(None),
                Reading::At(index) => return Ok(Some(index)),
                Reading::Refused => return Err(refused),
                Reading::Held => thread::sleep(LOOK),
            }
        }
    }

    fn kill(&self) {
        self.state.with(|state| state.sender.take());
    }
}
