//! The list of part `store`, which is there where the build has a database.

/// Gives `$make` the lines that it is handed and those of part `store`.
///
/// The names of the first seventeen are those of the tick design's own tests.
#[cfg(feature = "store")]
#[macro_export]
#[doc(hidden)]
macro_rules! with_store_scenarios {
    ($make:ident $($lines:tt)*) => {
        $make! {
            $($lines)*
            basic_store: Store, 5 servers, reliable, "one client puts and scans",
                "an answer that misses what was put";
            concurrent_store: Store, 5 servers, reliable, "many clients put and scan",
                "entries that get in each other's way";
            unreliable_store: Store, 5 servers, unreliable, "many clients, messages are lost",
                "a command that is carried out twice, or never";
            many_partitions_one_client_store: Store, 5 servers, reliable,
                "one client, partitions",
                "an answer of a minority";
            many_partitions_many_clients_store: Store, 5 servers, reliable,
                "many clients, partitions",
                "the same, where minorities were busy";
            persist_one_client_store: Store, 5 servers, reliable, "one client, crashes",
                "a database that forgets what was promised";
            persist_concurrent_store: Store, 5 servers, reliable, "many clients, crashes",
                "the same, with much under way in the crash";
            persist_concurrent_unreliable_store: Store, 5 servers, unreliable,
                "many clients, crashes, messages are lost",
                "a repetition that a restarted server does not know";
            persist_partition_store: Store, 5 servers, reliable,
                "many clients, partitions, crashes",
                "entries of a minority that a crash brings back";
            persist_partition_unreliable_store: Store, 5 servers, unreliable,
                "many clients, partitions, crashes, messages are lost",
                "all of this at once";
            snapshot_recover_store: Store, 5 servers, reliable,
                "one client, a log with a bound, crashes",
                "a log that is not trimmed; a restart that trimmed too much";
            snapshot_recover_many_clients_store: Store, 5 servers, reliable,
                "twenty clients, a log with a bound, crashes",
                "the same, where the log is trimmed all the time";
            snapshot_unreliable_store: Store, 5 servers, unreliable,
                "many clients, a log with a bound, messages are lost",
                "a follower that needs an entry which is gone";
            snapshot_unreliable_recover_store: Store, 5 servers, unreliable,
                "many clients, a log with a bound, crashes, messages are lost",
                "a snapshot that was half there";
            snapshot_unreliable_recover_concurrent_partition_store: Store, 5 servers, unreliable,
                "many clients, a log with a bound, partitions, crashes, messages are lost",
                "all of this at once, with snapshots for those who were away";
            one_partition_store: Store, 5 servers, reliable, "a minority, then another one",
                "a write, or a read, without a majority";
            one_snapshot_store: Store, 3 servers, reliable, "a follower that was away",
                "a snapshot that a restart forgets, or that keeps what was deleted";
            torn_commits_store: Store, 5 servers, reliable, "power that fails in the midst of commits",
                "log and data that a crash tears apart; a promise made before its sync";
            lost_chunks_store: Store, 3 servers, unreliable, "a snapshot whose chunks are lost",
                "a snapshot with a gap, or with a piece in another one's place";
            snapshot_interrupted_store: Store, 3 servers, unreliable,
                "crashes while a snapshot is on its way",
                "half a snapshot; a transfer that nobody takes up again";
            empty_value_store: Store, 3 servers, reliable, "an empty value",
                "a put of an empty value that is taken for a delete";
            sessions_store: Store, 3 servers, reliable, "a request from before the snapshot",
                "sessions that are not part of the snapshot";
        }
    };
}

/// Without a database there is no part `store`.
#[cfg(not(feature = "store"))]
#[macro_export]
#[doc(hidden)]
macro_rules! with_store_scenarios {
    ($make:ident $($lines:tt)*) => {
        $make! { $($lines)* }
    };
}
