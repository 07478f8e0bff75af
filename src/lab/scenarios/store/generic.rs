//! The tests of part `store` that differ only in their trouble.

use super::rounds::{Trouble, rounds};
use crate::lab::Cluster;

/// How many applied entries a log may keep where it has a bound.
const LOG_GC_LIMIT: u64 = 100;

/// No trouble, for one client of servers that keep their whole log.
const CALM: Trouble = Trouble { clients: 1, crash: false, partitions: false, log_gc_limit: None };

/// No trouble, for five clients of servers whose log has a bound.
const BOUND: Trouble = Trouble { clients: 5, log_gc_limit: Some(LOG_GC_LIMIT), ..CALM };

/// One client puts and scans.
pub fn basic_store(cluster: &mut Cluster) {
    rounds(cluster, &CALM);
}

/// Five clients at once.
pub fn concurrent_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, ..CALM });
}

/// Five clients whose requests and answers get lost.
pub fn unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, ..CALM });
}

/// One client, while servers are divided in ever new ways.
pub fn many_partitions_one_client_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { partitions: true, ..CALM });
}

/// Five clients, while servers are divided in ever new ways.
pub fn many_partitions_many_clients_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, partitions: true, ..CALM });
}

/// One client of servers that all crash and come back.
pub fn persist_one_client_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, ..CALM });
}

/// Five clients of servers that all crash and come back.
pub fn persist_concurrent_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, ..CALM });
}

/// The same, while messages get lost.
pub fn persist_concurrent_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, ..CALM });
}

/// Five clients, partitions, and crashes of all servers.
pub fn persist_partition_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, partitions: true, ..CALM });
}

/// The same, while messages get lost.
pub fn persist_partition_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, partitions: true, ..CALM });
}

/// One client; the log is cut while it works, and all servers crash.
pub fn snapshot_recover_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 1, crash: true, ..BOUND });
}

/// Twenty clients; the log is cut while they work, and all servers crash.
pub fn snapshot_recover_many_clients_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 20, crash: true, ..BOUND });
}

/// Five clients whose messages get lost; the log is cut while they work.
pub fn snapshot_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &BOUND);
}

/// The same, and all servers crash.
pub fn snapshot_unreliable_recover_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, ..BOUND });
}

/// The same, and servers that were in a minority come back to a log that no longer has what they
/// lack.
pub fn snapshot_unreliable_recover_concurrent_partition_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, partitions: true, ..BOUND });
}
