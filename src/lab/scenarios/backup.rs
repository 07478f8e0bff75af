//! Part 2B: how a leader finds the place where a follower's log parts from its own.

use crate::api::{Entry, ServerId};
use crate::lab::Cluster;
use crate::lab::puppet::{Follower, S1, S2, Stage, at, entries};

/// How often a leader that backs up by terms may be refused, by a log that has `terms` terms that
/// the leader has not: once for each, once for the length; all twice, since a heartbeat may be
/// on its way meanwhile; and two more for requests that overtake one another.
const fn refusals_max(terms: u32) -> u32 {
    2 * (terms + 1) + 2
}

/// A log with two wrong terms of ten entries each is put right in a handful of calls.
///
/// The lab's fast backup, and the end of Raft §5.3.
///
/// ```text
/// index   1…10  11…20  21…30  31…40
/// S0      1     4      5      6
/// S1      1     2      3
/// S2      1
/// ```
pub fn fast_backup_2b(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let log = |terms: &[u64]| {
        let tens: Vec<u64> = terms.iter().flat_map(|term| [*term; 10]).collect();
        entries(at(0, 0), &tens)
    };
    let terms: Vec<u64> = log(&[1, 4, 5, 6]).iter().map(|entry| entry.term.0).collect();
    stage.attempt(|| stage.give_log(&terms, 0));
    stage.follows(S1, Follower::with_log(log(&[1, 2, 3])));
    stage.follows(S2, Follower::with_log(log(&[1])));
    converge(&stage, &log(&[1, 4, 5, 6]));
    check_refusals(&stage, S1, 2);
    check_refusals(&stage, S2, 0);
}

/// Every log of Figure 7 becomes the leader's.
///
/// ```text
/// index   1  2  3  4  5  6  7  8  9  10 11 12
/// S0      1  1  1  4  4  5  5  6  6  6
/// S1      1  1  1  4  4  5  5  6  6
/// S2      1  1  1  4
/// S3      1  1  1  4  4  5  5  6  6  6  6
/// S4      1  1  1  4  4  5  5  6  6  6  7  7
/// S5      1  1  1  4  4  4  4
/// S6      1  1  1  2  2  2  3  3  3  3  3
/// ```
pub fn figure7_2b(cluster: &mut Cluster) {
    let leader: &[u64] = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [(&[u64], u32); 6] = [
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6], 0),
        (&[1, 1, 1, 4], 0),
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 0),
        (&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 1),
        (&[1, 1, 1, 4, 4, 4, 4], 1),
        (&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 2),
    ];
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(leader, 0));
    for (puppet, (log, _)) in stage.puppets().zip(followers) {
        stage.follows(puppet, Follower::with_log(entries(at(0, 0), log)));
    }
    converge(&stage, &entries(at(0, 0), leader));
    for (puppet, (_, wrong_terms)) in stage.puppets().zip(followers) {
        check_refusals(&stage, puppet, wrong_terms);
    }
}

/// S0 is elected with `log`, gets one more command, and brings it all to every puppet.
fn converge(stage: &Stage<'_>, log: &[Entry]) {
    let leading = stage.elect();
    let index = leading.start("x");
    let last = Entry { term: leading.term, index, data: "x".into() };
    let expected: Vec<Entry> = log.iter().cloned().chain([last]).collect();
    stage.wait_applied(index.0);
    for puppet in stage.puppets() {
        if !stage.soon(|| stage.follower(puppet).entries == expected) {
            let has = stage.follower(puppet).last();
            let message = format!("{puppet}'s log ends at {has}; S0's at {index}");
            stage.cluster().end_by_limit("not_converged", message);
        }
    }
}

fn check_refusals(stage: &Stage<'_>, puppet: ServerId, wrong_terms: u32) {
    let refusals = stage.follower(puppet).refusals;
    stage.cluster().check_at_most("refusals", refusals.into(), refusals_max(wrong_terms).into());
}
