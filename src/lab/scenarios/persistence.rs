//! Scenarios of part 2C.

use crate::lab::Cluster;

/// Body follows.
pub fn persist1_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn persist2_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn persist3_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn figure8_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn unreliable_agree_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn figure8_unreliable_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn reliable_churn_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}

/// Body follows.
pub fn unreliable_churn_2c(cluster: &mut Cluster) {
    cluster.check_one_leader();
}
