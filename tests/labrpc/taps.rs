//! Taps: which events they see and in which order, and that they do not change a run.

use std::any::Any;
use std::sync::Arc;

use raftlab::labrpc::{Call, Fault, Leg, Tap};
use raftlab::runtime::sync::Quiet;
use raftlab::runtime::{Clock, RunConfig, thread};

use super::*;

/// Notes every event that it sees.
#[derive(Default)]
struct Notes(Quiet<Vec<String>>);

impl Notes {
    fn note(&self, call: &Call<'_>, what: String) {
        let Call { id, from, to, method } = call;
        self.0.with(|notes| notes.push(format!("#{id} {from}→{to} {method} {what}")));
    }

    fn taken(&self) -> Vec<String> {
        self.0.with(std::mem::take)
    }
}

/// Takes the noted events; returns their kinds.
fn whats(notes: &Notes) -> Vec<String> {
    let what = |note: String| note.split(' ').nth(3).unwrap().to_string();
    notes.taken().into_iter().map(what).collect()
}

fn number_in(request: &dyn Any) -> u64 {
    match request.downcast_ref::<JunkRequest>() {
        Some(JunkRequest::Double { number }) => *number,
        other => panic!("not a request to double: {other:?}"),
    }
}

impl Tap for Notes {
    fn sent(&self, call: &Call<'_>, request: &dyn Any) {
        self.note(call, format!("sent {}", number_in(request)));
    }

    fn dispatched(&self, call: &Call<'_>, request: &dyn Any) {
        self.note(call, format!("dispatched {}", number_in(request)));
    }

    fn answered(&self, call: &Call<'_>, reply: &dyn Any) {
        let Some(JunkResponse::Double(text)) = reply.downcast_ref() else {
            panic!("not the reply of double");
        };
        self.note(call, format!("answered {text}"));
    }

    fn ended(&self, call: &Call<'_>, got_reply: bool) {
        self.note(call, format!("ended {got_reply}"));
    }
}

#[test]
fn a_tap_sees_the_typed_events_of_a_call_in_order() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        let notes = Arc::new(Notes::default());
        network.tap(notes.clone());
        double(&client, 3);
        let call = "#1 C0→S0 Junk.double";
        let expected = ["sent 3", "dispatched 3", "answered twice 3 is 6", "ended true"];
        assert_eq!(notes.taken(), expected.map(|what| format!("{call} {what}")));
    });
}

#[test]
fn a_tap_sees_the_events_of_lost_messages() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        let notes = Arc::new(Notes::default());
        network.tap(notes.clone());
        network.enable(CALLER, CALLEE, false);
        double(&client, 1);
        assert_eq!(whats(&notes), ["sent", "ended"], "events of a call on a disabled end");
        network.enable(CALLER, CALLEE, true);
        let request = network.add_rule("request", Arc::new(Fault::lose(Leg::Request)));
        double(&client, 1);
        assert_eq!(whats(&notes), ["sent", "ended"], "events of a lost request");
        network.remove_rule(request);
        network.add_rule("reply", Arc::new(Fault::lose(Leg::Reply)));
        double(&client, 1);
        assert_eq!(
            whats(&notes),
            ["sent", "dispatched", "answered", "ended"],
            "events of a lost reply"
        );
    });
}

/// A handler of a life that is over still runs, but no tap sees what it does.
#[test]
fn a_tap_does_not_see_handlers_of_an_ended_life() {
    on_the_virtual_clock(|| {
        let slow_double = Server { delay: millis(50), ..Server::default() };
        let (network, client) = network_with(&slow_double);
        let notes = Arc::new(Notes::default());
        network.tap(notes.clone());
        let restart = || network.add_server(CALLEE, slow_double.services());

        let theirs = client.clone();
        let caller = thread::spawn("caller", move || double(&theirs, 1));
        thread::sleep(millis(20));
        restart();
        caller.join();
        assert_eq!(
            whats(&notes),
            ["sent", "dispatched", "ended"],
            "events if a restart precedes the answer"
        );

        network.add_rule("hold", Arc::new(Fault::hold(Leg::Request, millis(40))));
        let theirs = client.clone();
        let caller = thread::spawn("caller", move || double(&theirs, 2));
        thread::sleep(millis(20));
        restart();
        caller.join();
        assert_eq!(whats(&notes), ["sent", "ended"], "events if a restart precedes the arrival");
        assert_eq!(slow_double.numbers(), [1, 2]);

        network.delete_server(CALLER);
        assert_eq!(double(&client, 3), None, "an end of a deleted host has delivered a call");
        assert_eq!(whats(&notes), [""; 0], "a tap saw a call of a deleted host");
    });
}

/// Runs many callers on a faulty network, with or without a tap and a record; returns the hash.
fn hash_of(seed: u64, tapped: bool, record: bool) -> u64 {
    let config = RunConfig { seed, record, ..config(Clock::Virtual, seed) };
    let outcome = run_on(&config, move || {
        raftlab::record::attach(Arc::default());
        let (network, _) = network_with(&Server::default());
        network.set_reliable(false);
        network.set_long_reordering(true);
        let repeat = Fault::repeat(millis(0), millis(50)).per_mille(300);
        network.add_rule("repeat", Arc::new(repeat));
        if tapped {
            network.tap(Arc::new(Notes::default()));
        }
        let callers: Vec<_> = (0..10)
            .map(|number| {
                let client = client_of(&network, Host::Client(number));
                thread::spawn("caller", move || (0..20).for_each(|n| drop(double(&client, n))))
            })
            .collect();
        callers.into_iter().for_each(thread::JoinHandle::join);
    });
    outcome.hash
}

#[test]
fn taps_and_records_do_not_change_a_run_and_the_seed_decides_it() {
    let plain = hash_of(7, false, false);
    assert_eq!(plain, hash_of(7, false, false), "one seed gave two different runs");
    assert_eq!(plain, hash_of(7, true, false), "a tap has changed the run");
    assert_eq!(plain, hash_of(7, true, true), "the record has changed the run");
    assert_ne!(plain, hash_of(8, false, false), "two seeds gave the same run");
}
