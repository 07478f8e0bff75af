//! Measures the faults of the original lab, and tests the rules that scenarios use.

use std::sync::Arc;
use std::time::Duration;

use raftlab::labrpc::{Fault, Host, Leg, Network, Verdict};
use raftlab::runtime::time::Instant;
use raftlab::runtime::{Clock, thread};

use super::*;

/// One call of a measurement: how long it took and whether it was answered.
type Sample = (Duration, bool);

/// Makes `count` calls from 20 callers on a network prepared by `prepare`.
///
/// Returns the samples, and the number of requests that reached the server.
fn measure(count: u64, prepare: fn(&Network)) -> (Vec<Sample>, u64) {
    const CALLERS: u32 = 20;
    let outcome = run_on(&config(Clock::Virtual, 11), move || {
        let (network, _) = network_with(&Server::default());
        prepare(&network);
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let client = client_of(&network, Host::Client(number));
                thread::spawn("caller", move || {
                    let sample = |number| {
                        let start = Instant::now();
                        let answered = double(&client, number).is_some();
                        (start.elapsed(), answered)
                    };
                    (0..count / u64::from(CALLERS)).map(sample).collect::<Vec<_>>()
                })
            })
            .collect();
        let samples = callers.into_iter().flat_map(thread::JoinHandle::join).collect();
        (samples, network.dispatched_to(CALLEE))
    });
    outcome.result.unwrap()
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Longest time that a call needs besides its delays: a few scheduling points.
const OVERHEAD: Duration = Duration::from_millis(1);

fn spread(times: &[Duration]) -> (Duration, Duration, Duration) {
    let sum: Duration = times.iter().sum();
    let count = u32::try_from(times.len()).unwrap();
    (*times.iter().min().unwrap(), sum / count, *times.iter().max().unwrap())
}

#[test]
fn an_unreliable_network_answers_81_calls_of_100() {
    let (samples, reached) = measure(20_000, |network| network.set_reliable(false));
    let answered = samples.iter().filter(|(_, answered)| *answered).count();
    let share_answered = share(answered, samples.len());
    let share_reached = reached as f64 / samples.len() as f64;
    assert!(
        (0.80..0.82).contains(&share_answered),
        "0.81 of the calls must be answered: {share_answered}"
    );
    assert!((0.89..0.91).contains(&share_reached), "0.9 of the calls must arrive: {share_reached}");

    // A lost call takes as long as an answered one, so the caller learns nothing from the time.
    let times: Vec<_> = samples.iter().map(|(time, _)| *time).collect();
    let (least, mean, most) = spread(&times);
    assert!(least < OVERHEAD && most >= millis(26) && most < millis(26) + OVERHEAD, "{most:?}");
    assert!(
        (12.8..13.4).contains(&(mean.as_secs_f64() * 1e3)),
        "the mean must be about 13 ms: {mean:?}"
    );
    let lost: Vec<_> = samples.iter().filter(|(_, ok)| !ok).map(|(time, _)| *time).collect();
    assert!(
        (12.0..14.2).contains(&(spread(&lost).1.as_secs_f64() * 1e3)),
        "lost calls must take about 13 ms on average, too"
    );
}

#[test]
fn long_reordering_holds_back_two_replies_of_three() {
    let (samples, reached) = measure(20_000, |network| network.set_long_reordering(true));
    assert_eq!(reached, 20_000, "every request must reach the server");
    assert!(samples.iter().all(|(_, answered)| *answered), "a reply was lost");
    let held: Vec<_> = samples.iter().map(|(time, _)| *time).filter(|t| *t > OVERHEAD).collect();
    let share_held = share(held.len(), samples.len());
    assert!(
        (0.655..0.678).contains(&share_held),
        "two of three replies must be held back: {share_held}"
    );
    let (least, mean, most) = spread(&held);
    assert!(least >= millis(200) && most <= millis(2199) + OVERHEAD, "{least:?}..{most:?}");
    assert!(
        (685.0..715.0).contains(&(mean.as_secs_f64() * 1e3)),
        "the mean must be about 700 ms: {mean:?}"
    );
}

/// Measures calls to a server that does not exist, with and without long delays.
#[test]
fn a_call_to_a_missing_server_takes_up_to_100_ms_or_7_s() {
    let nowhere = |long_delays: bool| {
        let (samples, reached) = match long_delays {
            true => measure(4000, |network| {
                network.delete_server(CALLEE);
                network.set_long_delays(true);
            }),
            false => measure(4000, |network| network.delete_server(CALLEE)),
        };
        assert_eq!(reached, 0, "a call to a missing server has arrived");
        assert!(samples.iter().all(|(_, answered)| !answered), "a missing server has answered");
        spread(&samples.iter().map(|(time, _)| *time).collect::<Vec<_>>())
    };
    let (_, mean, most) = nowhere(false);
    assert!(
        most > millis(95) && most <= millis(99) + OVERHEAD,
        "the longest call must take about 99 ms: {most:?}"
    );
    assert!(
        (47.0..52.0).contains(&(mean.as_secs_f64() * 1e3)),
        "the mean must be about 49.5 ms: {mean:?}"
    );
    let (_, mean, most) = nowhere(true);
    assert!(
        most > millis(6900) && most <= millis(6999) + OVERHEAD,
        "the longest call must take about 7 s: {most:?}"
    );
    assert!((3.4..3.6).contains(&mean.as_secs_f64()), "the mean must be about 3.5 s: {mean:?}");
}

#[test]
fn all_rules_are_asked_and_a_drop_ends_the_call_after_the_delays_of_earlier_rules() {
    on_the_virtual_clock(|| {
        let (network, client) = network_with(&Server::default());
        let asked = Arc::new(Quiet::new(Vec::new()));
        let add = |name: &'static str, verdict: Verdict| {
            let asked = asked.clone();
            let rule =
                move |_: &labrpc::Call<'_>, leg, _, _: &mut raftlab::runtime::rand::Chance| {
                    asked.with(|asked| asked.push(name));
                    if leg == Leg::Request { verdict } else { Verdict::Pass }
                };
            network.add_rule(name, Arc::new(rule))
        };
        add("first", Verdict::Delay(millis(30)));
        add("second", Verdict::Delay(millis(12)));
        let drops = add("third", Verdict::Drop);
        let fourth = add("fourth", Verdict::Delay(millis(500)));
        let start = Instant::now();
        assert_eq!(double(&client, 1), None, "the third rule must drop the call");
        let took = start.elapsed();
        assert!(took >= millis(42) && took < millis(43), "the call must take 30 + 12 ms: {took:?}");
        assert_eq!(asked.with(std::mem::take), ["first", "second", "third", "fourth"]);

        network.remove_rule(drops);
        network.remove_rule(fourth);
        assert!(double(&client, 2).is_some(), "a removed rule has dropped the call");
        assert_eq!(asked.with(std::mem::take), ["first", "second", "first", "second"]);
    });
}

#[test]
fn a_repeated_request_is_handled_twice_and_answered_once() {
    on_both_clocks(|_| {
        let server = Server::default();
        let (network, client) = network_with(&server);
        network.add_rule("repeat", Arc::new(Fault::repeat(millis(500), millis(500))));
        assert!(double(&client, 1).is_some(), "the first arrival must be answered");
        assert_eq!(server.numbers(), [1], "the copy has arrived too early");
        let bytes = network.counters().bytes;
        thread::sleep(millis(1500));
        assert_eq!(server.numbers(), [1, 1]);
        assert_eq!(network.dispatched_to(CALLEE), 2);
        assert_eq!(
            network.counters(),
            labrpc::Counters { calls: 1, bytes },
            "a copy must not count as a call"
        );
    });
}

/// Two rules make a request late: one repeats it, the other loses the first copy.
#[test]
fn a_late_request_reaches_the_servers_next_life() {
    on_the_virtual_clock(|| {
        let (old, new) = (Server::default(), Server::default());
        let (network, client) = network_with(&old);
        network.add_rule("late", Arc::new(Fault::repeat(millis(500), millis(500))));
        network.add_rule("lost", Arc::new(Fault::lose(Leg::Request)));
        assert_eq!(double(&client, 1), None, "the first arrival must be lost");
        network.delete_server(CALLEE);
        thread::sleep(millis(300));
        network.add_server(CALLEE, new.services());
        thread::sleep(millis(300));
        assert_eq!((old.numbers().len(), new.numbers().len()), (0, 1));
    });
}

#[test]
fn a_fault_affects_only_the_calls_that_it_names() {
    on_the_virtual_clock(|| {
        let (network, client) = network_with(&Server::default());
        let others = client_of(&network, Host::Client(1));
        let fault = Fault::lose(Leg::Request).from(CALLER).to(CALLEE).method("Junk.double");
        network.add_rule("some", Arc::new(fault));
        assert_eq!(double(&client, 1), None, "the fault did not lose the call that it names");
        assert!(slow(&client, 1).is_some(), "a call of another method was lost");
        assert!(double(&others, 1).is_some(), "a call of another caller was lost");
        let elsewhere: Client = network.end(CALLER, Host::Server(ServerId(1))).into();
        network.add_server(Host::Server(ServerId(1)), Server::default().services());
        network.enable(CALLER, Host::Server(ServerId(1)), true);
        assert!(double(&elsewhere, 1).is_some(), "a call to another server was lost");
    });
}

#[test]
fn reordered_requests_overtake_each_other_and_held_requests_keep_their_order() {
    let order = |fault: fn() -> Fault| {
        let outcome = run_on(&config(Clock::Virtual, 3), move || {
            let server = Server::default();
            let (network, client) = network_with(&server);
            network.add_rule("late", Arc::new(fault()));
            let callers: Vec<_> = (0..20)
                .map(|number| {
                    thread::sleep(millis(1));
                    let client = client.clone();
                    thread::spawn("caller", move || double(&client, number).unwrap())
                })
                .collect();
            callers.into_iter().for_each(|caller| drop(caller.join()));
            server.numbers()
        });
        outcome.result.unwrap()
    };
    let in_order: Vec<u64> = (0..20).collect();
    assert_eq!(order(|| Fault::hold(Leg::Request, millis(300))), in_order);
    let reordered = order(|| Fault::reorder(Leg::Request, millis(0), millis(100)));
    assert_ne!(reordered, in_order, "20 requests delayed at random have kept their order");
}

#[test]
fn bytes_are_counted_of_lost_requests_but_not_of_lost_replies() {
    on_both_clocks(|_| {
        let (network, client) = network_with(&Server::default());
        // `double(1)` has two bytes. "twice 1 is 2" has twelve bytes; the length of the text and
        // the method's number add two.
        double(&client, 1);
        assert_eq!(network.counters(), labrpc::Counters { calls: 1, bytes: 2 + 14 });
        let lost = network.add_rule("reply", Arc::new(Fault::lose(Leg::Reply)));
        double(&client, 1);
        assert_eq!(network.counters(), labrpc::Counters { calls: 2, bytes: 18 });
        network.remove_rule(lost);
        network.enable(CALLER, CALLEE, false);
        double(&client, 1);
        assert_eq!(network.counters(), labrpc::Counters { calls: 3, bytes: 20 });
        assert_eq!(network.dispatched_to(CALLEE), 2);
    });
}

/// A rule has a random stream of its own: draws of other rules do not shift it.
#[test]
fn a_rule_draws_from_its_own_stream() {
    let delays = |other_rule: bool| {
        let outcome = run_on(&config(Clock::Virtual, 5), move || {
            let (network, client) = network_with(&Server::default());
            if other_rule {
                network.add_rule("other", Arc::new(Fault::repeat(millis(0), millis(9))));
            }
            let reorder = Fault::reorder(Leg::Request, millis(0), millis(100));
            network.add_rule("ours", Arc::new(reorder));
            let timed = |number| {
                let start = Instant::now();
                double(&client, number).unwrap();
                start.elapsed().as_millis()
            };
            (0..50).map(timed).collect::<Vec<_>>()
        });
        outcome.result.unwrap()
    };
    assert_eq!(delays(false), delays(true), "one rule has drawn from another rule's stream");
}

#[test]
fn two_rules_draw_different_delays() {
    on_the_virtual_clock(|| {
        let (network, client) = network_with(&Server::default());
        let delays = |name: &'static str| {
            let reorder = Fault::reorder(Leg::Request, millis(0), millis(100));
            let rule = network.add_rule(name, Arc::new(reorder));
            let timed = |number| {
                let start = Instant::now();
                double(&client, number).unwrap();
                start.elapsed().as_millis()
            };
            let taken: Vec<_> = (0..10).map(timed).collect();
            network.remove_rule(rule);
            taken
        };
        let (first, other, again) = (delays("first"), delays("other"), delays("first"));
        assert_ne!(first, other, "two rules share a stream");
        assert_ne!(first, again, "a second rule of the same name repeats the first");
    });
}

#[test]
fn a_fault_of_250_per_mille_loses_a_quarter_of_the_calls() {
    let (samples, _) = measure(8000, |network| {
        network.add_rule("some", Arc::new(Fault::lose(Leg::Request).per_mille(250)));
    });
    let lost = samples.iter().filter(|(_, answered)| !answered).count();
    assert!((1900..2100).contains(&lost), "a quarter of 8000 calls must be lost: {lost}");
}
