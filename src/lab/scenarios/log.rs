//! Scenarios of part 2B.

use crate::lab::Cluster;

/// Body follows.
pub fn basic_agree_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn rpc_bytes_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn follower_failure_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn leader_failure_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn fail_agree_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn fail_no_agree_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn concurrent_starts_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn rejoin_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn backup_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn count_2b(cluster: &mut Cluster) {
    cluster.check_one_leader();
}
