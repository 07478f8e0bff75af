//! The network's interface: hosts, which host can reach which, faults, and counters.

use std::sync::Arc;

use super::end::SimEnd;
use super::hub::{Hub, State};
use super::{ClientEnd, Host, Rule, RuleId, Service, Tap};

/// The network of one run. Dropping this value empties the network: ends refer to it only weakly.
pub struct Network {
    hub: Arc<Hub>,
}

/// The counts of a network since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Calls made, including those that were lost or had no server to reach.
    pub calls: u64,
    /// Size of the encoded requests of all calls and the encoded replies that reached callers.
    pub bytes: u64,
}

impl Network {
    /// Makes an empty, reliable network without long delays.
    pub fn new() -> Network {
        Network { hub: Arc::default() }
    }

    /// Makes an end for calls from `from` to `to`; it belongs to the current life of `from`.
    ///
    /// The first end of a pair starts disabled. Further ends of the same pair share its switch.
    pub fn end<Q, R>(&self, from: Host, to: Host) -> ClientEnd<Q, R> {
        let link = self.hub.state.with(|state| state.link(from, to));
        let end = SimEnd::new(Arc::downgrade(&self.hub), from, to, link);
        ClientEnd::simulated(end)
    }

    /// Registers a server with its services under `host`, in place of an earlier one.
    ///
    /// The earlier server's outstanding replies are void, and the count of requests restarts at 0.
    pub fn add_server(&self, host: Host, services: Vec<Service>) {
        let services = services.into_iter().map(Service::labelled).collect();
        let old = self.hub.state.with(|state| state.put(host, services));
        // A server may do anything when it is dropped, so it is not dropped under the lock.
        drop(old);
    }

    /// Removes the server of `host`: no call reaches it, its replies in flight are void, and the
    /// ends made so far *from* `host` are dead for good.
    pub fn delete_server(&self, host: Host) {
        let old = self.hub.state.with(|state| state.end_life(host));
        drop(old);
    }

    /// Lets calls from `from` reach `to`, or cuts them off. The other direction has its own switch.
    ///
    /// Applies to the current lives of the two hosts. A pair without an end is not changed: an end
    /// that is made later starts disabled.
    pub fn enable(&self, from: Host, to: Host, on: bool) {
        self.hub.state.with(|state| state.enable(from, to, on));
    }

    /// Sets whether messages arrive at once and for certain. Initially on. Off: requests are
    /// 0..=26 ms late, and a tenth of the requests and a tenth of the replies are lost.
    pub fn set_reliable(&self, on: bool) {
        self.change(|state| state.switches.reliable = on);
    }

    /// Sets whether a call to a host that cannot be reached takes up to 7 s instead of up to
    /// 100 ms. Initially off.
    pub fn set_long_delays(&self, on: bool) {
        self.change(|state| state.switches.long_delays = on);
    }

    /// Sets whether two of three replies are held back for 200 to 2199 ms. Initially off.
    pub fn set_long_reordering(&self, on: bool) {
        self.change(|state| state.switches.long_reordering = on);
    }

    /// Adds a rule for calls made from now on. The rule's random stream is named after the rule.
    pub fn add_rule(&self, name: &'static str, rule: Arc<dyn Rule>) -> RuleId {
        self.change(|state| state.add_rule(name, rule))
    }

    /// Removes a rule for calls made from now on.
    pub fn remove_rule(&self, id: RuleId) {
        self.change(|state| state.added.retain(|judge| judge.id != id));
    }

    /// Shows all calls made from now on to `tap`.
    pub fn tap(&self, tap: Arc<dyn Tap>) {
        self.change(|state| state.taps.push(tap));
    }

    /// The calls and bytes since the network was made.
    pub fn counters(&self) -> Counters {
        self.hub.state.with(|state| state.counters)
    }

    /// Requests that have reached the current server of `host`; a new server starts at 0.
    pub fn dispatched_to(&self, host: Host) -> u64 {
        self.hub.state.with(|state| state.dispatched_to(host))
    }

    /// Changes the state, and puts in force the rules and taps that it then asks for.
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
    /// Drops servers, taps and rules now, although calls in flight still refer to the hub: servers
    /// hold ends, and taps and rules may hold anything.
    fn drop(&mut self) {
        let old = self.hub.state.with(State::close);
        drop(old);
    }
}
