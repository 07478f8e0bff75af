//! Part 2A: a leader is elected, and another one when it is gone.

use crate::api::Term;
use crate::lab::Cluster;
use crate::runtime::time::since_start;

/// A leader comes, its term is shared by all, and it stays while nothing happens.
///
/// The course only warns when the term changes in two quiet seconds. Here that fails where it
/// is beyond doubt: in virtual time, when the schedule held up no server meanwhile.
pub fn initial_election_2a(cluster: &mut Cluster) {
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

/// Leaders come and go with the network; without a majority there is none.
pub fn reelection_2a(cluster: &mut Cluster) {
    let first = cluster.check_one_leader();

    // The others elect a new one.
    cluster.disconnect(first);
    cluster.check_one_leader();

    // The old leader comes back, and follows.
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

    // The third one, back again, does no harm.
    cluster.connect(second);
    cluster.check_one_leader();
}

/// Nine times one to three of seven servers are cut off; there is always a leader soon.
pub fn many_elections_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();
    for _ in 0..9 {
        let cut_off = [cluster.draw_server(), cluster.draw_server(), cluster.draw_server()];
        cut_off.iter().for_each(|server| cluster.disconnect(*server));
        cluster.check_one_leader();
        cut_off.iter().for_each(|server| cluster.connect(*server));
    }
    cluster.check_one_leader();
}
