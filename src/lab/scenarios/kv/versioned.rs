//! Get and versioned put, as in the labs since 2025.
//!
//! Their times are those of 2022, as in `rounds.rs`. With the course's own times, clients stop
//! before the first partition, and servers crash when no operation is in flight.

use super::classic::{BREATH_MS, SNAPSHOT_SIZE_MAX};
use super::minority::{in_minority, leader_in_minority, must_end};
use super::puts::{NO_REPETITION, Puts, many_keys, one_key, put_alone, puts_to_one_key, speed};
use super::rounds::{ELECTION_MS, RAFT_STATE_MAX, Workers, check_sizes, clients};
use crate::api::{PutError, ServerId};
use crate::lab::kv::Client;
use crate::lab::puppet::{S0, S1, S2};
use crate::lab::{Cluster, Scenario};
use crate::runtime::time::Instant;

pub(in crate::lab::scenarios) const SCENARIOS: &[Scenario] = &[
    // One client puts, and reads what it has put.
    //
    // A wrong service loses a put, or does it twice.
    Scenario::new("versioned_basic_3a", |it| one_key(it, clients(1)))
        .servers(5)
        .title("one client puts")
        .catches("a put that is lost or applied twice"),
    // A thousand puts, one after the other, do not wait for heartbeats.
    //
    // A wrong leader sends each entry with its next heartbeat.
    Scenario::new("versioned_speed_3a", |it| speed(it, None))
        .title("a thousand puts in a row")
        .catches("puts that wait for the next heartbeat"),
    // Five clients put to one key at once.
    //
    // A wrong service lets two puts make one version.
    Scenario::new("versioned_concurrent_3a", |it| one_key(it, clients(5)))
        .servers(5)
        .title("many clients put to one key")
        .catches("two puts that create the same version"),
    // Five clients put to one key at once, while messages are lost.
    //
    // A wrong service says that a put in doubt was refused, or done.
    Scenario::new("versioned_unreliable_3a", |it| one_key(it, clients(5)))
        .servers(5)
        .unreliable()
        .title("many clients put, messages are lost")
        .catches("a put with an unknown outcome that is reported as refused or as done"),
    Scenario::new("versioned_one_partition_3a", versioned_one_partition_3a)
        .servers(5)
        .unreliable()
        .title("versioned progress in a majority only")
        .catches("answers from a minority; operations that hang after the partition heals"),
    // One client puts, while partitions come and go.
    //
    // A wrong service lets the client read an old version from a deposed leader.
    Scenario::new("versioned_many_partitions_one_client_3a", |it| {
        one_key(it, clients(1).partitions())
    })
    .servers(5)
    .title("one client puts, partitions")
    .catches("an old version read from a deposed leader"),
    // Five clients put, while partitions come and go.
    //
    // A wrong service answers a put with another leader's entry at the same index.
    Scenario::new("versioned_many_partitions_many_clients_3a", |it| {
        one_key(it, clients(5).partitions())
    })
    .servers(5)
    .title("many clients put, partitions")
    .catches("a put that gets the answer of another leader's entry"),
    // One client puts, while all servers crash and come back.
    //
    // A wrong service forgets a version in a crash.
    Scenario::new("versioned_persist_one_client_3a", |it| one_key(it, clients(1).crashes()))
        .servers(5)
        .title("one client puts, restarts")
        .catches("a version that is lost in a crash"),
    // Five clients put, while all servers crash and come back.
    //
    // A wrong service forgets a version in a crash.
    Scenario::new("versioned_persist_concurrent_3a", |it| one_key(it, clients(5).crashes()))
        .servers(5)
        .title("many clients put, restarts")
        .catches("a version that is lost in a crash while several clients put"),
    // Five clients put, while all servers crash and come back and messages are lost.
    //
    // A wrong service forgets a version in a crash, or says that a put in doubt was refused, or
    // done.
    Scenario::new("versioned_persist_concurrent_unreliable_3a", |it| {
        one_key(it, clients(5).crashes())
    })
    .servers(5)
    .unreliable()
    .title("many clients put, restarts, messages are lost")
    .catches("a version that is lost in a crash while puts have unknown outcomes"),
    // All servers crash after partitions, while the puts of a minority still wait.
    //
    // A wrong service loses or repeats puts that were stuck in a minority.
    Scenario::new("versioned_persist_partition_3a", |it| {
        one_key(it, clients(5).crashes().partitions())
    })
    .servers(5)
    .title("many clients put, partitions, restarts")
    .catches("a put lost or repeated because it was pending in a minority that crashed"),
    // All servers crash after partitions, while puts of a minority wait and messages are lost.
    //
    // A wrong service loses or repeats puts that were stuck in a minority.
    Scenario::new("versioned_persist_partition_unreliable_3a", |it| {
        one_key(it, clients(5).crashes().partitions())
    })
    .servers(5)
    .unreliable()
    .title("many clients put, partitions, restarts, messages are lost")
    .catches("a put lost or repeated when a minority crashes and messages are lost"),
    // Fifteen clients share a hundred keys under partitions, crashes and lost messages.
    //
    // A wrong service gives answers that no order of the puts explains.
    Scenario::new("versioned_persist_partition_unreliable_linearizable_3a", |it| {
        many_keys(it, clients(15).crashes().partitions())
    })
    .servers(7)
    .unreliable()
    .title("a hundred keys, partitions, restarts, messages are lost")
    .catches("answers that no order of the puts explains"),
    Scenario::new("versioned_reliable_put_3a", versioned_reliable_put_3a)
        .title("what put returns")
        .catches("a Maybe where no message was lost; one error in the place of another"),
    Scenario::new("versioned_put_concurrent_reliable_3a", versioned_put_concurrent_reliable_3a)
        .title("ten clients put for a second")
        .catches("a version that is compared when the put arrives, not when it is applied"),
    Scenario::new("versioned_unreliable_net_3a", versioned_unreliable_net_3a)
        .unreliable()
        .title("a hundred puts in a row, messages are lost")
        .catches("a retry's version error passed on, although the first try may have succeeded"),
    Scenario::new("versioned_snapshot_rpc_3b", versioned_snapshot_rpc_3b)
        .title("a server that lags gets a snapshot of versions")
        .catches("versions that are missing from the snapshot"),
    Scenario::new("versioned_snapshot_size_3b", versioned_snapshot_size_3b)
        .title("small snapshots of one version")
        .catches("a snapshot with session data, which versioned puts do not need"),
    // A thousand puts in a row do not wait for heartbeats or for the snapshots taken meanwhile.
    //
    // A wrong service stops while it takes a snapshot.
    Scenario::new("versioned_speed_3b", |it| speed(it, Some(RAFT_STATE_MAX)))
        .title("a thousand puts in a row, with snapshots")
        .catches("snapshots that slow down a service of versioned puts"),
    // The service takes snapshots, and all servers crash and restart from them.
    //
    // A wrong service does not find a version after the restart.
    Scenario::new("versioned_snapshot_recover_3b", |it| {
        one_key(it, clients(1).crashes().snapshots())
    })
    .servers(5)
    .title("one client puts, restarts from snapshots")
    .catches("a version that is not restored from the snapshot after a restart"),
    // Twenty clients put, and all servers crash and restart from snapshots.
    //
    // A wrong service does not find a version after the restart.
    Scenario::new("versioned_snapshot_recover_many_clients_3b", |it| {
        one_key(it, clients(20).crashes().snapshots())
    })
    .servers(5)
    .title("many clients put, restarts from snapshots")
    .catches("a version that is not restored from the snapshot when several clients put"),
    // The service takes snapshots, while messages are lost.
    //
    // A wrong service applies snapshots and entries in the wrong order.
    Scenario::new("versioned_snapshot_unreliable_3b", |it| one_key(it, clients(5).snapshots()))
        .servers(5)
        .unreliable()
        .title("many clients put, snapshots, messages are lost")
        .catches("snapshots and puts that are applied in the wrong order"),
    // The service takes snapshots, and all servers crash, while messages are lost.
    //
    // A wrong service makes a version once more after a restart.
    Scenario::new("versioned_snapshot_unreliable_recover_3b", |it| {
        one_key(it, clients(5).crashes().snapshots())
    })
    .servers(5)
    .unreliable()
    .title("many clients put, restarts from snapshots, messages are lost")
    .catches("a version that is created a second time after a restart"),
    // The service takes snapshots under partitions, crashes and lost messages.
    //
    // A wrong service makes a version once more when a snapshot has replaced a minority's log.
    Scenario::new("versioned_snapshot_unreliable_recover_concurrent_partition_3b", |it| {
        one_key(it, clients(5).crashes().partitions().snapshots())
    })
    .servers(5)
    .unreliable()
    .title("many clients put, partitions, snapshots, restarts, messages are lost")
    .catches("a version created a second time after a snapshot replaced a minority's log"),
    // Fifteen clients share a hundred keys under snapshots, partitions, crashes and lost messages.
    //
    // A wrong service gives answers that no order of the puts explains.
    Scenario::new(
        "versioned_snapshot_unreliable_recover_concurrent_partition_linearizable_3b",
        |it| many_keys(it, clients(15).crashes().partitions().snapshots()),
    )
    .servers(7)
    .unreliable()
    .title("a hundred keys, partitions, snapshots, restarts, messages are lost")
    .catches("answers that no order of the puts explains"),
];

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
fn versioned_reliable_put_3a(cluster: &mut Cluster) {
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
fn versioned_put_concurrent_reliable_3a(cluster: &mut Cluster) {
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
fn versioned_unreliable_net_3a(cluster: &mut Cluster) {
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
/// The story of `one_partition_3a`, with versioned puts over a network
/// that loses messages. A wrong service answers from a minority, or never ends an operation after
/// the heal.
fn versioned_one_partition_3a(cluster: &mut Cluster) {
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
/// The story of `snapshot_rpc_3b`, with versioned puts. A wrong service
/// leaves the versions out of its snapshot.
fn versioned_snapshot_rpc_3b(cluster: &mut Cluster) {
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
fn versioned_snapshot_size_3b(cluster: &mut Cluster) {
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
