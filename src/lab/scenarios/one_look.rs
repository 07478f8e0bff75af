//! Parts 2A and 2B: an answer to the service speaks of one moment.
//!
//! A server whose answer is put together from two critical sections tells of a term and of a role
//! that it never had at once. Here many tasks ask S0 at the moment in which it is deposed.

use crate::api::{Leadership, Started, Term};
use crate::lab::Cluster;
use crate::lab::puppet::{Leading, S0, S1, Stage, at};
use crate::runtime::thread;

/// How many leaderships are ended.
const ROUNDS: usize = 5;
/// How many tasks ask, and how often each: enough that some are in the middle of asking.
const TASKS: usize = 4;
const QUESTIONS: usize = 25;

/// S0 says that it leads only in a term that it was elected in.
pub fn one_look_2a(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    for _ in 0..ROUNDS {
        let leading = stage.elect();
        for seen in while_deposed(&leading, |cluster| cluster.state_of(S0)) {
            let Leadership { term, is_leader } = seen;
            let led = !is_leader || term == leading.term;
            assert!(led, "S0 was elected in term {}, and says: {seen:?}", leading.term);
        }
    }
}

/// A command that S0 takes is taken in the term in which S0 leads.
pub fn one_look_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    for _ in 0..ROUNDS {
        let leading = stage.elect();
        for started in while_deposed(&leading, |cluster| cluster.start(S0, b"x").ok()) {
            let Started { term, .. } = started;
            assert_eq!(term, leading.term, "S0 says that it took a command: {started:?}");
        }
    }
}

/// What tasks were told that `ask` over and over while S1 leads in a newer term and says so.
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
