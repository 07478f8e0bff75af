//! Get and versioned put: the tests that have their own stories.

use super::classic::RAFT_STATE_MAX;
use super::rounds::{ELECTION_MS, Workers, check_sizes};
use super::special::{
    BREATH_MS, S0, S1, S2, SNAPSHOT_SIZE_MAX, in_minority, leader_in_minority, must_end,
};
use super::versioned::{NO_REPETITION, Puts, put_alone, puts_to_one_key};
use crate::api::{PutError, ServerId};
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// How many versions [`versioned_unreliable_net_3a`] makes at least, and at most.
const VERSIONS: [u64; 2] = [100, 1000];

/// How many clients put at once.
const CLIENTS: usize = 10;

/// How long these clients put, in milliseconds.
const CONCURRENT_MS: u64 = 1000;

/// Puts and gets have the right answers when nothing goes wrong.
///
/// A wrong service reports a doubt without cause, or one error in place of another.
///
/// ```text
/// put v0   get     put v0   other: put v1   other: get
/// done     v1      version  no key          no key
/// ```
pub fn versioned_reliable_put_3a(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut client = cluster.client();
    let expected = Some(("v".to_string(), 1));
    put_must_be(cluster, &mut client, ("k", 0), "v", Ok(()));
    assert_eq!(client.get_versioned("k"), expected, "the first put makes version 1");
    put_must_be(cluster, &mut client, ("k", 0), "w", Err(PutError::Version));
    put_must_be(cluster, &mut client, ("y", 1), "w", Err(PutError::NoKey));
    assert_eq!(client.get_versioned("y"), None, "a refused put creates nothing");
    assert_eq!(client.get_versioned("k"), expected, "a refused put changes nothing");
}

/// Fails unless the put of `value` to a key at a version is answered as `expected`.
///
/// A doubt is right too if a server was delayed and the clerk retried, but not at once.
fn put_must_be(
    cluster: &Cluster,
    client: &mut Client,
    (key, version): (&str, u64),
    value: &str,
    expected: Result<(), PutError>,
) {
    let called = Instant::now();
    let outcome = client.put_versioned(key, value, version);
    let in_doubt = outcome == Err(PutError::Maybe);
    if in_doubt && called.elapsed() < NO_REPETITION {
        let message = format!("a put to {key} at {version} was in doubt at once");
        cluster.end_by_limit("in_doubt", message);
    }
    assert!(in_doubt || outcome == expected, "a put to {key} at {version}: {outcome:?}");
}

/// Ten clients put to one key for a second, and each version is one put that was done.
///
/// A wrong service compares the version before it does the put, so that two puts make one version.
pub fn versioned_put_concurrent_reliable_3a(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let workers = Workers::start(cluster, CLIENTS, &puts_to_one_key);
    cluster.sleep_ms(CONCURRENT_MS);
    workers.stop();
    let mut all = Puts::default();
    all.add(&workers.join());
    let version = cluster.client().get_versioned("k").map_or(0, |(_, version)| version);
    all.check(cluster, version, true);
}

/// One client puts at least a hundred times over a network that loses messages.
///
/// It is the only client, so no put may be refused at the first try, and a put that is refused
/// after a retry is in doubt, and was done. A wrong clerk passes on the refusal of its retry.
pub fn versioned_unreliable_net_3a(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut client = cluster.client();
    let [least, most] = VERSIONS;
    let mut in_doubt = 0;
    for version in 0..most {
        if version >= least && in_doubt > 0 {
            break;
        }
        let value = version.to_string();
        if client.put_versioned("k", &value, version).is_err() {
            in_doubt += 1;
            // It was done. So it is refused from now on, in doubt or not.
            let again = client.put_versioned("k", &value, version);
            let refused = matches!(again, Err(PutError::Version | PutError::Maybe));
            assert!(refused, "version {version} has passed: {again:?}");
        }
        let expected = Some((value, version + 1));
        assert_eq!(client.get_versioned("k"), expected, "each put makes one version");
    }
    assert!(in_doubt > 0, "a tenth of all replies was lost, but no put was ever in doubt");
}

/// A minority that has the old leader carries out nothing, and catches up after the heal.
///
/// The story of [`one_partition_3a`](super::one_partition_3a), with versioned puts over a network
/// that loses messages. A wrong service answers from a minority, or never ends an operation after
/// the heal.
pub fn versioned_one_partition_3a(cluster: &mut Cluster) {
    cluster.serve_kv(None);
    let mut anywhere = cluster.client();
    let version = put_alone(&mut anywhere, "1", "13", 0);
    let (majority, minority) = leader_in_minority(cluster);
    cluster.partition(&[&majority, &minority]);

    // The majority elects a leader and continues.
    let mut in_majority = cluster.client_of(&majority);
    let version = put_alone(&mut in_majority, "1", "14", version);
    assert_eq!(in_majority.get_versioned("1"), Some(("14".into(), version)), "its own value");

    // The minority cannot, whatever its old leader believes.
    let put = in_minority(cluster, &minority, |client| put_at_least_once(client, "1", "15"));
    let get = in_minority(cluster, &minority, |client| drop(client.get_versioned("1")));
    cluster.sleep_ms(ELECTION_MS);
    for (waiting, name) in [(&put, "put"), (&get, "get")] {
        assert!(!waiting.is_done(), "a minority has carried out a {name}");
    }
    assert_eq!(in_majority.get_versioned("1"), Some(("14".into(), version)), "its own value");
    let version = put_alone(&mut in_majority, "1", "16", version);
    assert_eq!(in_majority.get_versioned("1"), Some(("16".into(), version)), "its next value");

    // Both operations that waited end after the heal; the course requires only the put.
    let all: Vec<ServerId> = cluster.servers().collect();
    cluster.heal();
    [&put, &get].iter().for_each(|waiting| cluster.let_reach(waiting.client, &all));
    cluster.sleep_ms(ELECTION_MS);
    must_end(cluster, put, "put");
    must_end(cluster, get, "get");
    let last = anywhere.get_versioned("1").map(|(value, _)| value);
    assert_eq!(last.as_deref(), Some("15"), "the put that waited was the last");
}

/// Puts `value` at one version after the other, until a put is done.
fn put_at_least_once(client: &mut Client, key: &str, value: &str) {
    let mut version = 0;
    while client.put_versioned(key, value, version).is_err() {
        version += 1;
    }
}

/// A server that missed fifty commands gets a snapshot, and is needed for the next commands.
///
/// The story of [`snapshot_rpc_3b`](super::snapshot_rpc_3b), with versioned puts. A wrong service
/// leaves the versions out of its snapshot.
pub fn versioned_snapshot_rpc_3b(cluster: &mut Cluster) {
    cluster.serve_kv(Some(RAFT_STATE_MAX));
    let mut client = cluster.client();
    put_alone(&mut client, "a", "A", 0);

    cluster.partition(&[&[S0, S1], &[S2]]);
    let mut of_two = cluster.client_of(&[S0, S1]);
    for number in 0..50 {
        put_alone(&mut of_two, &number.to_string(), &number.to_string(), 0);
    }
    cluster.sleep_ms(ELECTION_MS);
    put_alone(&mut of_two, "b", "B", 0);
    check_sizes(cluster, Some(RAFT_STATE_MAX));

    cluster.partition(&[&[S0, S2], &[S1]]);
    let mut of_two = cluster.client_of(&[S0, S2]);
    put_alone(&mut of_two, "c", "C", 0);
    put_alone(&mut of_two, "d", "D", 0);
    expect(&mut of_two, &[("a", "A"), ("b", "B"), ("1", "1"), ("49", "49")]);

    cluster.partition(&[&[S0, S1, S2]]);
    put_alone(&mut client, "e", "E", 0);
    expect(&mut client, &[("c", "C"), ("e", "E"), ("1", "1")]);
}

/// Fails unless keys that were put once have these values.
fn expect(client: &mut Client, values: &[(&str, &str)]) {
    for (key, value) in values {
        let expected = Some(((*value).to_string(), 1));
        assert_eq!(client.get_versioned(key), expected, "the value of key {key}");
    }
}

/// Eight hundred operations on one key leave a small log and a small snapshot.
///
/// A wrong service keeps sessions in its snapshot that versioned puts do not need.
pub fn versioned_snapshot_size_3b(cluster: &mut Cluster) {
    cluster.serve_kv(Some(RAFT_STATE_MAX));
    let mut client = cluster.client();
    let mut version = 0;
    for _ in 0..200 {
        for value in ["0", "1"] {
            version = put_alone(&mut client, "x", value, version);
            cluster.sleep_ms(BREATH_MS);
            let expected = Some((value.to_string(), version));
            assert_eq!(client.get_versioned("x"), expected, "the value of the only key");
            cluster.sleep_ms(BREATH_MS);
        }
    }
    check_sizes(cluster, Some(RAFT_STATE_MAX));
    let size = cluster.snapshot_size() as u64;
    assert!(size > 0, "a log that stays small needs snapshots");
    cluster.check_at_most("snapshot_size", size, SNAPSHOT_SIZE_MAX);
}
