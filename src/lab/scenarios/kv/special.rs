//! Get, put and append: the tests that have their own stories.

use super::classic::{RAFT_STATE_MAX, piece};
use super::rounds::{ELECTION_MS, check_sizes};
use crate::api::{ServerId, quorum_size};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::thread::{self, JoinHandle};

/// How many checks, a tenth of a second apart, an operation gets to end once it can.
const LOOKS: u32 = 30;

/// How long a client waits after each operation in a test of a log's size, in milliseconds.
///
/// In virtual time an operation takes some ten microseconds. Without the wait a log would get all
/// of them while the schedule delays its server's service once.
pub(super) const BREATH_MS: u64 = 1;

/// How many bytes a snapshot of one key and one session may have.
pub(super) const SNAPSHOT_SIZE_MAX: u64 = 500;

pub(super) const S0: ServerId = ServerId(0);
pub(super) const S1: ServerId = ServerId(1);
pub(super) const S2: ServerId = ServerId(2);

/// Five clients append to one key, ten times each, over a network that loses messages.
///
/// A wrong service looks for duplicates only when a request arrives, and so carries out a retry
/// too.
pub fn unreliable_one_key_3a(cluster: &mut Cluster) {
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
pub fn one_partition_3a(cluster: &mut Cluster) {
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

/// Divides the servers into a majority, and a minority that has the leader.
pub(super) fn leader_in_minority(cluster: &Cluster) -> (Vec<ServerId>, Vec<ServerId>) {
    let leader = cluster.wait_for_leader();
    let mut servers: Vec<ServerId> =
        (1..=cluster.server_count()).map(|distance| cluster.after(leader, distance)).collect();
    let minority = servers.split_off(quorum_size(servers.len()));
    (servers, minority)
}

/// An operation in flight.
pub(super) struct Waiting {
    pub(super) client: u32,
    task: JoinHandle<()>,
}

impl Waiting {
    /// Whether it has ended.
    pub(super) fn is_done(&self) -> bool {
        self.task.is_finished()
    }
}

/// Waits until an operation has ended; it could have been carried out for a second already.
pub(super) fn must_end(cluster: &Cluster, waiting: Waiting, name: &str) {
    let ended = (0..LOOKS).any(|_| {
        cluster.sleep_ms(100);
        waiting.is_done()
    });
    if !ended {
        cluster.end_by_limit("stuck", format!("a {name} still waits 4 s after the heal"));
    }
    waiting.task.join();
}

/// Starts an operation of a new client that reaches only `servers`.
pub(super) fn in_minority(
    cluster: &Cluster,
    servers: &[ServerId],
    operation: impl FnOnce(&mut Client) + Send + 'static,
) -> Waiting {
    let mut client = cluster.client_of(servers);
    let number = client.number();
    let task = thread::spawn(format!("client{number}"), move || operation(&mut client));
    Waiting { client: number, task }
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
pub fn snapshot_rpc_3b(cluster: &mut Cluster) {
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
pub fn snapshot_size_3b(cluster: &mut Cluster) {
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
