//! Scenarios of part 2A.

use crate::lab::Cluster;

/// Body follows.
pub fn initial_election_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn reelection_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn many_elections_2a(cluster: &mut Cluster) {
    cluster.check_one_leader();
}
