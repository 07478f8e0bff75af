//! Get, put and append, as in the labs up to 2024: the tests that differ only in their trouble.

use super::rounds::{Load, Turns, rounds};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// What a service with snapshots allows a raft state to have.
pub(super) const RAFT_STATE_MAX: usize = 1000;

/// How many operations a speed test makes.
const SPEED_OPERATIONS: u32 = 1000;

/// How long one of them may take on average, in milliseconds: three have to fit into the tenth of
/// a second between two heartbeats.
const OPERATION_MS_MAX: f64 = 100.0 / 3.0;

/// No trouble, for `clients` clients of a service without snapshots.
const CALM: Load = Load { clients: 1, crash: false, partitions: false, raft_state_max: None };

/// One client does one thing after the other.
pub fn basic_3a(cluster: &mut Cluster) {
    own_keys(cluster, &CALM);
}

/// Five clients at once.
pub fn concurrent_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, ..CALM });
}

/// Five clients whose requests and answers get lost.
pub fn unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, ..CALM });
}

/// One client, while servers are divided in ever new ways.
pub fn many_partitions_one_client_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { partitions: true, ..CALM });
}

/// Five clients, while servers are divided in ever new ways.
pub fn many_partitions_many_clients_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, partitions: true, ..CALM });
}

/// One client of servers that all crash and come back.
pub fn persist_one_client_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { crash: true, ..CALM });
}

/// Five clients of servers that all crash and come back.
pub fn persist_concurrent_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// The same, while messages get lost.
pub fn persist_concurrent_unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// Crashes after partitions, while the operations of a minority still wait.
pub fn persist_partition_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, ..CALM });
}

/// The same, while messages get lost.
pub fn persist_partition_unreliable_3a(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, ..CALM });
}

/// Fifteen clients share keys, and everything goes wrong that can.
pub fn persist_partition_unreliable_linearizable_3a(cluster: &mut Cluster) {
    shared_keys(cluster, &Load { clients: 15, crash: true, partitions: true, ..CALM });
}

/// The service takes snapshots, and all servers crash and come back from them.
pub fn snapshot_recover_3b(cluster: &mut Cluster) {
    own_keys(cluster, &Load { crash: true, raft_state_max: Some(RAFT_STATE_MAX), ..CALM });
}

/// The same with twenty clients, each of which has a session.
pub fn snapshot_recover_many_clients_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 20, crash: true, raft_state_max, ..CALM });
}

/// Snapshots, while messages get lost.
pub fn snapshot_unreliable_3b(cluster: &mut Cluster) {
    own_keys(cluster, &Load { clients: 5, raft_state_max: Some(RAFT_STATE_MAX), ..CALM });
}

/// Snapshots and crashes, while messages get lost.
pub fn snapshot_unreliable_recover_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 5, crash: true, raft_state_max, ..CALM });
}

/// Snapshots, crashes and partitions, while messages get lost.
pub fn snapshot_unreliable_recover_concurrent_partition_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    own_keys(cluster, &Load { clients: 5, crash: true, partitions: true, raft_state_max });
}

/// The same for fifteen clients that share keys.
pub fn snapshot_unreliable_recover_concurrent_partition_linearizable_3b(cluster: &mut Cluster) {
    let raft_state_max = Some(RAFT_STATE_MAX);
    shared_keys(cluster, &Load { clients: 15, crash: true, partitions: true, raft_state_max });
}

/// A thousand operations, one after the other, do not wait for heartbeats.
pub fn speed_3a(cluster: &mut Cluster) {
    speed(cluster, None);
}

/// Nor do they where snapshots are taken all the time.
pub fn speed_3b(cluster: &mut Cluster) {
    speed(cluster, Some(RAFT_STATE_MAX));
}

/// The piece that client `client` appends as its `number`th. No other is like it in the whole run.
pub(super) fn piece(client: &Client, number: usize) -> String {
    format!("x {} {number} y", client.number())
}

/// Every client has a key of its own, so it knows what that must have.
fn own_keys(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let mut reader = cluster.client();
    rounds(cluster, load, own_key, |values: Vec<String>| {
        for (place, expected) in values.iter().enumerate() {
            let found = reader.get(&place.to_string());
            assert_eq!(found, *expected, "what client {place} has appended, once and in order");
        }
    });
}

/// Appends to one key and reads it, and returns what it must have in the end.
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
            assert_eq!(client.get(&key), value, "the value of key {key}, which nobody shares");
        }
    }
    value
}

/// Clients share their keys: what comes of that is for the checker to judge.
fn shared_keys(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let keys = load.clients as u64;
    let mut reader = cluster.client();
    let work = move |_, client: &mut Client, turns: &mut Turns| any_key(keys, client, turns);
    rounds(cluster, load, work, |_| {
        (0..keys).for_each(|key| drop(reader.get(&key.to_string())));
    });
}

/// Appends to keys, reads them, and now and then puts one anew.
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

/// Fails when an operation took longer than it may, on average.
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
