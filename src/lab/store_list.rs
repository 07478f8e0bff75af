//! The list of the scenarios of part `store`, which exists in a build with a database.

use super::Scenario;

/// Calls the macro `$make` with the lines of this call, followed by the lines of part `store`.
///
/// The first seventeen scenarios have the names of the tick design's own tests.
#[cfg(feature = "store")]
macro_rules! with_store_scenarios {
    ($make:ident $($lines:tt)*) => {
        $make! {
            $($lines)*
            basic_store: Store, 5 servers, reliable, "one client puts and scans",
                "an answer that misses an earlier put";
            concurrent_store: Store, 5 servers, reliable, "many clients put and scan",
                "an operation that is lost or applied twice when several clients are busy";
            unreliable_store: Store, 5 servers, unreliable, "many clients, messages are lost",
                "a command that is applied twice, or never";
            many_partitions_one_client_store: Store, 5 servers, reliable, "one client, partitions",
                "an answer from a minority";
            many_partitions_many_clients_store: Store, 5 servers, reliable,
                "many clients, partitions",
                "an answer from a minority that has operations pending";
            persist_one_client_store: Store, 5 servers, reliable, "one client, crashes",
                "a database that loses an answered operation in a crash";
            persist_concurrent_store: Store, 5 servers, reliable, "many clients, crashes",
                "a database that loses an answered operation when it crashes under load";
            persist_concurrent_unreliable_store: Store, 5 servers, unreliable,
                "many clients, crashes, messages are lost",
                "a retry that is applied again after a restart";
            persist_partition_store: Store, 5 servers, reliable,
                "many clients, partitions, crashes",
                "replaced entries of a minority that come back after a crash";
            persist_partition_unreliable_store: Store, 5 servers, unreliable,
                "many clients, partitions, crashes, messages are lost",
                "an operation lost or repeated under partitions, crashes and lost messages";
            snapshot_recover_store: Store, 5 servers, reliable,
                "one client, a bounded log, crashes",
                "a log that is not trimmed; a log that is trimmed too far before a restart";
            snapshot_recover_many_clients_store: Store, 5 servers, reliable,
                "twenty clients, a bounded log, crashes",
                "a log that is trimmed too far while many clients fill it";
            snapshot_unreliable_store: Store, 5 servers, unreliable,
                "many clients, a bounded log, messages are lost",
                "a lagging follower that needs discarded entries and gets no snapshot";
            snapshot_unreliable_recover_store: Store, 5 servers, unreliable,
                "many clients, a bounded log, crashes, messages are lost",
                "a restart that uses half of a snapshot";
            snapshot_unreliable_recover_concurrent_partition_store: Store, 5 servers, unreliable,
                "many clients, a bounded log, partitions, crashes, messages are lost",
                "a minority that never recovers from discarded entries, crashes and lost messages";
            one_partition_store: Store, 5 servers, reliable, "one minority, then another",
                "a write or a read without a majority";
            one_snapshot_store: Store, 3 servers, reliable, "a follower that was unreachable",
                "a snapshot that is lost in a restart, or that contains deleted keys";
            torn_commits_store: Store, 5 servers, reliable, "power failures during commits",
                "log and data that disagree after a crash; a reply that is sent before its sync";
            lost_chunks_store: Store, 3 servers, unreliable, "a snapshot whose chunks are lost",
                "a snapshot with a missing chunk, or with a chunk in the wrong place";
            snapshot_interrupted_store: Store, 3 servers, unreliable,
                "crashes during a snapshot transfer",
                "half a snapshot that is installed; a transfer that is never tried again";
            empty_value_store: Store, 3 servers, reliable, "an empty value",
                "a put of an empty value that counts as a delete";
            sessions_store: Store, 3 servers, reliable, "a request from before the snapshot",
                "sessions that are missing from the snapshot";
        }
    };
}

/// Calls the macro `$make` with the lines of this call alone: without a database there is no part
/// `store`.
#[cfg(not(feature = "store"))]
macro_rules! with_store_scenarios {
    ($make:ident $($lines:tt)*) => {
        $make! { $($lines)* }
    };
}

/// Expands the list to rows.
macro_rules! rows {
    ($($name:ident: Store, $servers:literal servers, $network:ident, $title:literal,
        $catches:literal;)*) => {
        &[$(rows!(@$network Scenario::new(stringify!($name), super::scenarios::store::$name))
            .servers($servers)
            .title($title)
            .catches($catches)),*]
    };
    (@reliable $scenario:expr) => { $scenario };
    (@unreliable $scenario:expr) => { $scenario.unreliable() };
}

/// The scenarios of part `store`.
pub(super) const SCENARIOS: &[Scenario] = with_store_scenarios! { rows };
