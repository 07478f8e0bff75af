//! The tests of part `store` that differ only in their faults.

use super::rounds::{Trouble, rounds};
use crate::lab::Cluster;

/// How many applied entries a log may keep, in tests with a limit.
const LOG_GC_LIMIT: u64 = 100;

/// No faults; one client of servers that keep their whole logs.
const CALM: Trouble = Trouble { clients: 1, crash: false, partitions: false, log_gc_limit: None };

/// No faults; five clients of servers whose logs have a limit.
const BOUND: Trouble = Trouble { clients: 5, log_gc_limit: Some(LOG_GC_LIMIT), ..CALM };

/// One client puts and scans.
///
/// A wrong server gives an answer that lacks what was put.
pub(crate) fn basic_store(cluster: &mut Cluster) {
    rounds(cluster, &CALM);
}

/// Five clients put and scan at once.
///
/// A wrong server mixes up entries that come together.
pub(crate) fn concurrent_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, ..CALM });
}

/// Five clients put and scan, while requests and answers are lost.
///
/// A wrong server carries out a command twice, or never.
pub(crate) fn unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, ..CALM });
}

/// One client puts and scans, while partitions come and go.
///
/// A wrong server answers from a minority.
pub(crate) fn many_partitions_one_client_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { partitions: true, ..CALM });
}

/// Five clients put and scan, while partitions come and go.
///
/// A wrong server answers from a minority.
pub(crate) fn many_partitions_many_clients_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, partitions: true, ..CALM });
}

/// One client puts and scans, while all servers crash and come back.
///
/// A wrong server's database forgets what the server has promised.
pub(crate) fn persist_one_client_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, ..CALM });
}

/// Five clients put and scan, while all servers crash and come back.
///
/// A wrong server's database forgets what the server has promised.
pub(crate) fn persist_concurrent_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, ..CALM });
}

/// Five clients put and scan, while all servers crash and come back and messages are lost.
///
/// A wrong server does not recognize a retry after its restart.
pub(crate) fn persist_concurrent_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, ..CALM });
}

/// All servers crash after partitions, while five clients put and scan.
///
/// A wrong server finds entries of a minority again that were replaced before its crash.
pub(crate) fn persist_partition_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, partitions: true, ..CALM });
}

/// All servers crash after partitions, while five clients put and scan and messages are lost.
///
/// A wrong server finds entries of a minority again that were replaced before its crash.
pub(crate) fn persist_partition_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 5, crash: true, partitions: true, ..CALM });
}

/// The log is trimmed while one client works, and all servers crash.
///
/// A wrong server does not trim its log, or trims too much of it in a restart.
pub(crate) fn snapshot_recover_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 1, crash: true, ..BOUND });
}

/// The log is trimmed while twenty clients work, and all servers crash.
///
/// A wrong server does not trim its log, or trims too much of it in a restart.
pub(crate) fn snapshot_recover_many_clients_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { clients: 20, crash: true, ..BOUND });
}

/// The log is trimmed while five clients work and messages are lost.
///
/// A wrong leader has no entry, and no snapshot, for a follower that lags.
pub(crate) fn snapshot_unreliable_store(cluster: &mut Cluster) {
    rounds(cluster, &BOUND);
}

/// The log is trimmed while five clients work, messages are lost, and all servers crash.
///
/// A wrong server restarts from half of a snapshot.
pub(crate) fn snapshot_unreliable_recover_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, ..BOUND });
}

/// The log is trimmed under partitions, crashes and lost messages, while five clients work.
///
/// Servers that were in a minority come back when no log has the entries that they lack. A wrong
/// leader has no snapshot for them.
pub(crate) fn snapshot_unreliable_recover_concurrent_partition_store(cluster: &mut Cluster) {
    rounds(cluster, &Trouble { crash: true, partitions: true, ..BOUND });
}
