//! The network between the servers of a script: messages in flight, held back, or lost.

use std::collections::{BTreeSet, VecDeque};

use super::api::ServerId;
use super::words::server;

/// The direction from one server to another.
pub(super) type Link = (ServerId, ServerId);

/// The messages of type `M` that were sent and not delivered, and the faults of the network.
pub(super) struct Network<M> {
    /// Messages in flight, in the order of delivery.
    flying: VecDeque<(Link, M)>,
    /// Messages that are held back until they are released.
    held: VecDeque<(Link, M)>,
    lost: BTreeSet<Link>,
    holding: BTreeSet<Link>,
}

impl<M> Default for Network<M> {
    fn default() -> Network<M> {
        Network {
            flying: VecDeque::new(),
            held: VecDeque::new(),
            lost: BTreeSet::new(),
            holding: BTreeSet::new(),
        }
    }
}

impl<M> Network<M> {
    /// Sends a message; returns its fate: `→` in flight, `⇢` held back, `✗` lost.
    pub(super) fn send(&mut self, link: Link, message: M) -> char {
        if self.lost.contains(&link) {
            return '✗';
        }
        let is_held = self.holding.contains(&link);
        let queue = if is_held { &mut self.held } else { &mut self.flying };
        queue.push_back((link, message));
        if is_held { '⇢' } else { '→' }
    }

    /// Takes the messages that are in flight now; if `only` is given, those to this server.
    pub(super) fn take(&mut self, only: Option<ServerId>) -> VecDeque<(Link, M)> {
        let is_meant = |(link, _): &(Link, M)| only.is_none_or(|id| link.1 == id);
        let (now, later) = std::mem::take(&mut self.flying).into_iter().partition(is_meant);
        self.flying = later;
        now
    }

    /// Whether no message is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        self.flying.is_empty()
    }

    /// Does a command that changes the network between `servers`.
    pub(super) fn command(
        &mut self,
        verb: &str,
        rest: &[&str],
        servers: impl Iterator<Item = ServerId>,
    ) -> Result<(), String> {
        match (verb, rest) {
            ("isolate", [me]) => {
                let me = server(me)?;
                self.lost.extend(servers.flat_map(|other| [(me, other), (other, me)]));
            }
            ("cut", [a, b]) => {
                let (a, b) = (server(a)?, server(b)?);
                self.lost.extend([(a, b), (b, a)]);
            }
            ("heal", []) => self.lost.clear(),
            ("hold", [from, to]) => {
                self.holding.insert((server(from)?, server(to)?));
            }
            ("unhold", [from, to]) => {
                self.holding.remove(&(server(from)?, server(to)?));
            }
            ("release", []) => {
                self.holding.clear();
                self.flying.append(&mut self.held);
            }
            ("drop", []) => {
                self.flying.clear();
                self.held.clear();
            }
            _ => return Err(format!("unknown command {verb:?} with {rest:?}")),
        }
        Ok(())
    }
}
