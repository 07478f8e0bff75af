//! Part 2B: a cluster of one server, which is a majority by itself.

use crate::lab::Cluster;

/// A single server elects itself, commits what it is given, and has it again after a crash.
///
/// Raft §5.2: a candidate needs votes "from a majority of the servers in the full cluster", and
/// its own vote is one. A wrong server waits for a reply to a vote request or to an append, and no
/// reply can come.
pub fn one_server_2b(cluster: &mut Cluster) {
    let server = cluster.wait_for_leader();
    for command in ["a", "b", "c"] {
        cluster.agree(command);
    }
    cluster.restart(server);
    cluster.agree("d");
}
