//! Parts 2A and 2B: a server's answer to its service describes one moment.
//!
//! A server that builds its answer in two critical sections may report a term and a role that it
//! never had together. Here many tasks ask S0 at the moment in which it is deposed.

use crate::api::{Leadership, Started, Term};
use crate::lab::puppet::{Leading, S0, S1, Stage, at};
use crate::lab::{Cluster, Scenario};
use crate::runtime::thread;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("one_look_2a", one_look_2a)
        .puppets()
        .title("get_state() while a leader is deposed")
        .catches("get_state() that pairs a role with the term of another moment"),
    Scenario::new("one_look_2b", one_look_2b)
        .puppets()
        .title("start() while a leader is deposed")
        .catches("start() that returns a later term than that of the entry"),
];

/// How often S0 is elected and deposed.
const ROUNDS: usize = 5;
/// How many tasks ask, and how often each: enough that some ask at the very moment.
const TASKS: usize = 4;
const QUESTIONS: usize = 25;

/// S0 says that it leads only in a term in which it was elected.
///
/// A wrong server reads its role under one lock and its term under another, after it was deposed.
fn one_look_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    for _ in 0..ROUNDS {
        let leading = stage.elect();
        for seen in while_deposed(&leading, |cluster| cluster.state_of(S0)) {
            let Leadership { term, is_leader } = seen;
            let led = !is_leader || term == leading.term;
            assert!(led, "S0 was elected in term {}, but says: {seen:?}", leading.term);
        }
    }
}

/// S0 accepts a command only in the term in which it leads.
///
/// A wrong server accepts the command while it leads, and reads its term after it was deposed.
fn one_look_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    for _ in 0..ROUNDS {
        let leading = stage.elect();
        for started in while_deposed(&leading, |cluster| cluster.start(S0, b"x").ok()) {
            let Started { term, .. } = started;
            assert_eq!(term, leading.term, "S0 accepted a command: {started:?}");
        }
    }
}

/// The answers to tasks that `ask` again and again while S1 tells S0 of a newer term.
fn while_deposed<T: Send + 'static>(
    leading: &Leading<'_, '_>,
    ask: impl Fn(&Cluster) -> Option<T> + Copy + Send + 'static,
) -> Vec<T> {
    let stage = leading.stage();
    let newer: Term = stage.fresh_term();
    let ask_often = |number: usize| {
        let cluster = stage.cluster().clone();
        thread::spawn(format!("asks{number}"), move || {
            (0..QUESTIONS).filter_map(|_| ask(&cluster)).collect::<Vec<T>>()
        })
    };
    let asking: Vec<_> = (0..TASKS).map(ask_often).collect();
    let _ = stage.append(S1, newer, at(0, 0), Vec::new(), 0);
    asking.into_iter().flat_map(|task| task.join()).collect()
}
