//! One life of a server: its writes, and the messages that its service receives.

use std::sync::Arc;

use super::observer::{Covered, Voted};
use super::shadow::{Ballot, Lost};
use super::{Observers, State};
use crate::api::{ApplyMsg, Entry, Position, ServerId};
use crate::persister::{Watch, Write};

/// One life of one server, from boot to crash. Events of this life that come after the crash,
/// especially its writes, are ignored.
pub struct Life {
    observers: Arc<Observers>,
    server: ServerId,
    number: u64,
}

impl Life {
    pub(super) fn new(observers: Arc<Observers>, server: ServerId, number: u64) -> Life {
        Life { observers, server, number }
    }

    /// Records that the apply channel's reader has received `msg`. Call this before the service
    /// sees the message.
    pub fn applied(&self, msg: &ApplyMsg) {
        let server = self.server;
        self.while_alive(|state| {
            let (msg, position) = state.world.applied(server, msg);
            state.show(|rule, world| rule.applied(server, &msg, world));
            let term = state.world.server(server).term();
            state.committed(server, term, position);
        });
    }

    /// Records whether the apply channel's reader reads or has paused. At first it reads.
    pub fn reads(&self, reading: bool) {
        let server = self.server;
        self.while_alive(|state| {
            state.world.server_mut(server).reading = reading;
            state.show(|rule, world| rule.reading(server, world));
        });
    }

    /// Ends the life. Call this right before you remove the server from the network, crash its
    /// persister and kill the server. Between these steps there must be no point at which another
    /// task could run.
    pub fn end(&self) {
        let server = self.server;
        self.while_alive(|state| {
            state.world.crash(server);
            state.show(|rule, world| rule.crashed(server, world));
        });
    }

    fn while_alive(&self, change: impl FnOnce(&mut State)) {
        self.observers.update(|state| {
            let known = state.world.server(self.server);
            if known.alive && known.life == self.number {
                change(state);
            }
        });
    }
}

impl Watch for Life {
    fn wrote(&self, write: &Write<'_>) {
        let server = self.server;
        self.while_alive(|state| match write {
            Write::Vote { term, voted_for } => {
                voted(state, server, Ballot { term: *term, voted_for: *voted_for });
            }
            Write::Append(entries) => appended(state, server, entries),
            Write::Snapshot(at) => covered(state, server, *at),
            Write::Synced => synced(state, server),
        });
    }
}

fn voted(state: &mut State, server: ServerId, after: Ballot) {
    let before = state.world.voted(server, after);
    state.show(|rule, world| rule.voted(Voted { server, before, after }, world));
}

fn appended(state: &mut State, server: ServerId, entries: &[Entry]) {
    let known = state.world.server_mut(server);
    let first = entries.first().map(|entry| entry.index.prev());
    let prev = first.and_then(|index| known.shadow.written.log.term_at(index));
    let lost = known.shadow.append(entries);
    known.update();
    state.show(|rule, world| rule.appended(server, prev, entries, world));
    deleted(state, server, lost);
}

fn covered(state: &mut State, server: ServerId, at: Position) {
    let known = state.world.server_mut(server);
    let log = &known.shadow.written.log;
    let (before, there) = (log.base(), log.term_at(at.index));
    known.shadow.cover(at);
    known.update();
    let write = Covered { server, before, at, there };
    state.show(|rule, world| rule.covered(write, world));
}

fn synced(state: &mut State, server: ServerId) {
    let known = state.world.server_mut(server);
    let lost = known.shadow.sync();
    known.update();
    deleted(state, server, lost);
    state.show(|rule, world| rule.synced(server, lost.is_some(), world));
}

fn deleted(state: &mut State, server: ServerId, lost: Option<Lost>) {
    if let Some(lost) = lost {
        state.show(|rule, world| rule.deleted(server, lost, world));
    }
}
