//! Lives: the effects of a crash and a restart on calls in flight, on ends, and on memory.

use std::sync::Arc;

use raftlab::labrpc::{Host, Network};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{Clock, thread};

use super::*;

const OTHER: Host = Host::Server(ServerId(1));

#[test]
fn a_restart_voids_the_answers_of_the_previous_life() {
    on_both_clocks(|clock| {
        let (network, client) = network_with(&Server::default());
        let start = Instant::now();
        let caller = thread::spawn("caller", move || slow(&client, 5000));
        thread::sleep(millis(150));
        network.add_server(CALLEE, Server::default().services());
        assert_eq!(caller.join(), None, "the previous life has answered");
        // The caller checks at 100 ms and at 200 ms; it does not wait for the handler.
        assert!(in_time(clock, start, millis(201)), "the call took {:?}", start.elapsed());
        assert_eq!(network.dispatched_to(CALLEE), 0, "the count must start again at 0");
    });
}

#[test]
fn a_cut_voids_the_answers_in_flight_unless_it_is_healed_before_the_next_check() {
    on_the_virtual_clock(|| {
        let (network, client) = network_with(&Server::default());
        let cut_during = |from_ms, to_ms, handler_ms| {
            let client = client.clone();
            let caller = thread::spawn("caller", move || slow(&client, handler_ms));
            thread::sleep(millis(from_ms));
            network.enable(CALLER, CALLEE, false);
            thread::sleep(millis(to_ms - from_ms));
            network.enable(CALLER, CALLEE, true);
            caller.join()
        };
        assert_eq!(cut_during(50, 150, 250), None, "a cut at the first check must void the answer");
        assert_eq!(cut_during(30, 60, 50), None, "a cut at the return must void the answer");
        assert_eq!(
            cut_during(10, 90, 250),
            Some(250),
            "a cut between two checks must not void the answer"
        );
    });
}

/// A request in flight goes to the server object that was there when the request was made.
#[test]
fn a_delayed_request_reaches_the_life_that_it_was_sent_to() {
    on_the_virtual_clock(|| {
        let (old, new) = (Server::default(), Server::default());
        let (network, client) = network_with(&old);
        let hold = labrpc::Fault::hold(labrpc::Leg::Request, millis(20));
        network.add_rule("hold", Arc::new(hold));
        let caller = thread::spawn("caller", move || double(&client, 1));
        thread::sleep(millis(10));
        network.add_server(CALLEE, new.services());
        assert_eq!(caller.join(), None, "an earlier life has answered");
        assert_eq!((old.numbers().len(), new.numbers().len()), (1, 0));
    });
}

#[test]
fn an_end_dies_with_its_owner_and_not_with_its_target() {
    on_both_clocks(|_| {
        let network = Network::new();
        network.add_server(OTHER, Server::default().services());
        network.add_server(CALLEE, Server::default().services());
        let from_old = client_of(&network, OTHER);
        let watcher = client_of(&network, CALLER);
        assert!(double(&from_old, 1).is_some(), "the first life's end must work");

        network.delete_server(OTHER);
        network.enable(OTHER, CALLEE, true);
        assert_eq!(double(&from_old, 2), None, "an end has outlived its owner");

        let from_new = client_of(&network, OTHER);
        assert!(double(&from_new, 3).is_some(), "the new life's end does not work");
        assert_eq!(double(&from_old, 4), None, "an end of an earlier life works again");

        network.delete_server(CALLEE);
        assert_eq!(double(&watcher, 5), None, "a deleted server has answered");
        network.add_server(CALLEE, Server::default().services());
        assert!(double(&watcher, 6).is_some(), "an end to a restarted server must work");
    });
}

#[test]
fn an_answer_to_an_owner_that_died_is_void() {
    on_the_virtual_clock(|| {
        let network = Network::new();
        network.add_server(OTHER, Server::default().services());
        network.add_server(CALLEE, Server::default().services());
        let client = client_of(&network, OTHER);
        let caller = thread::spawn("caller", move || slow(&client, 50));
        thread::sleep(millis(20));
        network.delete_server(OTHER);
        assert_eq!(caller.join(), None, "an answer reached a life that had ended");
    });
}

/// This holds even while an earlier call is in flight.
#[test]
fn without_a_network_a_call_ends_at_once() {
    for in_flight in [false, true] {
        on_both_clocks(move |clock| {
            let (network, client) = network_with(&Server::default());
            let busy = client.clone();
            let earlier = in_flight.then(|| thread::spawn("busy", move || slow(&busy, 300)));
            thread::sleep(millis(50));
            network.set_long_delays(true);
            drop(network);
            let start = Instant::now();
            assert_eq!(double(&client, 1), None, "a network that is gone has answered");
            assert!(in_time(clock, start, millis(1)), "the call took {:?}", start.elapsed());
            assert_eq!(
                earlier.and_then(thread::JoinHandle::join),
                None,
                "a dropped server has answered"
            );
        });
    }
}

/// Servers hold ends and ends lead to servers: the network must not keep that cycle alive.
#[test]
fn dropping_the_network_drops_its_servers() {
    for clock in [Clock::Virtual, Clock::Real] {
        let (busy, idle) = (Server::default(), Server::default());
        let (busy_seen, idle_seen) = (busy.seen.clone(), idle.seen.clone());
        run_on(&config(clock, 1), move || {
            let (network, client) = network_with(&busy);
            drop(busy);
            let held = client.clone();
            let holder = vec![labrpc::Service::new(Holder(held).serve())];
            network.add_server(OTHER, [holder, idle.services()].concat());
            drop(idle);
            // A handler is still running when the network is dropped.
            thread::spawn("caller", move || slow(&client, 300));
            thread::sleep(millis(50));
            drop(network);
            assert_eq!(
                Arc::strong_count(&idle_seen),
                1,
                "{clock}: an idle server has outlived its network"
            );
            thread::sleep(millis(1000));
        });
        assert_eq!(Arc::strong_count(&busy_seen), 1, "{clock}: a server has outlived its network");
    }
}

/// A server that holds an end, as all servers of a cluster do.
#[derive(Clone)]
struct Holder(Client);

impl Junk for Holder {
    async fn double(self, context: tarpc::context::Context, number: u64) -> String {
        self.0.double(context, number).await.unwrap_or_default()
    }

    async fn length(self, _: tarpc::context::Context, _: String) -> u64 {
        0
    }

    async fn text(self, _: tarpc::context::Context, _: usize) -> String {
        String::new()
    }

    async fn slow(self, _: tarpc::context::Context, _: u64) -> u64 {
        0
    }

    async fn echo(self, _: tarpc::context::Context, data: Bytes) -> Bytes {
        data
    }
}

/// A handler may make calls of its own while its caller waits.
#[test]
fn a_handler_may_make_calls() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        network.add_server(OTHER, vec![labrpc::Service::new(Holder(client).serve())]);
        let outer: Client = network.end(CALLER, OTHER).into();
        network.enable(CALLER, OTHER, true);
        assert_eq!(double(&outer, 4).unwrap(), "twice 4 is 8");
    });
}
