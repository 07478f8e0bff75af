//! The network's state: hosts, servers, links, and the rules in force. See `network.rs`.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::hooks::{Hooks, Judge};
use super::lab_faults::{LongReordering, Loss, ShortDelay, wait_for_the_unreachable};
use super::{Counters, Host, Rule, RuleId, Service, Tap};
use crate::runtime::rand::{self, Chance};
use crate::runtime::sync::Quiet;

/// The network as its ends see it.
#[derive(Default)]
pub(super) struct Hub {
    pub(super) state: Quiet<State>,
}

/// One server object. Identity matters: a restarted server is another object.
pub(super) struct Server {
    services: Vec<Service>,
    dispatched: AtomicU64,
    gone: AtomicBool,
}

/// A call that has just been made, with its route and hooks, fixed at that moment.
pub(super) struct Opened {
    pub(super) id: u64,
    pub(super) route: Route,
    pub(super) hooks: Arc<Hooks>,
}

/// Where a call goes, as decided when it is made.
pub(super) enum Route {
    /// To this server object, even if another one takes its place meanwhile.
    To(Arc<Server>),
    /// Nowhere: the caller waits this long and gets no reply.
    Nowhere(Duration),
}

/// The number of a link; an end keeps it.
pub(super) type Link = usize;

#[derive(Debug, Clone, Copy)]
struct LinkState {
    /// The slot of the called host in `servers`.
    to: usize,
    enabled: bool,
    /// The life of the calling host is over.
    dead: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Switches {
    pub(super) reliable: bool,
    pub(super) long_delays: bool,
    pub(super) long_reordering: bool,
}

/// The state that all ends share, under one lock that is not a scheduling point.
pub(super) struct State {
    closed: bool,
    pub(super) counters: Counters,
    pub(super) switches: Switches,
    /// Each host's slot in `servers`.
    hosts: BTreeMap<Host, usize>,
    servers: Vec<Option<Arc<Server>>>,
    /// The links of all lives; `pairs` has the links of the current lives.
    links: Vec<LinkState>,
    pairs: BTreeMap<(Host, Host), Link>,
    unreliable: [Arc<Judge>; 2],
    reordering: Arc<Judge>,
    pub(super) added: Vec<Arc<Judge>>,
    /// Names of all rules ever added.
    names: Vec<&'static str>,
    pub(super) taps: Vec<Arc<dyn Tap>>,
    hooks: Arc<Hooks>,
    unreachable: Chance,
}

impl Default for State {
    fn default() -> State {
        let builtin = |name, stream, rule| Judge::new(RuleId(0), name, stream, rule);
        State {
            closed: false,
            counters: Counters::default(),
            switches: Switches { reliable: true, long_delays: false, long_reordering: false },
            hosts: BTreeMap::new(),
            servers: Vec::new(),
            links: Vec::new(),
            pairs: BTreeMap::new(),
            unreliable: [
                builtin("unreliable network", "labrpc.short_delay", Arc::new(ShortDelay)),
                builtin("unreliable network", "labrpc.loss", Arc::new(Loss)),
            ],
            reordering: builtin(
                "long reordering",
                "labrpc.long_reordering",
                Arc::new(LongReordering),
            ),
            added: Vec::new(),
            names: Vec::new(),
            taps: Vec::new(),
            hooks: Arc::default(),
            unreachable: rand::stream("labrpc.unreachable"),
        }
    }
}

impl State {
    /// Empties the network except for its counters; the caller drops the returned contents.
    pub(super) fn close(&mut self) -> State {
        let counters = self.counters;
        std::mem::replace(self, State { closed: true, counters, ..State::default() })
    }

    fn slot(&mut self, host: Host) -> usize {
        let servers = &mut self.servers;
        *self.hosts.entry(host).or_insert_with(|| {
            servers.push(None);
            servers.len() - 1
        })
    }

    /// The link between the current lives of two hosts.
    pub(super) fn link(&mut self, from: Host, to: Host) -> Link {
        let slot = self.slot(to);
        let links = &mut self.links;
        *self.pairs.entry((from, to)).or_insert_with(|| {
            links.push(LinkState { to: slot, enabled: false, dead: false });
            links.len() - 1
        })
    }

    pub(super) fn enable(&mut self, from: Host, to: Host, on: bool) {
        if let Some(link) = self.pairs.get(&(from, to)) {
            self.links[*link].enabled = on;
        }
    }

    /// Makes a server of `services`, and puts it under `host`; returns its predecessor.
    pub(super) fn put(&mut self, host: Host, services: Vec<Service>) -> Option<Arc<Server>> {
        self.replace(host, Some(Arc::new(Server::new(services))))
    }

    /// Removes and returns the server of `host`; the ends of `host` are dead from now on.
    pub(super) fn end_life(&mut self, host: Host) -> Option<Arc<Server>> {
        let links = &mut self.links;
        self.pairs.retain(|(from, _), link| {
            let theirs = *from == host;
            links[*link].dead |= theirs;
            !theirs
        });
        self.replace(host, None)
    }

    fn replace(&mut self, host: Host, server: Option<Arc<Server>>) -> Option<Arc<Server>> {
        let slot = self.slot(host);
        let old = std::mem::replace(&mut self.servers[slot], server);
        if let Some(old) = &old {
            old.gone.store(true, Ordering::Relaxed);
        }
        old
    }

    pub(super) fn dispatched_to(&self, host: Host) -> u64 {
        let server = self.hosts.get(&host).and_then(|slot| self.servers[*slot].as_ref());
        server.map_or(0, |server| server.dispatched.load(Ordering::Relaxed))
    }

    pub(super) fn add_rule(&mut self, name: &'static str, rule: Arc<dyn Rule>) -> RuleId {
        // A second rule of the same name must not repeat the first one's numbers.
        let earlier = self.names.iter().filter(|other| **other == name).count();
        self.names.push(name);
        let id = RuleId(self.names.len() as u64);
        let stream = format!("labrpc.rule.{name}.{earlier}");
        self.added.push(Judge::new(id, name, &stream, rule));
        id
    }

    /// Puts in force the rules and taps that the state asks for; returns the previous ones.
    pub(super) fn renew_hooks(&mut self) -> Arc<Hooks> {
        let hooks = self.hooks_in_force();
        std::mem::replace(&mut self.hooks, hooks)
    }

    fn hooks_in_force(&self) -> Arc<Hooks> {
        let mut judges = Vec::new();
        if !self.switches.reliable {
            judges.extend(self.unreliable.iter().cloned());
        }
        if self.switches.long_reordering {
            judges.push(self.reordering.clone());
        }
        judges.extend(self.added.iter().cloned());
        Arc::new(Hooks { judges, taps: self.taps.clone() })
    }

    /// The server at the far end of `link`, if it can be reached now.
    fn reach(&self, link: Link) -> Option<&Arc<Server>> {
        // An emptied network has no links.
        let link = self.links.get(link).filter(|link| link.enabled && !link.dead)?;
        self.servers[link.to].as_ref()
    }
}

impl Hub {
    /// Counts a call and fixes its route and hooks as of now. `None`: the network is gone.
    pub(super) fn open(&self, link: Link, bytes: usize) -> Option<Opened> {
        self.state.with(|state| {
            if state.closed {
                return None;
            }
            state.counters.calls += 1;
            state.counters.bytes += bytes as u64;
            let route = match state.reach(link) {
                Some(server) => Route::To(server.clone()),
                None => Route::Nowhere(wait_for_the_unreachable(
                    state.switches.long_delays,
                    &mut state.unreachable,
                )),
            };
            // Calls that a server makes after its life reach no host, so no tap sees them.
            let dead = state.links.get(link).is_some_and(|link| link.dead);
            let hooks = if dead { Arc::default() } else { state.hooks.clone() };
            Some(Opened { id: state.counters.calls, route, hooks })
        })
    }

    /// Whether `link` still leads to `server`.
    pub(super) fn still_there(&self, link: Link, server: &Arc<Server>) -> bool {
        self.state.with(|state| state.reach(link).is_some_and(|there| Arc::ptr_eq(there, server)))
    }

    /// Counts a reply that reaches its caller.
    pub(super) fn delivered(&self, bytes: usize) {
        self.state.with(|state| state.counters.bytes += bytes as u64);
    }

    /// The server that is registered under `host` now.
    pub(super) fn server_at(&self, host: Host) -> Option<Arc<Server>> {
        self.state.with(|state| state.servers[*state.hosts.get(&host)?].clone())
    }
}

impl Server {
    fn new(services: Vec<Service>) -> Server {
        Server { services, dispatched: AtomicU64::new(0), gone: AtomicBool::new(false) }
    }

    /// Whether the server was replaced or removed: its replies no longer reach any caller.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// The service for requests of type `request`; counts the request.
    pub(super) fn dispatch(&self, request: TypeId) -> Option<&Service> {
        self.dispatched.fetch_add(1, Ordering::Relaxed);
        self.services.iter().find(|service| service.serves(request))
    }

    /// The request types that this server knows, for an error message.
    pub(super) fn serves(&self) -> String {
        let names: Vec<_> = self.services.iter().map(Service::request_type_name).collect();
        if names.is_empty() { "nothing".to_string() } else { names.join(", ") }
    }
}
