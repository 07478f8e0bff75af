//! Scenarios of part 2D.

use crate::lab::Cluster;

/// Body follows.
pub fn snapshot_basic_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_install_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_install_unreliable_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_install_crash_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_install_un_crash_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_all_crash_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn snapshot_init_2d(cluster: &mut Cluster) {
    cluster.check_one_leader();
}
