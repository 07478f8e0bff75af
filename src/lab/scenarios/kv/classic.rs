//! Get, put and append, as in the labs up to 2024: the tests that differ only in their faults.

use super::rounds::{Load, Turns, rounds};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// Limit of the raft state for a service with snapshots, in bytes.
pub(super) const RAFT_STATE_MAX: usize = 1000;

/// How many operations a speed test makes.
const SPEED_OPERATIONS: u32 = 1000;

/// How long an operation may take on average, in milliseconds.
///
/// Three operations must fit into the tenth of a second between two heartbeats.
const OPERATION_MS_MAX: f64 = 100.0 / 3.0;

/// No faults; one client of a service without snapshots.
const CALM: Load = Load { clients: 1, crash: false, partitions: false, raft_state_max: None };

/// One client does one operation after the other.
///
/// A wrong service loses an operation, or carries it out twice.
pub fn basic_3a(cluster: &mut Cluster) {
    own_keys(cluster, &CALM);
}

/// Five clients do operations at once.
///
/// A wrong service gives a client the answer to another client's operation.
pub fn concurrent_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, ..CALM });
}

/// Five clients do operations, while requests and answers are lost.
///
/// A wrong service carries out an operation twice because it was sent twice.
pub fn unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, ..CALM });
}

/// One client does operations, while partitions come and go.
///
/// A wrong service lets the client read an old value from a deposed leader; a wrong clerk continues
/// to ask that leader.
pub fn many_partitions_one_client_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { partitions: true, ..CALM });
}

/// Five clients do operations, while partitions come and go.
///
/// A wrong service answers by index alone, though another leader's entry is there.
pub fn many_partitions_many_clients_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, partitions: true, ..CALM });
}

/// One client does operations, while all servers crash and come back.
///
/// A wrong service forgets in a crash what it has answered.
pub fn persist_one_client_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { crash: true, ..CALM });
}

/// Five clients do operations, while all servers crash and come back.
///
/// A wrong service forgets in a crash what it has answered.
pub fn persist_concurrent_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// Five clients do operations, while all servers crash and come back and messages are lost.
///
/// A wrong service does not recognize a retry after its restart.
pub fn persist_concurrent_unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// All servers crash after partitions, while the operations of a minority still wait.
///
/// A wrong service loses or repeats operations that were stuck in a minority.
pub fn persist_partition_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, ..CALM });
}

/// All servers crash after partitions, while operations of a minority wait and messages are lost.
///
/// A wrong service loses or repeats operations that were stuck in a minority.
pub fn persist_partition_unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, ..CALM });
}

/// Fifteen clients share keys under partitions, crashes and lost messages.
///
/// A wrong service gives answers that no order of the operations explains.
pub fn persist_partition_unreliable_linearizable_3a(cluster: &mut Cluster) {
    shared_keys(cluster, &Load { clients: 15, crash: true, partitions: true, ..CALM });
}

/// The service takes snapshots, and all servers crash and restart from them.
///
/// A wrong service does not find its state in the snapshot.
pub fn snapshot_recover_3b(cluster: &mut Cluster) {
    own_keys(cluster, &Load { crash: true, raft_state_max: Some(RAFT_STATE_MAX), ..CALM });
}

/// Twenty clients do operations, and all servers crash and restart from snapshots.
///
/// Each client has a session. A wrong service leaves the sessions out of its snapshot.
pub fn snapshot_recover_many_clients_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 20, crash: true, raft_state_max, ..CALM });
}

/// The service takes snapshots, while messages are lost.
///
/// A wrong service applies snapshots and entries in the wrong order.
pub fn snapshot_unreliable_3b(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, raft_state_max: Some(RAFT_STATE_MAX), ..CALM });
}

/// The service takes snapshots, and all servers crash, while messages are lost.
///
/// A wrong service does not recognize a retry after its restart.
pub fn snapshot_unreliable_recover_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 5, crash: true, raft_state_max, ..CALM });
}

/// The service takes snapshots under partitions, crashes and lost messages.
///
/// A wrong service does not recognize a retry when a snapshot has replaced a minority's log.
pub fn snapshot_unreliable_recover_concurrent_partition_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, raft_state_max });
}

/// Fifteen clients share keys under snapshots, partitions, crashes and lost messages.
///
/// A wrong service gives answers that no order of the operations explains.
pub fn snapshot_unreliable_recover_concurrent_partition_linearizable_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    shared_keys(cluster, &Load { clients: 15, crash: true, partitions: true, raft_state_max });
}

/// A thousand operations, one after the other, do not wait for heartbeats.
///
/// A wrong leader sends each entry with its next heartbeat.
pub fn speed_3a(cluster: &mut Cluster) {
    speed(cluster, None);
}

/// A thousand operations in a row do not wait for heartbeats or for the snapshots taken meanwhile.
///
/// A wrong service stops while it takes a snapshot.
pub fn speed_3b(cluster: &mut Cluster) {
    speed(cluster, Some(RAFT_STATE_MAX));
}

/// The `number`th piece that `client` appends; no other piece of the run is equal.
pub(super) fn piece(client: &Client, number: usize) -> String {
    format!("x {} {number} y", client.number())
}

/// Gives every client its own key, so that it knows the key's value.
fn own_keys(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let mut reader = cluster.client();
    rounds(cluster, load, own_key, |values: Vec<String>| {
        for (place, expected) in values.iter().enumerate() {
            let found = reader.get(&place.to_string());
            assert_eq!(found, *expected, "all that client {place} appended, once and in order");
        }
    });
}

/// Appends to one key and reads it; returns the value that the key must have in the end.
fn own_key(place: usize, client: &mut Client, turns: &mut Turns) -> String {
    let key = place.to_string();
    let mut value = String::new();
    let mut appended = 0;
    client.put(&key, "");
    while turns.next() {
        if turns.chance.below(2) == 0 {
            let piece = piece(client, appended);
            client.append(&key, &piece);
            value.push_str(&piece);
            appended += 1;
        } else {
            assert_eq!(client.get(&key), value, "the value of key {key}, which has one client");
        }
    }
    value
}

/// Lets clients share their keys; the checker judges the result.
fn shared_keys(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let keys = load.clients as u64;
    let mut reader = cluster.client();
    let work = move |_, client: &mut Client, turns: &mut Turns| any_key(keys, client, turns);
    rounds(cluster, load, work, |_| {
        (0..keys).for_each(|key| drop(reader.get(&key.to_string())));
    });
}

/// Appends to keys, reads them, and sometimes puts a new value.
fn any_key(keys: u64, client: &mut Client, turns: &mut Turns) {
    let mut written = 0;
    while turns.next() {
        let key = turns.chance.below(keys).to_string();
        let piece = piece(client, written);
        if turns.chance.below(2) == 0 {
            client.append(&key, &piece);
            written += 1;
        } else if turns.chance.below(10) == 0 {
            client.put(&key, &piece);
            written += 1;
        } else {
            client.get(&key);
        }
    }
}

fn speed(cluster: &Cluster, raft_state_max: Option<usize>) {
    cluster.serve_kv(raft_state_max);
    let mut client = cluster.client();
    // Not timed: the first leader is still to be elected.
    client.get("x");
    let begun = Instant::now();
    let mut value = String::new();
    for number in 0..SPEED_OPERATIONS {
        let piece = format!("x 0 {number} y");
        client.append("x", &piece);
        value.push_str(&piece);
    }
    let took = begun.elapsed();
    assert_eq!(client.get("x"), value, "a thousand pieces, once and in order");
    check_speed(cluster, took.as_secs_f64() * 1e3 / f64::from(SPEED_OPERATIONS));
}

/// Fails if the operations took too long on average.
pub(super) fn check_speed(cluster: &Cluster, operation_ms: f64) {
    if operation_ms > OPERATION_MS_MAX {
        cluster.end_by_limit(
            "slow",
            format!(
                "{operation_ms:.2} ms per operation; at most {OPERATION_MS_MAX:.2} are allowed"
            ),
        );
    }
}
