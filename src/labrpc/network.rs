//! Who is on the network, who can reach whom, and what was counted.

use std::marker::PhantomData;
use std::sync::Arc;

use super::end::SimEnd;
use super::hub::{Hub, State};
use super::{ClientEnd, Host, Rule, RuleId, Service, Tap};

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
        Network { hub: Arc::default() }
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
        let old = self.hub.state.with(|state| state.put(host, services));
        // A server may do anything when it is dropped, so not under the lock.
        drop(old);
    }

    /// Removes the server of `host`: nothing reaches it, its answers in flight are void, and the
    /// ends made so far *from* `host` are dead for good.
    pub fn delete_server(&self, host: Host) {
        let old = self.hub.state.with(|state| state.end_life(host));
        drop(old);
    }

    /// Lets calls from `from` reach `to`, or cuts them off. The other direction is another switch.
    ///
    /// Between the present lives of the two: a pair without an end is left alone, and an end that
    /// is made later starts disabled.
    pub fn enable(&self, from: Host, to: Host, on: bool) {
        self.hub.state.with(|state| state.enable(from, to, on));
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
        self.change(|state| state.add_rule(name, rule))
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
        self.hub.state.with(|state| state.dispatched_to(host))
    }

    /// Changes the state and puts the rules and taps that follow from it in force.
    fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let (value, old) = self.hub.state.with(|state| {
            let value = f(state);
            (value, state.renew_hooks())
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
        let old = self.hub.state.with(State::close);
        drop(old);
    }
}
