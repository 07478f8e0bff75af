//! Who is on the network, who can reach whom, and what was counted.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::end::SimEnd;
use super::fault::{LongReordering, Loss, ShortDelay, wait_for_the_unreachable};
use super::hooks::{Hooks, Judge};
use super::{ClientEnd, Host, Rule, RuleId, Service, Tap};
use crate::runtime::rand::{self, Chance};
use crate::runtime::sync::Quiet;

/// The network of one run, and its one owner: ends hold it weakly. Dropping it empties it.
pub struct Network {
    hub: Arc<Hub>,
}

/// What a network has counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Calls made, also those that were lost or had nowhere to go.
    pub calls: u64,
    /// Encoded requests of all calls and encoded replies that reached their callers.
    pub bytes: u64,
}

impl Network {
    /// An empty, reliable network without long delays.
    pub fn new() -> Network {
        Network { hub: Arc::new(Hub { state: Quiet::new(State::new()) }) }
    }

    /// An end for calls from `from` to `to`; it belongs to the present life of `from`.
    ///
    /// The first end of a pair starts disabled. Further ends of the same pair share its switch.
    pub fn end<Q, R>(&self, from: Host, to: Host) -> ClientEnd<Q, R> {
        let link = self.hub.state.with(|state| state.link(from, to));
        let end = SimEnd::new(Arc::downgrade(&self.hub), from, to, link);
        ClientEnd::simulated(Arc::new(end), PhantomData)
    }

    /// Registers a server with its services under `host`, in place of an earlier one.
    ///
    /// Answers of the earlier one that are still to come are void, and its count starts anew.
    pub fn add_server(&self, host: Host, services: Vec<Service>) {
        let services = services.into_iter().map(Service::labelled).collect();
        let old = self.hub.state.with(|state| {
            let slot = state.slot(host);
            state.put(slot, Some(Arc::new(Server::new(services))))
        });
        // A server may do anything when it is dropped, so not under the lock.
        drop(old);
    }

    /// Removes the server of `host`: nothing reaches it, its answers in flight are void, and the
    /// ends made so far *from* `host` are dead for good.
    pub fn delete_server(&self, host: Host) {
        let old = self.hub.state.with(|state| {
            state.end_life(host);
            let slot = state.slot(host);
            state.put(slot, None)
        });
        drop(old);
    }

    /// Lets calls from `from` reach `to`, or cuts them off. The other direction is another switch.
    ///
    /// Between the present lives of the two: a pair without an end is left alone, and an end that
    /// is made later starts disabled.
    pub fn enable(&self, from: Host, to: Host, on: bool) {
        self.hub.state.with(|state| {
            if let Some(link) = state.pairs.get(&(from, to)) {
                state.links[*link].enabled = on;
            }
        });
    }

    /// Whether messages arrive at once and for certain. Off: a request is 0..=26 ms late, and a
    /// tenth of the requests and of the replies is lost. At first on.
    pub fn set_reliable(&self, on: bool) {
        self.change(|state| state.switches.reliable = on);
    }

    /// Whether a call to a host that cannot be reached takes up to 7 s instead of up to 100 ms.
    /// At first off.
    pub fn set_long_delays(&self, on: bool) {
        self.change(|state| state.switches.long_delays = on);
    }

    /// Whether two replies of three are held back for 200 to 2199 ms. At first off.
    pub fn set_long_reordering(&self, on: bool) {
        self.change(|state| state.switches.long_reordering = on);
    }

    /// Adds a rule for calls made from now on. Its stream of chance is named after it.
    pub fn add_rule(&self, name: &'static str, rule: Arc<dyn Rule>) -> RuleId {
        self.change(|state| {
            state.rules_made += 1;
            let id = RuleId(state.rules_made);
            // A second rule of one name must not repeat the first one's numbers.
            let earlier = state.names.iter().filter(|other| **other == name).count();
            state.names.push(name);
            let stream = format!("labrpc.rule.{name}.{earlier}");
            state.added.push(Judge::new(id, &stream, rule));
            id
        })
    }

    /// Takes a rule out, for calls made from now on.
    pub fn remove_rule(&self, id: RuleId) {
        self.change(|state| state.added.retain(|judge| judge.id != id));
    }

    /// Shows all calls made from now on to `tap`.
    pub fn tap(&self, tap: Arc<dyn Tap>) {
        self.change(|state| state.taps.push(tap));
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.hub.state.with(|state| state.counters)
    }

    /// Requests that have reached the present server of `host`: restarts from 0 with it.
    pub fn dispatched_to(&self, host: Host) -> u64 {
        self.hub.state.with(|state| {
            let server = state.hosts.get(&host).and_then(|slot| state.servers[*slot].as_ref());
            server.map_or(0, |server| server.dispatched.load(Ordering::Relaxed))
        })
    }

    /// Changes the state and puts the rules and taps that follow from it in force.
    fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let (value, old) = self.hub.state.with(|state| {
            let value = f(state);
            let hooks = state.hooks_in_force();
            (value, std::mem::replace(&mut state.hooks, hooks))
        });
        drop(old);
        value
    }
}

impl Default for Network {
    fn default() -> Network {
        Network::new()
    }
}

impl Drop for Network {
    /// Servers hold ends, and taps and rules may hold anything: all of it goes now, although
    /// calls in flight still know the hub.
    fn drop(&mut self) {
        let old = self.hub.state.with(|state| {
            let counters = state.counters;
            let emptied = State { closed: true, counters, ..State::new() };
            std::mem::replace(state, emptied)
        });
        drop(old);
    }
}

/// The network as its ends know it.
pub(super) struct Hub {
    state: Quiet<State>,
}

/// One server object. Identity matters: a restarted server is another object.
pub(super) struct Server {
    services: Vec<Service>,
    dispatched: AtomicU64,
    gone: AtomicBool,
}

/// A call that has just been made, and what the network was like at that moment.
pub(super) struct Opened {
    pub(super) id: u64,
    pub(super) route: Route,
    pub(super) hooks: Arc<Hooks>,
}

/// Where a call goes.
pub(super) enum Route {
    /// To this server.
    To(Arc<Server>),
    /// Nowhere: the caller waits this long in vain.
    Nowhere(Duration),
}

/// The number of a link; an end keeps it.
pub(super) type Link = usize;

#[derive(Debug, Clone, Copy)]
struct LinkState {
    to: usize,
    enabled: bool,
    dead: bool,
}

#[derive(Debug, Clone, Copy)]
struct Switches {
    reliable: bool,
    long_delays: bool,
    long_reordering: bool,
}

struct State {
    closed: bool,
    counters: Counters,
    switches: Switches,
    /// Each host's slot in `servers`.
    hosts: BTreeMap<Host, usize>,
    servers: Vec<Option<Arc<Server>>>,
    /// The links of all lives; `pairs` has those of the present ones.
    links: Vec<LinkState>,
    pairs: BTreeMap<(Host, Host), Link>,
    unreliable: [Arc<Judge>; 2],
    reordering: Arc<Judge>,
    added: Vec<Arc<Judge>>,
    names: Vec<&'static str>,
    rules_made: u64,
    taps: Vec<Arc<dyn Tap>>,
    hooks: Arc<Hooks>,
    unreachable: Chance,
}

impl State {
    fn new() -> State {
        let builtin = |stream, rule| Judge::new(RuleId(0), stream, rule);
        State {
            closed: false,
            counters: Counters::default(),
            switches: Switches { reliable: true, long_delays: false, long_reordering: false },
            hosts: BTreeMap::new(),
            servers: Vec::new(),
            links: Vec::new(),
            pairs: BTreeMap::new(),
            unreliable: [
                builtin("labrpc.short_delay", Arc::new(ShortDelay)),
                builtin("labrpc.loss", Arc::new(Loss)),
            ],
            reordering: builtin("labrpc.long_reordering", Arc::new(LongReordering)),
            added: Vec::new(),
            names: Vec::new(),
            rules_made: 0,
            taps: Vec::new(),
            hooks: Arc::default(),
            unreachable: rand::stream("labrpc.unreachable"),
        }
    }

    fn slot(&mut self, host: Host) -> usize {
        let servers = &mut self.servers;
        *self.hosts.entry(host).or_insert_with(|| {
            servers.push(None);
            servers.len() - 1
        })
    }

    fn link(&mut self, from: Host, to: Host) -> Link {
        let slot = self.slot(to);
        let links = &mut self.links;
        *self.pairs.entry((from, to)).or_insert_with(|| {
            links.push(LinkState { to: slot, enabled: false, dead: false });
            links.len() - 1
        })
    }

    /// Makes `server` the one in `slot`; its predecessor, which is gone from now on.
    fn put(&mut self, slot: usize, server: Option<Arc<Server>>) -> Option<Arc<Server>> {
        let old = std::mem::replace(&mut self.servers[slot], server);
        if let Some(old) = &old {
            old.gone.store(true, Ordering::Relaxed);
        }
        old
    }

    fn end_life(&mut self, host: Host) {
        let links = &mut self.links;
        self.pairs.retain(|(from, _), link| {
            let theirs = *from == host;
            links[*link].dead |= theirs;
            !theirs
        });
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
    /// Counts a call and takes down what the network is like now. `None`: there is no network.
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
            // What a server says after its life reaches nobody, so nobody is shown it.
            let dead = state.links.get(link).is_some_and(|link| link.dead);
            let hooks = if dead { Arc::default() } else { state.hooks.clone() };
            Some(Opened { id: state.counters.calls, route, hooks })
        })
    }

    /// Whether `server` is still what `link` leads to.
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

    /// Whether another one, or none, has taken its place: what it says now reaches nobody.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// The service for requests of type `request`; counts the request.
    pub(super) fn dispatch(&self, request: TypeId) -> Option<&Service> {
        self.dispatched.fetch_add(1, Ordering::Relaxed);
        self.services.iter().find(|service| service.serves(request))
    }

    /// The request types that this server knows, for a message.
    pub(super) fn serves(&self) -> String {
        let names: Vec<_> = self.services.iter().map(Service::request_type_name).collect();
        if names.is_empty() { "nothing".to_string() } else { names.join(", ") }
    }
}
