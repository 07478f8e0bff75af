//! Parts 2B and 2C: a cluster of one server, which is a majority by itself.

use crate::lab::{Cluster, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("one_server_2b", one_server_2b)
        .servers(1)
        .title("a cluster of one server")
        .catches("a server that waits for replies although it is a majority by itself"),
    Scenario::new("one_server_restarts_2c", one_server_restarts_2c)
        .servers(1)
        .title("a cluster of one server restarts")
        .catches("a server alone that does not commit its old entries after a restart"),
];

/// A single server elects itself, and commits what it is given.
///
/// Raft §5.2: a candidate needs votes "from a majority of the servers in the full cluster", and
/// its own vote is one. A wrong server waits for a reply to a vote request or to an append, and no
/// reply can come.
fn one_server_2b(cluster: &mut Cluster) {
    cluster.wait_for_leader();
    for command in ["a", "b", "c"] {
        cluster.agree(command);
    }
}

/// A single server has its log again after a crash, commits the old entries with the first new
/// one, and continues.
///
/// Raft §5.4.2: entries of earlier terms are committed with one of the new term. A wrong server
/// counts its replicas only when a reply comes.
fn one_server_restarts_2c(cluster: &mut Cluster) {
    for command in ["a", "b"] {
        let server = cluster.wait_for_leader();
        cluster.agree(command);
        cluster.restart(server);
    }
    cluster.agree("c");
}
