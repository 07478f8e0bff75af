//! The original lab's own tests of its network, re-created.

use std::time::Duration;

use raftlab::labrpc::{self, Host, Network};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{block_on, thread};

use super::*;

#[test]
fn a_call_is_answered() {
    on_both_clocks(|_| {
        let (_network, client) = network_with(&Server::default());
        assert_eq!(double(&client, 21).unwrap(), "twice 21 is 42");
    });
}

#[test]
fn arguments_of_different_types_reach_their_handlers() {
    on_both_clocks(|_| {
        let (_network, client) = network_with(&Server::default());
        assert_eq!(double(&client, 111).unwrap(), "twice 111 is 222");
        let length = block_on(client.length(labrpc::context(), "twelve chars".to_string()));
        assert_eq!(length.unwrap(), 12);
    });
}

#[test]
fn a_call_on_a_disabled_end_has_no_answer() {
    on_both_clocks(|_| {
        let server = Server::default();
        let (network, client) = network_with(&server);
        network.enable(CALLER, CALLEE, false);
        assert_eq!(double(&client, 1), None, "a disabled end has delivered a call");
        network.enable(CALLER, CALLEE, true);
        assert_eq!(double(&client, 9).unwrap(), "twice 9 is 18");
        assert_eq!(server.numbers(), [9]);
    });
}

#[test]
fn calls_are_counted_at_their_server() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        for number in 0..17 {
            double(&client, number).unwrap();
        }
        assert_eq!(network.dispatched_to(CALLEE), 17);
        assert_eq!(network.counters().calls, 17);
    });
}

#[test]
fn bytes_are_counted_both_ways() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        for _ in 0..17 {
            let length = block_on(client.length(labrpc::context(), "x".repeat(284)));
            assert_eq!(length.unwrap(), 284);
        }
        let requests = network.counters().bytes;
        assert!((4828..=6000).contains(&requests), "17 requests of 284 bytes: {requests}");
        for _ in 0..17 {
            assert_eq!(block_on(client.text(labrpc::context(), 107)).unwrap().len(), 107);
        }
        let replies = network.counters().bytes - requests;
        assert!((1800..=2500).contains(&replies), "17 replies of 107 bytes: {replies}");
    });
}

/// Starts `tasks` callers that make `calls` each; returns the number of correct answers.
fn call_from_many(tasks: u32, calls: u64, client: impl Fn(u32) -> Client) -> u64 {
    let callers: Vec<_> = (0..tasks)
        .map(|task| {
            let client = client(task);
            thread::spawn("caller", move || {
                let numbers = (0..calls).map(|call| u64::from(task) * 100 + call);
                let answered = numbers.filter(|&number| match double(&client, number) {
                    None => false,
                    Some(text) => {
                        let expected = format!("twice {number} is {}", 2 * number);
                        assert_eq!(text, expected, "a caller got the answer to another call");
                        true
                    }
                });
                answered.count() as u64
            })
        })
        .collect();
    callers.into_iter().map(thread::JoinHandle::join).sum()
}

#[test]
fn twenty_ends_call_at_once() {
    on_both_clocks(|_| {
        let (network, _) = network_with(&Server::default());
        let answered = call_from_many(20, 10, |task| client_of(&network, Host::Client(task)));
        assert_eq!((answered, network.dispatched_to(CALLEE)), (200, 200));
    });
}

#[test]
fn an_unreliable_network_answers_some_calls_but_not_all() {
    on_both_clocks(|_| {
        let (network, _) = network_with(&Server::default());
        network.set_reliable(false);
        let answered = call_from_many(300, 1, |task| client_of(&network, Host::Client(task)));
        assert!(answered > 0 && answered < 300, "{answered} of 300 unreliable calls answered");
    });
}

#[test]
fn twenty_tasks_call_on_one_end_at_once() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        let answered = call_from_many(20, 1, |_| client.clone());
        assert_eq!((answered, network.dispatched_to(CALLEE)), (20, 20));
    });
}

/// Calls that get no answer must not delay a later call.
#[test]
fn calls_on_a_disabled_end_do_not_delay_the_first_call_after_it_is_enabled() {
    on_both_clocks(|clock| {
        let (network, client) = network_with(&Server::default());
        network.enable(CALLER, CALLEE, false);
        let in_vain: Vec<_> = (0..20)
            .map(|number| {
                let client = client.clone();
                thread::spawn("in vain", move || double(&client, number))
            })
            .collect();
        thread::sleep(millis(100));
        network.enable(CALLER, CALLEE, true);
        let start = Instant::now();
        assert_eq!(double(&client, 99).unwrap(), "twice 99 is 198");
        assert!(in_time(clock, start, millis(30)), "the call took {:?}", start.elapsed());
        for task in in_vain {
            assert_eq!(task.join(), None, "a call on a disabled end was answered");
        }
        assert_eq!(network.dispatched_to(CALLEE), 1);
    });
}

#[test]
fn a_call_ends_when_its_server_is_deleted() {
    on_both_clocks(|clock| {
        let (network, client) = network_with(&Server::default());
        let caller = thread::spawn("caller", move || slow(&client, 20_000));
        thread::sleep(Duration::from_secs(1));
        assert!(!caller.is_finished(), "the call ended before its handler");
        network.delete_server(CALLEE);
        let start = Instant::now();
        assert_eq!(caller.join(), None, "a deleted server has answered");
        // The next check comes within 100 ms; on the virtual clock, a few scheduling points add up.
        assert!(in_time(clock, start, millis(101)), "the call ended after {:?}", start.elapsed());
    });
}

#[test]
fn delays_are_switched_while_calls_are_made() {
    on_both_clocks(|_| {
        let network = Network::new();
        let switcher = thread::spawn("switcher", {
            let client = client_of(&network, CALLER);
            move || (0..20).for_each(|number| assert_eq!(double(&client, number), None))
        });
        for round in 0..20 {
            // A round ends with long delays off; a call reads that setting when it is made.
            network.set_long_delays(round % 2 == 1);
            network.set_long_delays(false);
            thread::yield_now();
        }
        switcher.join();
        assert_eq!(network.counters().calls, 20);
    });
}

/// A caller wakes at its answer, not at its next check of the server.
#[test]
fn an_answer_wakes_its_caller() {
    on_both_clocks(|_| {
        let (_network, client) = network_with(&Server::default());
        let start = Instant::now();
        (0..20).for_each(|_| assert_eq!(slow(&client, 5), Some(5), "a call got no answer"));
        // Checks are 100 ms apart: without wake-ups, the calls would take two seconds.
        assert!(start.elapsed() < millis(1000), "20 calls took {:?}", start.elapsed());
    });
}
