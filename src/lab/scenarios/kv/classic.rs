//! Get, put and append, as in the labs up to 2024.

use super::minority::{in_minority, leader_in_minority, must_end};
use super::pieces::{own_keys, piece, shared_keys, speed};
use super::rounds::{ELECTION_MS, RAFT_STATE_MAX, check_sizes, clients};
use crate::api::ServerId;
use crate::lab::kv::Client;
use crate::lab::puppet::{S0, S1, S2};
use crate::lab::{Cluster, Scenario};
use crate::runtime::thread::{self, JoinHandle};

pub(in crate::lab::scenarios) const SCENARIOS: &[Scenario] = &[
    // One client does one operation after the other.
    //
    // A wrong service loses an operation, or carries it out twice.
    Scenario::new("basic_3a", |it| own_keys(it, clients(1)))
        .servers(5)
        .title("one client")
        .catches("an operation of a single client that is lost or applied twice"),
    // A thousand operations, one after the other, do not wait for heartbeats.
    //
    // A wrong leader sends each entry with its next heartbeat.
    Scenario::new("speed_3a", |it| speed(it, None))
        .title("a thousand operations in a row")
        .catches("operations that wait for the next heartbeat"),
    // Five clients do operations at once.
    //
    // A wrong service gives a client the answer to another client's operation.
    Scenario::new("concurrent_3a", |it| own_keys(it, clients(5)))
        .servers(5)
        .title("many clients")
        .catches("a client that gets the answer to another client's operation"),
    // Five clients do operations, while requests and answers are lost.
    //
    // A wrong service carries out an operation twice because it was sent twice.
    Scenario::new("unreliable_3a", |it| own_keys(it, clients(5)))
        .servers(5)
        .unreliable()
        .title("many clients, messages are lost")
        .catches("an operation that is applied twice because it was sent twice"),
    Scenario::new("unreliable_one_key_3a", unreliable_one_key_3a)
        .unreliable()
        .title("many clients append to one key")
        .catches("a retry that is recognised only when it arrives, not when it is applied"),
    Scenario::new("one_partition_3a", one_partition_3a)
        .servers(5)
        .title("progress in a majority only")
        .catches("answers from a minority; operations that hang after the partition heals"),
    // One client does operations, while partitions come and go.
    //
    // A wrong service lets the client read an old value from a deposed leader; a wrong clerk
    // continues to ask that leader.
    Scenario::new("many_partitions_one_client_3a", |it| own_keys(it, clients(1).partitions()))
        .servers(5)
        .title("one client, partitions")
        .catches("a client that stays with a deposed leader, or reads an old value from it"),
    // Five clients do operations, while partitions come and go.
    //
    // A wrong service answers by index alone, though another leader's entry is there.
    Scenario::new("many_partitions_many_clients_3a", |it| own_keys(it, clients(5).partitions()))
        .servers(5)
        .title("many clients, partitions")
        .catches("an answer by index alone, although another leader's entry is there"),
    // One client does operations, while all servers crash and come back.
    //
    // A wrong service forgets in a crash what it has answered.
    Scenario::new("persist_one_client_3a", |it| own_keys(it, clients(1).crashes()))
        .servers(5)
        .title("one client, restarts")
        .catches("an answered operation that is lost in a crash"),
    // Five clients do operations, while all servers crash and come back.
    //
    // A wrong service forgets in a crash what it has answered.
    Scenario::new("persist_concurrent_3a", |it| own_keys(it, clients(5).crashes()))
        .servers(5)
        .title("many clients, restarts")
        .catches("an answered operation that is lost in a crash while several clients are busy"),
    // Five clients do operations, while all servers crash and come back and messages are lost.
    //
    // A wrong service does not recognize a retry after its restart.
    Scenario::new("persist_concurrent_unreliable_3a", |it| own_keys(it, clients(5).crashes()))
        .servers(5)
        .unreliable()
        .title("many clients, restarts, messages are lost")
        .catches("a retry that is applied again after a restart"),
    // All servers crash after partitions, while the operations of a minority still wait.
    //
    // A wrong service loses or repeats operations that were stuck in a minority.
    Scenario::new("persist_partition_3a", |it| own_keys(it, clients(5).crashes().partitions()))
        .servers(5)
        .title("many clients, partitions, restarts")
        .catches("an operation lost or repeated because it was pending in a minority that crashed"),
    // All servers crash after partitions, while operations of a minority wait and messages are
    // lost.
    //
    // A wrong service loses or repeats operations that were stuck in a minority.
    Scenario::new("persist_partition_unreliable_3a", |it| {
        own_keys(it, clients(5).crashes().partitions())
    })
    .servers(5)
    .unreliable()
    .title("many clients, partitions, restarts, messages are lost")
    .catches("an operation lost or repeated when a minority crashes and messages are lost"),
    // Fifteen clients share keys under partitions, crashes and lost messages.
    //
    // A wrong service gives answers that no order of the operations explains.
    Scenario::new("persist_partition_unreliable_linearizable_3a", |it| {
        shared_keys(it, clients(15).crashes().partitions())
    })
    .servers(7)
    .unreliable()
    .title("shared keys, partitions, restarts, messages are lost")
    .catches("answers that no order of the operations explains"),
    Scenario::new("snapshot_rpc_3b", snapshot_rpc_3b)
        .title("a server that lags gets a snapshot")
        .catches("a state that differs from the snapshot's; a log that keeps growing"),
    Scenario::new("snapshot_size_3b", snapshot_size_3b)
        .title("small snapshots of a small state")
        .catches("a snapshot that contains everything ever put; a log that is not trimmed"),
    // A thousand operations in a row do not wait for heartbeats or for the snapshots taken
    // meanwhile.
    //
    // A wrong service stops while it takes a snapshot.
    Scenario::new("speed_3b", |it| speed(it, Some(RAFT_STATE_MAX)))
        .title("a thousand operations in a row, with snapshots")
        .catches("snapshots that slow the service down"),
    // The service takes snapshots, and all servers crash and restart from them.
    //
    // A wrong service does not find its state in the snapshot.
    Scenario::new("snapshot_recover_3b", |it| own_keys(it, clients(1).crashes().snapshots()))
        .servers(5)
        .title("one client, restarts from snapshots")
        .catches("a state that is not restored from the snapshot after a restart"),
    // Twenty clients do operations, and all servers crash and restart from snapshots.
    //
    // Each client has a session. A wrong service leaves the sessions out of its snapshot.
    Scenario::new("snapshot_recover_many_clients_3b", |it| {
        own_keys(it, clients(20).crashes().snapshots())
    })
    .servers(5)
    .title("many clients, restarts from snapshots")
    .catches("sessions that are missing from the snapshot"),
    // The service takes snapshots, while messages are lost.
    //
    // A wrong service applies snapshots and entries in the wrong order.
    Scenario::new("snapshot_unreliable_3b", |it| own_keys(it, clients(5).snapshots()))
        .servers(5)
        .unreliable()
        .title("many clients, snapshots, messages are lost")
        .catches("snapshots and entries that are applied in the wrong order"),
    // The service takes snapshots, and all servers crash, while messages are lost.
    //
    // A wrong service does not recognize a retry after its restart.
    Scenario::new("snapshot_unreliable_recover_3b", |it| {
        own_keys(it, clients(5).crashes().snapshots())
    })
    .servers(5)
    .unreliable()
    .title("many clients, restarts from snapshots, messages are lost")
    .catches("a retry that is applied again after a restart from a snapshot"),
    // The service takes snapshots under partitions, crashes and lost messages.
    //
    // A wrong service does not recognize a retry when a snapshot has replaced a minority's log.
    Scenario::new("snapshot_unreliable_recover_concurrent_partition_3b", |it| {
        own_keys(it, clients(5).crashes().partitions().snapshots())
    })
    .servers(5)
    .unreliable()
    .title("many clients, partitions, restarts from snapshots, messages are lost")
    .catches("a retry that is applied again after a snapshot replaced a minority's log"),
    // Fifteen clients share keys under snapshots, partitions, crashes and lost messages.
    //
    // A wrong service gives answers that no order of the operations explains.
    Scenario::new("snapshot_unreliable_recover_concurrent_partition_linearizable_3b", |it| {
        shared_keys(it, clients(15).crashes().partitions().snapshots())
    })
    .servers(7)
    .unreliable()
    .title("shared keys, partitions, restarts from snapshots, messages are lost")
    .catches("answers that no order of the operations explains"),
];

/// How long a client waits after each operation in a test of a log's size, in milliseconds.
///
/// In virtual time an operation takes some ten microseconds. Without the wait a log would get all
/// of them while the schedule delays its server's service once.
pub(super) const BREATH_MS: u64 = 1;

/// How many bytes a snapshot of one key and one session may have.
pub(super) const SNAPSHOT_SIZE_MAX: u64 = 500;

/// Five clients append to one key, ten times each, over a network that loses messages.
///
/// A wrong service looks for duplicates only when a request arrives, and so carries out a retry
/// too.
fn unreliable_one_key_3a(cluster: &mut Cluster) {
    const CLIENTS: u32 = 5;
    const PIECES: usize = 10;
    cluster.serve_kv(None);
    let mut reader = cluster.client();
    reader.put("k", "");
    let append = |_| {
        let mut client = cluster.client();
        thread::spawn(format!("client{}", client.number()), move || {
            let pieces: Vec<String> = (0..PIECES).map(|number| piece(&client, number)).collect();
            pieces.iter().for_each(|piece| client.append("k", piece));
            pieces
        })
    };
    let clients: Vec<JoinHandle<Vec<String>>> = (0..CLIENTS).map(append).collect();
    let written: Vec<Vec<String>> = clients.into_iter().map(JoinHandle::join).collect();
    let value = reader.get("k");
    for pieces in &written {
        let places: Vec<usize> = pieces.iter().map(|piece| only_place(&value, piece)).collect();
        assert!(places.is_sorted(), "a client's pieces are in its order, not {places:?}");
    }
    let length: usize = written.iter().flatten().map(String::len).sum();
    assert_eq!(value.len(), length, "nothing else was written");
}

/// The place of `piece` in `value`, which must have it once.
fn only_place(value: &str, piece: &str) -> usize {
    let places: Vec<usize> = value.match_indices(piece).map(|(place, _)| place).collect();
    assert_eq!(places.len(), 1, "{piece:?} was appended once to {value:?}");
    places[0]
}

/// A minority that has the old leader carries out nothing, and catches up after the heal.
///
/// A wrong service answers from a minority, or never ends an operation after the heal.
///
/// ```text
/// majority            1 = 14 ─── reads 14, 1 = 16, reads 16 ─┐
/// minority  1 = 13    1 = 15 and a read wait ────────────────┴ heal ── 1 = 15
/// ```
fn one_partition_3a(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut anywhere = cluster.client();
    anywhere.put("1", "13");
    let (majority, minority) = leader_in_minority(cluster);
    cluster.partition(&[&majority, &minority]);

    // The majority elects a leader and continues.
    let mut in_majority = cluster.client_of(&majority);
    in_majority.put("1", "14");
    assert_eq!(in_majority.get("1"), "14", "the majority has its own value");

    // The minority cannot, whatever its old leader believes.
    let put = in_minority(cluster, &minority, |client| client.put("1", "15"));
    let get = in_minority(cluster, &minority, |client| drop(client.get("1")));
    cluster.sleep_ms(ELECTION_MS);
    for (waiting, name) in [(&put, "put"), (&get, "get")] {
        assert!(!waiting.is_done(), "a minority has carried out a {name}");
    }
    assert_eq!(in_majority.get("1"), "14", "the majority's own value");
    in_majority.put("1", "16");
    assert_eq!(in_majority.get("1"), "16", "the majority's next value");

    // Both operations that waited end after the heal; the course requires only the put.
    let all: Vec<ServerId> = cluster.servers().collect();
    cluster.heal();
    [&put, &get].iter().for_each(|waiting| cluster.let_reach(waiting.client, &all));
    cluster.sleep_ms(ELECTION_MS);
    must_end(cluster, put, "put");
    must_end(cluster, get, "get");
    assert_eq!(anywhere.get("1"), "15", "the put that waited was the last");
}

/// A server that missed fifty commands gets a snapshot, and is needed for the next commands.
///
/// A wrong server does not take over the snapshot's state, or lets its log grow.
///
/// ```text
/// S0   a   1 … 49, b    c, d    e
/// S1   a   1 … 49, b            e
/// S2   a                c, d    e
/// ```
fn snapshot_rpc_3b(cluster: &mut Cluster) {
    cluster.serve_kv(Some(RAFT_STATE_MAX));
    let mut client = cluster.client();
    client.put("a", "A");

    cluster.partition(&[&[S0, S1], &[S2]]);
    let mut of_two = cluster.client_of(&[S0, S1]);
    (0..50).for_each(|number| of_two.put(&number.to_string(), &number.to_string()));
    cluster.sleep_ms(ELECTION_MS);
    of_two.put("b", "B");
    check_sizes(cluster, Some(RAFT_STATE_MAX));

    cluster.partition(&[&[S0, S2], &[S1]]);
    let mut of_two = cluster.client_of(&[S0, S2]);
    of_two.put("c", "C");
    of_two.put("d", "D");
    expect(&mut of_two, &[("a", "A"), ("b", "B"), ("1", "1"), ("49", "49")]);

    cluster.partition(&[&[S0, S1, S2]]);
    client.put("e", "E");
    expect(&mut client, &[("c", "C"), ("e", "E"), ("1", "1")]);
}

/// Fails unless these keys have these values.
fn expect(client: &mut Client, values: &[(&str, &str)]) {
    for (key, value) in values {
        assert_eq!(client.get(key), *value, "the value of key {key}");
    }
}

/// Eight hundred operations on one key leave a small log and a small snapshot.
///
/// A wrong service keeps old values in its snapshot, or does not trim its log.
fn snapshot_size_3b(cluster: &mut Cluster) {
    cluster.serve_kv(Some(RAFT_STATE_MAX));
    let mut client = cluster.client();
    for _ in 0..200 {
        for value in ["0", "1"] {
            client.put("x", value);
            cluster.sleep_ms(BREATH_MS);
            assert_eq!(client.get("x"), value, "the value of the only key");
            cluster.sleep_ms(BREATH_MS);
        }
    }
    check_sizes(cluster, Some(RAFT_STATE_MAX));
    let size = cluster.snapshot_size() as u64;
    assert!(size > 0, "a log that stays small needs snapshots");
    cluster.check_at_most("snapshot_size", size, SNAPSHOT_SIZE_MAX);
}
