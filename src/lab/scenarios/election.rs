//! Part 2A: the servers elect a leader, and another one when it is gone.

use crate::api::Term;
use crate::lab::{Cluster, Scenario, steps};
use crate::runtime::time::since_start;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("initial_election_2a", initial_election_2a)
        .title("initial election")
        .catches("no leader within five seconds; servers in different terms"),
    Scenario::new("reelection_2a", reelection_2a)
        .title("election after network failure")
        .catches("no new leader after the old one is cut off; a leader without a majority"),
    Scenario::new("many_elections_2a", many_elections_2a)
        .servers(7)
        .title("multiple elections")
        .catches("split votes that never end; a vote given twice in one term"),
];

/// The servers elect a leader, agree on its term, and keep both while nothing fails.
///
/// Raft §5.2. A wrong server elects no leader within five seconds, or starts an election although
/// it hears its leader. The course only warns when the term changes in two quiet seconds. Here that
/// fails where it is beyond doubt: in virtual time, when the schedule delayed no server meanwhile.
fn initial_election_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();

    cluster.sleep_ms(50);
    let quiet_since = since_start();
    let term = cluster.check_terms();
    assert!(term >= Term(1), "a leader was elected, but the term is {term}");

    cluster.sleep_ms(2000);
    let later = cluster.check_terms();
    if later != term && cluster.was_undisturbed_since(quiet_since) {
        panic!("the term went from {term} to {later} although nothing failed");
    }
    cluster.check_one_leader();
}

/// The servers replace a leader that is cut off, and have no leader without a majority.
///
/// Raft §5.2. A wrong server elects no new leader, or leads although no majority can hear it.
fn reelection_2a(cluster: &mut Cluster) {
    let first = cluster.check_one_leader();

    // The others elect a new one.
    cluster.disconnect(first);
    cluster.check_one_leader();

    // The old leader comes back as a follower.
    cluster.connect(first);
    let second = cluster.check_one_leader();

    // One of three is no majority.
    cluster.disconnect(second);
    cluster.disconnect(cluster.after(second, 1));
    cluster.sleep_ms(2000);
    cluster.check_no_leader();

    // Two of three are.
    cluster.connect(cluster.after(second, 1));
    cluster.check_one_leader();

    // The third server comes back, and there is still one leader.
    cluster.connect(second);
    cluster.check_one_leader();
}

/// One to three of seven servers are cut off, nine times; each time there is soon a leader.
///
/// Raft §5.2. Wrong servers split the vote again and again, or give two votes in one term.
fn many_elections_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();
    for _ in steps(0..9) {
        let cut_off = [cluster.draw_server(), cluster.draw_server(), cluster.draw_server()];
        cut_off.iter().for_each(|server| cluster.disconnect(*server));
        cluster.check_one_leader();
        cut_off.iter().for_each(|server| cluster.connect(*server));
    }
    cluster.check_one_leader();
}
