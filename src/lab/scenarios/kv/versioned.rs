//! Get and versioned put, as in the labs since 2025: the tests that differ only in their trouble.
//!
//! Their times are those of 2022, as in `rounds.rs`: in the course's own, clients have stopped
//! before the first partition, and servers crash when nothing goes on.

use std::time::Duration;

use super::classic::{RAFT_STATE_MAX, check_speed};
use super::rounds::{Load, Turns, rounds};
use crate::api::PutError;
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// The key that all clients put to, where they do not choose.
const KEY: &str = "k";

/// From how many keys clients choose.
const KEYS: u64 = 100;

/// How many operations a speed test makes.
const SPEED_OPERATIONS: u32 = 1000;

/// How soon a put can come back that a clerk has sent twice though nothing was lost: no clerk is so
/// impatient, and servers that are held up for a moment need not lose their callers.
pub(super) const NO_REPETITION: Duration = Duration::from_millis(50);

/// No trouble, for one client of a service without snapshots.
const CALM: Load = Load { clients: 1, crash: false, partitions: false, raft_state_max: None };

/// The same with snapshots.
const TRIMMED: Load = Load { raft_state_max: Some(RAFT_STATE_MAX), ..CALM };

/// Crashes after partitions.
const TROUBLE: Load = Load { crash: true, partitions: true, ..CALM };

/// One client puts, and reads what it has put.
pub fn versioned_basic_3a(cluster: &mut Cluster) {
    one_key(cluster, &CALM);
}

/// Five clients put to one key at once.
pub fn versioned_concurrent_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, ..CALM });
}

/// The same, while messages get lost.
pub fn versioned_unreliable_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, ..CALM });
}

/// One client, while servers are divided in ever new ways.
pub fn versioned_many_partitions_one_client_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { partitions: true, ..CALM });
}

/// Five clients, while servers are divided in ever new ways.
pub fn versioned_many_partitions_many_clients_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, partitions: true, ..CALM });
}

/// One client of servers that all crash and come back.
pub fn versioned_persist_one_client_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { crash: true, ..CALM });
}

/// Five clients of servers that all crash and come back.
pub fn versioned_persist_concurrent_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// The same, while messages get lost.
pub fn versioned_persist_concurrent_unreliable_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, crash: true, ..CALM });
}

/// Crashes after partitions, while the operations of a minority still wait.
pub fn versioned_persist_partition_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, ..TROUBLE });
}

/// The same, while messages get lost.
pub fn versioned_persist_partition_unreliable_3a(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, ..TROUBLE });
}

/// Fifteen clients share a hundred keys, and everything goes wrong that can.
pub fn versioned_persist_partition_unreliable_linearizable_3a(cluster: &mut Cluster) {
    many_keys(cluster, &Load { clients: 15, ..TROUBLE });
}

/// The service takes snapshots, and all servers crash and come back from them.
pub fn versioned_snapshot_recover_3b(cluster: &mut Cluster) {
    one_key(cluster, &Load { crash: true, ..TRIMMED });
}

/// The same with twenty clients.
pub fn versioned_snapshot_recover_many_clients_3b(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 20, crash: true, ..TRIMMED });
}

/// Snapshots, while messages get lost.
pub fn versioned_snapshot_unreliable_3b(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, ..TRIMMED });
}

/// Snapshots and crashes, while messages get lost.
pub fn versioned_snapshot_unreliable_recover_3b(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, crash: true, ..TRIMMED });
}

/// Snapshots, crashes and partitions, while messages get lost.
pub fn versioned_snapshot_unreliable_recover_concurrent_partition_3b(cluster: &mut Cluster) {
    one_key(cluster, &Load { clients: 5, crash: true, partitions: true, ..TRIMMED });
}

/// The same for fifteen clients that share a hundred keys.
pub fn versioned_snapshot_unreliable_recover_concurrent_partition_linearizable_3b(
    cluster: &mut Cluster,
) {
    many_keys(cluster, &Load { clients: 15, crash: true, partitions: true, ..TRIMMED });
}

/// A thousand puts, one after the other, do not wait for heartbeats.
pub fn versioned_speed_3a(cluster: &mut Cluster) {
    speed(cluster, None);
}

/// Nor do they where snapshots are taken all the time.
pub fn versioned_speed_3b(cluster: &mut Cluster) {
    speed(cluster, Some(RAFT_STATE_MAX));
}

/// What became of some puts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Puts {
    /// That were done.
    pub(super) done: u64,
    /// That may have been done.
    pub(super) maybe: u64,
    /// Those of them that came back so soon that nothing can have been repeated.
    pub(super) hasty: u64,
}

impl Puts {
    /// Adds what became of others.
    pub(super) fn add(&mut self, others: &[Puts]) {
        self.done += others.iter().map(|puts| puts.done).sum::<u64>();
        self.maybe += others.iter().map(|puts| puts.maybe).sum::<u64>();
        self.hasty += others.iter().map(|puts| puts.hasty).sum::<u64>();
    }

    /// Takes note of a put that was called at `called`.
    fn note(&mut self, outcome: Result<(), PutError>, called: Instant) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(PutError::Maybe) => {
                self.maybe += 1;
                self.hasty += u64::from(called.elapsed() < NO_REPETITION);
            }
            Err(PutError::Version | PutError::NoKey) => {}
        }
    }

    /// Fails if these puts cannot have brought a key to `version`, or if some were in doubt at once
    /// where nothing was lost.
    pub(super) fn check(self, cluster: &Cluster, version: u64, nothing_lost: bool) {
        let Puts { done, maybe, hasty } = self;
        assert!(
            (done..=done + maybe).contains(&version),
            "{done} puts were done and {maybe} may have been, and the version is {version}"
        );
        if nothing_lost && hasty > 0 {
            let message = format!("{hasty} puts were in doubt at once, though nothing was lost");
            cluster.end_by_limit("in_doubt", message);
        }
    }
}

/// All clients put to one key, whose version says how many puts were done.
fn one_key(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let nothing_lost = cluster.is_reliable() && !load.crash && !load.partitions;
    let mut reader = cluster.client();
    let mut all = Puts::default();
    rounds(cluster, load, puts_to_one_key, |puts: Vec<Puts>| {
        all.add(&puts);
        let version = reader.get_versioned(KEY).map_or(0, |(_, version)| version);
        all.check(cluster, version, nothing_lost);
    });
}

/// Puts to the one key as long as there are turns.
pub(super) fn puts_to_one_key(_: usize, client: &mut Client, turns: &mut Turns) -> Puts {
    let mut puts = Puts::default();
    let mut version = 0;
    let mut number = 0;
    while turns.next() {
        version = put_and_read(client, KEY, &value(client, number), version, &mut puts);
        number += 1;
    }
    puts
}

/// Clients choose their keys: what comes of that is for the checker to judge.
fn many_keys(cluster: &Cluster, load: &Load) {
    cluster.serve_kv(load.raft_state_max);
    let mut reader = cluster.client();
    let work = |_, client: &mut Client, turns: &mut Turns| {
        let mut versions = vec![0; usize::try_from(KEYS).unwrap_or_default()];
        let mut number = 0;
        while turns.next() {
            let key = turns.chance.below(KEYS);
            let version = &mut versions[usize::try_from(key).unwrap_or_default()];
            let (key, value) = (format!("k{key}"), value(client, number));
            *version = put_and_read(client, &key, &value, *version, &mut Puts::default());
            number += 1;
        }
    };
    rounds(cluster, load, work, |_| {
        (0..KEYS).for_each(|key| drop(reader.get_versioned(&format!("k{key}"))));
    });
}

/// What `client` puts as its `number`th. No other value is like it in the whole run.
fn value(client: &Client, number: u64) -> String {
    format!("{}.{number}", client.number())
}

/// Puts `value` at the last version that the client knows, then reads the key, and returns its
/// version.
fn put_and_read(client: &mut Client, key: &str, value: &str, version: u64, puts: &mut Puts) -> u64 {
    let called = Instant::now();
    let outcome = client.put_versioned(key, value, version);
    puts.note(outcome, called);
    let absent = outcome == Err(PutError::NoKey);
    assert!(!absent || version == 0, "{key} was there, at version {version}");
    let found = client.get_versioned(key);
    let Some((found, now)) = found else { panic!("a put to {key} was {outcome:?}: it is there") };
    assert!(now > version, "a put at version {version} was {outcome:?}, and it is {now}");
    if outcome.is_ok() && now == version + 1 {
        assert_eq!(found, value, "version {now} of {key} is what was put");
    }
    now
}

/// Puts as the only client of `key`, which has this version; its version afterwards.
///
/// Nobody else changes the version. So what is refused after a repetition was done before, and
/// what is refused without one is wrong.
pub(super) fn put_alone(client: &mut Client, key: &str, value: &str, version: u64) -> u64 {
    let outcome = client.put_versioned(key, value, version);
    if outcome.is_err() {
        assert_eq!(outcome, Err(PutError::Maybe), "{key} has version {version}, as was expected");
        let found = client.get_versioned(key);
        assert_eq!(found, Some((value.to_string(), version + 1)), "an earlier copy was done");
    }
    version + 1
}

fn speed(cluster: &Cluster, raft_state_max: Option<usize>) {
    cluster.serve_kv(raft_state_max);
    let mut client = cluster.client();
    // Not timed: the first leader is still to be elected.
    assert_eq!(client.get_versioned(KEY), None, "nobody has put anything");
    let begun = Instant::now();
    let mut version = 0;
    for _ in 0..SPEED_OPERATIONS {
        version = put_alone(&mut client, KEY, "x", version);
    }
    let took = begun.elapsed();
    let found = client.get_versioned(KEY);
    let expected = Some(("x".to_string(), SPEED_OPERATIONS.into()));
    assert_eq!(found, expected, "every put makes one version");
    check_speed(cluster, took.as_secs_f64() * 1e3 / f64::from(SPEED_OPERATIONS));
}
