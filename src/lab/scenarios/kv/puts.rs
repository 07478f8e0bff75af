//! What the clients of get and versioned put do in most tests.

use std::time::Duration;

use super::pieces::check_speed;
use super::rounds::{Load, Turns, rounds};
use crate::api::PutError;
use crate::lab::Cluster;
use crate::lab::kv::Client;
use crate::runtime::time::Instant;

/// The key that all clients put to, unless they choose a key.
const KEY: &str = "k";

/// Number of keys from which clients choose.
const KEYS: u64 = 100;

/// How many operations a speed test makes.
const SPEED_OPERATIONS: u32 = 1000;

/// A put in doubt that returns sooner than this was sent only once, if nothing was lost.
///
/// No clerk retries so soon, and a server that is delayed for a moment need not drop its callers.
pub(super) const NO_REPETITION: Duration = Duration::from_millis(50);

/// The outcomes of some puts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Puts {
    /// Puts that were done.
    pub(super) done: u64,
    /// Puts that may have been done.
    pub(super) maybe: u64,
    /// Puts that may have been done, but returned too soon to have been retried.
    pub(super) hasty: u64,
}

impl Puts {
    /// Adds the outcomes of other puts.
    pub(super) fn add(&mut self, others: &[Puts]) {
        self.done += others.iter().map(|puts| puts.done).sum::<u64>();
        self.maybe += others.iter().map(|puts| puts.maybe).sum::<u64>();
        self.hasty += others.iter().map(|puts| puts.hasty).sum::<u64>();
    }

    /// Counts a put that was called at `called`.
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

    /// Fails if these puts cannot have brought a key to `version`.
    ///
    /// Fails too if nothing was lost, and a put was in doubt at once.
    pub(super) fn check(self, cluster: &Cluster, version: u64, nothing_lost: bool) {
        let Puts { done, maybe, hasty } = self;
        assert!(
            (done..=done + maybe).contains(&version),
            "{done} puts were done and {maybe} may have been, but the version is {version}"
        );
        if nothing_lost && hasty > 0 {
            let message = format!("{hasty} puts were in doubt at once, though nothing was lost");
            cluster.end_by_limit("in_doubt", message);
        }
    }
}

/// Lets all clients put to one key, whose version tells how many puts were done.
pub(super) fn one_key(cluster: &Cluster, load: Load) {
    cluster.serve_kv(load.raft_state_max);
    let nothing_lost = cluster.is_reliable() && !load.crash && !load.partitions;
    let mut reader = cluster.client();
    let mut all = Puts::default();
    rounds(cluster, &load, puts_to_one_key, |puts: Vec<Puts>| {
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

/// Lets clients choose their keys; the checker judges the result.
pub(super) fn many_keys(cluster: &Cluster, load: Load) {
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
    rounds(cluster, &load, work, |_| {
        (0..KEYS).for_each(|key| drop(reader.get_versioned(&format!("k{key}"))));
    });
}

/// The `number`th value that `client` puts; no other value of the run is equal.
fn value(client: &Client, number: u64) -> String {
    format!("{}.{number}", client.number())
}

/// Puts `value` at the client's last known version, reads the key, and returns its version.
fn put_and_read(client: &mut Client, key: &str, value: &str, version: u64, puts: &mut Puts) -> u64 {
    let called = Instant::now();
    let outcome = client.put_versioned(key, value, version);
    puts.note(outcome, called);
    let absent = outcome == Err(PutError::NoKey);
    assert!(!absent || version == 0, "{key} must be there, at version {version}");
    let found = client.get_versioned(key);
    let Some((found, now)) = found else { panic!("{key} is missing after a put: {outcome:?}") };
    assert!(now > version, "a put at version {version} was {outcome:?}, but the version is {now}");
    if outcome.is_ok() && now == version + 1 {
        assert_eq!(found, value, "version {now} of {key} is not what was put");
    }
    now
}

/// Puts as the only client of `key`, which has `version`; returns its version afterwards.
///
/// No other client changes the version. So a put that is refused after a retry was done before, and
/// a put that is refused without a retry is a mistake.
pub(super) fn put_alone(client: &mut Client, key: &str, value: &str, version: u64) -> u64 {
    let outcome = client.put_versioned(key, value, version);
    if outcome.is_err() {
        assert_eq!(outcome, Err(PutError::Maybe), "{key} has version {version}, as in the put");
        let found = client.get_versioned(key);
        assert_eq!(found, Some((value.to_string(), version + 1)), "an earlier copy was done");
    }
    version + 1
}

pub(super) fn speed(cluster: &Cluster, raft_state_max: Option<usize>) {
    cluster.serve_kv(raft_state_max);
    let mut client = cluster.client();
    // Not timed: the first leader is still to be elected.
    assert_eq!(client.get_versioned(KEY), None, "no client has put anything");
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
