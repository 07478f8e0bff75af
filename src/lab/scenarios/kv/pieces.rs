//! What the clients of get, put and append do in most tests.

use super::rounds::{Load, Turns, rounds};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// How many operations a speed test makes.
const SPEED_OPERATIONS: u32 = 1000;

/// How long an operation may take on average, in milliseconds.
///
/// Three operations must fit into the tenth of a second between two heartbeats.
const OPERATION_MS_MAX: f64 = 100.0 / 3.0;

/// The `number`th piece that `client` appends; no other piece of the run is equal.
pub(super) fn piece(client: &Client, number: usize) -> String {
    format!("x {} {number} y", client.number())
}

/// Gives every client its own key, so that it knows the key's value.
pub(super) fn own_keys(cluster: &Cluster, load: Load) {
    cluster.serve_kv(load.raft_state_max);
    let mut reader = cluster.client();
    rounds(cluster, &load, own_key, |values: Vec<String>| {
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
pub(super) fn shared_keys(cluster: &Cluster, load: Load) {
    cluster.serve_kv(load.raft_state_max);
    let keys = load.clients as u64;
    let mut reader = cluster.client();
    let work = move |_, client: &mut Client, turns: &mut Turns| any_key(keys, client, turns);
    rounds(cluster, &load, work, |_| {
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

pub(super) fn speed(cluster: &Cluster, raft_state_max: Option<usize>) {
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
