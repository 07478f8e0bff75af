//! Parts 2B and 2C: how a leader finds the place where a follower's log differs from its own.

use crate::api::Entry;
use crate::lab::puppet::{S1, S2, Stage, at, entries};
use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("figure7_2b", figure7_2b)
        .servers(7)
        .puppets()
        .title("Figure 7")
        .catches("a follower's log that never becomes the leader's"),
    Scenario::new("fast_backup_2c", fast_backup_2c)
        .puppets()
        .title("backing up one term at a time")
        .catches("one call per conflicting entry instead of one per conflicting term"),
];

/// In how many places a follower with `terms` wrong terms may refuse a leader that backs up by
/// terms.
///
/// It refuses once per wrong term, and once because its log is too short. This is doubled, since
/// the leader may send entries before it knows that they fit. Two more are for calls that overtake
/// each other. The slowest leader, which goes back one entry at a time, is refused in ten places
/// per term.
const fn refusals_max(terms: u32) -> u32 {
    2 * (terms + 1) + 2
}

/// A leader repairs a log with two wrong terms of ten entries each in a handful of calls.
///
/// The lab's fast backup, and the end of Raft §5.3. The course asks for it in this part, whose
/// tests take too long without it. A wrong leader goes back one entry per refusal. The scenario
/// counts the places where S0 was refused, not the calls: many may be in flight when the first
/// refusal arrives.
///
/// ```text
/// index   1…10  11…20  21…30  31…40
/// S0      1     4      5      6
/// S1      1     2      3
/// S2      1
/// ```
fn fast_backup_2c(cluster: &mut Cluster) {
    let stage = Stage::new(cluster);
    let log = |terms: &[u64]| {
        let tens: Vec<u64> = terms.iter().flat_map(|term| [*term; 10]).collect();
        entries(at(0, 0), &tens)
    };
    let terms: Vec<u64> = log(&[1, 4, 5, 6]).iter().map(|entry| entry.term.0).collect();
    stage.attempt(|| stage.give_log(&terms, 0));
    stage.has_log(S1, log(&[1, 2, 3]));
    stage.has_log(S2, log(&[1]));
    converge(&stage, &log(&[1, 4, 5, 6]));
    for (puppet, wrong_terms) in [(S1, 2), (S2, 0)] {
        let refusals = stage.refusals_of(puppet);
        let max = refusals_max(wrong_terms);
        stage.cluster().check_at_most("refusals", refusals as u64, max.into());
    }
}

/// A leader makes every follower's log of Figure 7 equal to its own.
///
/// Raft §5.3. A wrong leader or follower leaves a gap in a log, or keeps an entry that conflicts.
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
fn figure7_2b(cluster: &mut Cluster) {
    let leader: &[u64] = &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    let followers: [&[u64]; 6] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    let stage = Stage::new(cluster);
    stage.attempt(|| stage.give_log(leader, 0));
    for (puppet, log) in stage.puppets().zip(followers) {
        stage.has_log(puppet, entries(at(0, 0), log));
    }
    converge(&stage, &entries(at(0, 0), leader));
}

/// Elects S0 with `log`, starts one more command, and waits until every puppet has all entries.
fn converge(stage: &Stage<'_>, log: &[Entry]) {
    stage.puppets().for_each(|puppet| stage.follows(puppet));
    let leading = stage.elect();
    let index = leading.start("x");
    let last = Entry { term: leading.term, index, data: "x".into() };
    let expected: Vec<Entry> = log.iter().cloned().chain([last]).collect();
    stage.wait_applied(index.0);
    for puppet in stage.puppets() {
        if !stage.happens_soon(|| stage.entries_of(puppet) == expected) {
            let has = stage.last_of(puppet);
            let message = format!("{puppet}'s log ends at {has}, S0's at index {index}");
            stage.cluster().end_by_limit("not_converged", message);
        }
    }
}
