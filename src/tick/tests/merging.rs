//! The number of rounds that it takes to repair a log.

use super::cluster::Cluster;
use super::*;

/// The number of appends with which a leader with the log `ours` repairs the log `theirs`.
fn appends_to_repair(ours: &[u64], theirs: &[u64]) -> usize {
    let term = ours.iter().chain(theirs).copied().max().unwrap();
    let on = |log| {
        let mut disk = disk(log);
        disk.set_hard_state(HardState { term: Term(term), ..HardState::default() });
        disk
    };
    let mut cluster = Cluster::on(vec![on(ours), on(theirs), on(&[])], |_| {});
    cluster.lose(|message| message.to == id(3) && matches!(message.kind, Kind::Append { .. }));
    cluster.campaign(1);
    assert_eq!(cluster.terms(2), cluster.terms(1), "{theirs:?} under {ours:?}");
    let refused = |message: &&Message| {
        matches!(message.kind, Kind::AppendResponse { rejection: Some(_), .. })
    };
    1 + cluster.delivered.iter().filter(refused).count()
}

#[test]
fn repairing_a_short_log_takes_one_refusal() {
    assert_eq!(appends_to_repair(&[1; 500], &[1; 3]), 2);
}

#[test]
fn repairing_a_long_tail_of_a_lost_term_takes_at_most_two_refusals() {
    let mut theirs = vec![1; 3];
    theirs.extend([2; 500]);
    let mut ours = vec![1; 4];
    ours.push(3);
    assert!(appends_to_repair(&ours, &theirs) <= 3, "one refusal per term, not per entry");
}

#[test]
fn many_alternating_terms_take_no_more_than_one_refusal_each() {
    let ours: Vec<_> = (0..40).map(|index| 1 + index / 8 * 2).collect();
    let theirs: Vec<_> = (0..40).map(|index| 1.max(index / 8 * 2)).collect();
    assert!(appends_to_repair(&ours, &theirs) <= 6, "four terms differ");
}
